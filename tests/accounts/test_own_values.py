"""Values of own fields: read by kind, judged where they stand, and the same to Python and to the database."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.fields import FieldError, Unreadable
from accounts.models import Account
from accounts.own_values import FieldDefinition, Held, as_typed, cleaned, guess_kind, held, in_words, read_own
from accounts.queries.own_values import empty, misfit, typed
from tests.factories import AccountFactory

KINDS = ("text", "number", "date", "yes_no", "choice", "link")
OPTIONS = ("North", "South, far", "2")


def field(kind: str) -> FieldDefinition:
    return FieldDefinition("k", "K", kind, OPTIONS if kind == "choice" else ())


@pytest.mark.parametrize(
    ("kind", "raw", "stored"),
    [
        ("text", "  Riga ", "Riga"),
        ("text", 12, "12"),
        ("text", "x" * 1000, "x" * 1000),
        ("number", "12", 12),
        ("number", " -1.50 ", -1.5),
        ("number", 999_999_999_999_999, 999_999_999_999_999),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026-02-28T10:00:00Z", "2026-02-28"),
        ("yes_no", "Yes", True),
        ("yes_no", "0", False),
        ("yes_no", False, False),
        ("choice", "north", "North"),
        ("choice", 2, "2"),
        ("link", "https://a.example/x?y=1", "https://a.example/x?y=1"),
        ("link", "a.example:8080/x", "https://a.example:8080/x"),
        *((kind, blank, None) for kind in KINDS for blank in (None, "", "  ")),
    ],
)
def test_what_is_sent_is_stored_by_kind(kind, raw, stored):
    assert read_own(field(kind), raw) == stored
    assert type(read_own(field(kind), raw)) is type(stored)


@pytest.mark.parametrize(
    ("kind", "raw", "rule"),
    [
        ("text", "x" * 1001, "too_long"),
        ("text", "a\x00b", "control_characters"),
        ("text", True, "type"),
        ("number", "twelve", "number"),
        ("number", True, "number"),
        ("number", 10**15, "range"),
        ("number", "0.1234567890123456789", "digits"),
        ("date", "2026-02-29", "date"),
        ("date", "28.02.2026", "date"),
        ("date", "1899-12-31", "date_range"),
        ("yes_no", "perhaps", "boolean"),
        ("choice", "West", "choice"),
        ("link", "javascript:alert(1)", "link"),
        ("link", "ftp://a.example", "link"),
        ("link", "https://a.example/a b", "link"),
        ("link", "https://a.example/a\u00a0b", "link"),
        ("link", "https://" + "a" * 493, "too_long"),
    ],
)
def test_what_does_not_fit_is_refused_by_rule(kind, raw, rule):
    with pytest.raises(Unreadable) as refused:
        read_own(field(kind), raw)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("kind", "stored", "found"),
    [
        ("number", "12", Held(Decimal(12))),
        ("number", 12.5, Held(12.5)),
        ("number", "1,200", Held("1,200", fits=False)),
        ("number", True, Held(True, fits=False)),
        ("date", "2026-02-28", Held(date(2026, 2, 28))),
        ("date", "2026-02-31", Held("2026-02-31", fits=False)),
        ("yes_no", "YES", Held(True)),
        ("yes_no", 0, Held(False)),
        ("yes_no", 2, Held(2, fits=False)),
        ("choice", "North", Held("North")),
        ("choice", "north", Held("north", fits=False)),
        ("choice", 2, Held("2")),
        ("text", 5, Held("5")),
        ("link", "javascript:alert(1)", Held("javascript:alert(1)", fits=False)),
        ("link", "https://a\u00a0b", Held("https://a\u00a0b")),
        *((kind, blank, Held(None)) for kind in KINDS for blank in (None, "", " ")),
    ],
)
def test_what_stands_there_counts_as_its_value_or_is_kept_as_it_is(kind, stored, found):
    assert held(field(kind), {"k": stored}) == found


def test_values_in_words():
    values = (None, True, False, 1234.5, 0.00001, Decimal(12), 10**14, date(2026, 2, 28), "x")
    assert [in_words(value) for value in values] == [
        "", "Yes", "No", "1,234.5", "0.00001", "12", "100,000,000,000,000", "2026-02-28", "x",
    ]  # fmt: skip
    assert [as_typed(value) for value in values] == [
        "", "true", "false", "1234.5", "0.00001", "12", "100000000000000", "2026-02-28", "x",
    ]  # fmt: skip


def test_cleaning_names_each_wrong_value_and_leaves_what_stood_there():
    fields = {
        "n": FieldDefinition("n", "Seats", "number"),
        "old": FieldDefinition("old", "Old", "date", is_archived=True),
    }
    custom = {"n": "12", "free": {"a": 1}, "old": "whenever"}
    assert cleaned(custom, fields, {}) == ({"n": 12, "free": {"a": 1}, "old": "whenever"}, [])
    assert cleaned({"n": "many"}, fields, {"n": "many"}) == ({"n": "many"}, [])
    message = "Seats: This must be a number with a point for decimals."
    assert cleaned({"n": "more"}, fields, {"n": "many"}) == ({"n": "many"}, [FieldError("custom.n", "number", message)])
    assert cleaned({"n": True}, fields, {"n": 1})[1]


def test_cleaning_keeps_what_is_not_named_and_takes_away_what_is_nothing():
    fields = {key: FieldDefinition(key, key, "text", is_archived=key == "old") for key in ("a", "b", "old")}
    kept = {"a": "1", "b": "2", "old": "3", "free": "4", "other": "5"}
    assert cleaned({}, fields, kept) == (kept, [])
    emptied = {"a": None, "b": " ", "old": None, "free": None, "never": None}
    assert cleaned(emptied, fields, kept) == ({"other": "5"}, [])
    assert cleaned({"free": "", "new": "6"}, fields, kept)[0] == {**kept, "free": "", "new": "6"}
    assert kept["a"] == "1"


@pytest.mark.parametrize(
    ("values", "kind", "options"),
    [
        (["12", "-1.5"], "number", []),
        (["1", "0"], "number", []),
        (["2026-01-31"], "date", []),
        (["true", "no"], "yes_no", []),
        (["https://a.example", "http://b.example/x"], "link", []),
        (["South", "North", " "], "choice", ["North", "South"]),
        (["12", "many"], "choice", ["12", "many"]),
        ([f"Note {n}" for n in range(13)], "text", []),
        ([], "text", []),
    ],
)
def test_a_kind_is_guessed_from_all_values(values, kind, options):
    assert guess_kind(values) == (kind, options)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([10**15 - 1, 10**15, 10**20, -1e300, 1e-5, 5e-324])
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
    | st.sampled_from(
        ["2026-02-28", "2026-02-31", "2199-12-31", "2200-01-01", "yes", "NO", "1", "North", "north", "-3.5",
         "https://a.example", "HTTPS://A", "https://a\u00a0b", "https://a\u2003b", "a b", "12.", ".5",
         "١٢", "0000000000000012", " 12 ", "South, far"]
    )
)  # fmt: skip


@pytest.mark.django_db
@given(stored=st.lists(SCALARS, min_size=1, max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_database_reads_what_stands_there_as_python_does(stored):
    Account.objects.all().delete()
    rows = {AccountFactory(custom={"k": value, "12": 1}).pk: value for value in stored}
    for kind in KINDS:
        own = field(kind)
        found = Account.objects.annotate(value=typed(own)).values_list("pk", "value", "custom")
        blank = set(Account.objects.filter(empty(own)).values_list("pk", flat=True))
        bad = set(Account.objects.filter(misfit(own)).values_list("pk", flat=True))
        for pk, value, custom in found:
            here = held(own, custom)
            assert (pk in blank, pk in bad) == (here.value is None, not here.fits), (kind, rows[pk])
            if here.value is None or not here.fits:
                assert value is None
            elif kind == "choice":
                assert value == OPTIONS.index(here.value) + 1
            elif kind == "number":
                assert float(value) == pytest.approx(float(here.value))
            else:
                assert value == here.value
