import pytest

from imports.mapping import TargetField, guess, iso_day, missing, shape, unusable
from imports.reading import BadFile, examine, rows


def table(raw):
    return list(rows(raw, examine(raw)))


class TestReading:
    @pytest.mark.parametrize(
        ("raw", "encoding"),
        [
            ("a,b\nGrüße,1\n".encode(), "utf-8"),
            ("a,b\nGrüße,1\n".encode("utf-8-sig"), "utf-8-sig"),
            ("a,b\r\nGrüße,1\r\n".encode("utf-16"), "utf-16"),
            ("a,b\nGrüße,1\n".encode("latin-1"), "cp1252"),
        ],
    )
    def test_the_encodings_people_have(self, raw, encoding):
        assert examine(raw).encoding == encoding
        assert table(raw) == [(2, ["Grüße", "1"])]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiters_people_have(self, delimiter):
        raw = f'a{delimiter}b\n"x, y; z"{delimiter}2\n'.encode()
        assert table(raw) == [(2, ["x, y; z", "2"])]

    def test_lines_are_those_of_the_file(self):
        raw = b'a,b\n\n"two\nlines",1\n\nlast,2\n'
        assert table(raw) == [(3, ["two\nlines", "1"]), (6, ["last", "2"])]

    def test_rows_can_be_skipped(self):
        raw = b"a\n1\n2\n3\n"
        assert list(rows(raw, examine(raw), skip=2)) == [(4, ["3"])]

    @pytest.mark.parametrize(
        ("raw", "rule", "says"),
        [
            (b"", "empty", "empty"),
            (b"  \n ", "empty", "empty"),
            (b"a,b\n", "no_rows", "no rows"),
            (b'a,b\n1,2\n3,"open\n4,5\n', "unclosed_quote", "line 3"),
            (b'a,b\n1,2\n"x"y,3\n', "malformed", "Line 3"),
            (b"a,b\n" + b"x" * 70_000 + b",1\n", "cell_too_large", "line 2"),
            (b"a,\n1,2\n", "blank_heading", "Column 2"),
            (b"a,a\n1,2\n", "repeated_heading", "a stands twice"),
            (b"a,b\n1,\x00\n", "encoding", "zero bytes"),
            (b"PK\x03\x04zip", "not_csv", "spreadsheet"),
            (b"%PDF-1.7", "not_csv", "PDF"),
            (b"a\n\x81\x8d\n", "encoding", "Line 2"),
            (b"\xff\xfea\x00\n\x00\x00", "encoding", "utf-16"),
            (",".join(f"c{n}" for n in range(257)).encode() + b"\n1\n", "too_many_columns", "256"),
            (b"a\n" + b"1\n" * 200_001, "too_many_rows", "200,000"),
            (b"a\n" + b"1" * (20 * 1024 * 1024), "too_large", "20 MB"),
        ],
    )
    def test_what_cannot_be_read_says_why_and_where(self, raw, rule, says):
        with pytest.raises(BadFile) as bad:
            examine(raw)
        assert bad.value.rule == rule
        assert says in bad.value.message

    def test_two_hundred_thousand_rows_are_taken(self):
        assert examine(b"a\n" + b"1\n" * 200_000).rows == 200_000


FIELDS = {
    "external_id": TargetField("Id", True, ("account_id",)),
    "name": TargetField("Name", True, ("company",)),
    "on": TargetField("Day", is_day=True),
}


class TestMapping:
    def test_columns_are_guessed_by_their_headings(self):
        assert guess("none", FIELDS, ["Account ID", "COMPANY", "colour"]) == {
            "external_id": {"column": "Account ID"},
            "name": {"column": "COMPANY"},
        }

    def test_a_preset_wins_when_the_file_has_all_its_columns(self):
        headers = ["usage_id", "subscription_id", "usage_date", "feature_name", "usage_count"]
        assert guess("events", FIELDS, headers)["account"] == {"column": "subscription_id", "through": "contract"}

    def test_required_fields_without_a_column_are_named(self):
        assert missing({"name": {"column": "x"}}, FIELDS) == ["external_id"]

    def test_values_are_translated_scaled_and_put_into_bags(self):
        rules = {
            "name": {"column": "n", "values": {"TRUE": "yes"}},
            "custom.minutes": {"column": "secs", "scale": "0.5"},
            "custom.empty": {"column": "none"},
            "external_id": {"constant": "fixed"},
            "on": {"column": "day"},
        }
        headers = ["n", "secs", "none", "day"]
        assert shape(rules, FIELDS, headers, ["true", "3", "", "24.11.2026"], "dmy") == {
            "name": "yes",
            "custom": {"minutes": "1.5"},
            "external_id": "fixed",
            "on": "2026-11-24",
        }

    @pytest.mark.parametrize(
        ("text", "order", "expected"),
        [
            ("1/2/2026", "mdy", "2026-01-02"),
            ("1/2/2026", "dmy", "2026-02-01"),
            ("1/2/2026 10:00", "dmy", "2026-02-01 10:00"),
            ("2026-01-02", "dmy", "2026-01-02"),
            ("soon", "mdy", "soon"),
        ],
    )
    def test_days_in_other_orders(self, text, order, expected):
        assert iso_day(text, order) == expected

    @pytest.mark.parametrize(
        "rules",
        [
            [],
            {"nothing": {"column": "a"}},
            {"name": "a"},
            {"name": {}},
            {"name": {"column": "a", "constant": "b"}},
            {"name": {"column": "not there"}},
            {"name": {"column": "a", "scale": "x"}},
            {"name": {"column": "a", "through": "magic"}},
            {"name": {"column": "a", "code": "1"}},
            {"custom.": {"column": "a"}},
            {"name": {"constant": 5}},
        ],
    )
    def test_rules_that_cannot_be_used_are_refused(self, rules):
        assert unusable(rules, FIELDS, ("custom",), ["a"])
