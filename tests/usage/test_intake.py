"""Bad input, item by item: what is refused says which item, which field and which rule; the rest is kept."""

import datetime as dt
import json

import pytest

from tests.usage.world import NOW, event
from usage import intake

FLOOR = dt.datetime(2025, 10, 1, tzinfo=dt.UTC)


def read(*events, **top):
    return intake.read_body(json.dumps({"events": list(events), **top}).encode(), "events")


def refusals(batch):
    return [(one.index, one.field, one.code) for one in batch.rejected]


BAD = [
    ({"id": None}, "id", "wrong_type"),
    ({"id": 7}, "id", "wrong_type"),
    ({"id": ""}, "id", "too_short"),
    ({"id": "x" * 201}, "id", "too_long"),
    ({"id": "a\u0000b"}, "id", "control_character"),
    ({"id": "a\nb"}, "id", "control_character"),
    ({"account": 12}, "account", "wrong_type"),
    ({"account": "x" * 121}, "account", "too_long"),
    ({"account": ["A-1"]}, "account", "wrong_type"),
    ({"user": 5}, "user", "wrong_type"),
    ({"user": ""}, "user", "too_short"),
    ({"user": "a\tb"}, "user", "control_character"),
    ({"event": ""}, "event", "too_short"),
    ({"event": "x" * 81}, "event", "too_long"),
    ({"at": "yesterday"}, "at", "invalid_time"),
    ({"at": "2026-11-24T12:00:00"}, "at", "no_offset"),
    ({"at": "2026-02-30T12:00:00Z"}, "at", "invalid_time"),
    ({"at": 1764000000}, "at", "wrong_type"),
    ({"quantity": 0}, "quantity", "out_of_range"),
    ({"quantity": -1}, "quantity", "out_of_range"),
    ({"quantity": 1_000_001}, "quantity", "out_of_range"),
    ({"quantity": "1"}, "quantity", "wrong_type"),
    ({"quantity": 1.5}, "quantity", "wrong_type"),
    ({"quantity": True}, "quantity", "wrong_type"),
    ({"properties": "x"}, "properties", "wrong_type"),
    ({"properties": ["x"]}, "properties", "wrong_type"),
]


@pytest.mark.parametrize(("change", "field", "code"), BAD, ids=[f"{f}-{c}-{n}" for n, (_, f, c) in enumerate(BAD)])
def test_a_bad_field_costs_its_item_and_no_other(change, field, code):
    batch = read(event(0), {**event(1), **change}, event(2))

    assert refusals(batch) == [(1, field, code)]
    assert [(place, item.id) for place, item in zip(batch.places, batch.items, strict=True)] == [(0, "e0"), (2, "e2")]
    assert batch.received == 3


@pytest.mark.parametrize("field", ["id", "account", "event", "at"])
def test_a_missing_field_is_named(field):
    whole = event(0)
    del whole[field]

    batch = read(whole)

    assert refusals(batch) == [(0, field, "missing")]
    assert field in batch.rejected[0].detail


def test_what_is_not_required_may_be_missing():
    batch = read({"id": "a", "account": "A-1", "event": "x", "at": "2026-11-24T12:00:00Z"})

    one = batch.items[0]
    assert (one.user, one.quantity, one.properties) == (None, 1, None)


@pytest.mark.parametrize("item", [None, 5, "text", [], [event(0)], True])
def test_an_item_that_is_no_object_is_refused(item):
    assert refusals(read(event(0), item)) == [(1, "", "wrong_type")]


def test_unknown_fields_are_left_aside():
    assert refusals(read({**event(0), "colour": "blue"})) == []


BODIES = [
    (b"", 400, "malformed"),
    (b"{", 400, "malformed"),
    (b'{"events": [}', 400, "malformed"),
    (b'{"events": [{"id": NaN}]}', 400, "malformed"),
    (b"\xff\xfe", 400, "malformed"),
    (b'{"events": "\xff"}', 400, "invalid_body"),
    (b"[" * 100_000, 400, "invalid_body"),
    (b'{"events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "too_deep"),
    (b"[]", 400, "invalid_body"),
    (b"null", 400, "invalid_body"),
    (b"{}", 400, "invalid_body"),
    (b'{"events": {}}', 400, "invalid_body"),
    (b'{"events": null}', 400, "invalid_body"),
    (b'{"events": [], "source": 5}', 400, "invalid_body"),
    (b'{"events": [], "source": "Not A Source"}', 422, "invalid_source"),
    (b'{"events": [], "sorce": "crm"}', 422, "unknown_field"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_batch_is_refused_whole(body, status, code):
    with pytest.raises(intake.Refused) as refused:
        intake.read_body(body, "events")
    assert (refused.value.status, refused.value.code) == (status, code)


def test_deeply_nested_properties_are_refused_without_an_error_of_ours():
    deep = b'{"events": [{"id": "a", "properties": {"x": ' + b"[" * 3000 + b"]" * 3000 + b"}}]}"
    with pytest.raises(intake.Refused) as refused:
        intake.read_body(deep, "events")
    assert (refused.value.status, refused.value.code) == (400, "too_deep")


@pytest.mark.parametrize(
    ("field", "text", "refused"),
    [
        ("id", r"\ud800", True),
        ("user", r"a\uDBFFb", True),
        ("event", r"\udc00\ud800", True),
        ("account", r"\ud83d\\ude00", True),
        ("id", r"\ud83d\ude00", False),
        ("id", r"\\ud800", False),
        ("id", r"\\\ud800", True),
    ],
)
def test_half_a_surrogate_pair_costs_its_own_event_only(field, text, refused):
    bad = json.dumps({**event(1), field: "@"}).replace('"@"', f'"{text}"')
    good = json.dumps(event(0)), json.dumps(event(2))

    batch = intake.read_body(f'{{"events": [{good[0]}, {bad}, {good[1]}]}}'.encode(), "events")

    assert refusals(batch) == ([(1, field, "control_character")] if refused else [])
    assert list(batch.places) == ([0, 2] if refused else [0, 1, 2])
    if not refused:
        assert batch.items[1].id == json.loads(f'"{text}"')


def test_half_a_pair_in_properties_costs_its_own_event_and_in_the_source_the_batch():
    bad = {**event(1), "properties": {"city": "\ud800"}}
    batch = read(event(0), bad)
    _lines, kept = intake.copy_lines(batch, "r")
    assert refusals(kept) == [(1, "properties", "control_character")]
    with pytest.raises(intake.Refused) as refused:
        intake.read_body(rb'{"events": [], "source": "\ud800"}', "events")
    assert (refused.value.status, refused.value.code) == (422, "invalid_source")


def test_five_thousand_are_read_and_one_more_is_not():
    many = [event(n) for n in range(5000)]
    assert len(read(*many).items) == 5000

    with pytest.raises(intake.Refused) as refused:
        read(*many, event(5000))
    assert (refused.value.status, refused.value.code) == (413, "too_many_items")


def test_the_edges_of_the_window():
    moments = [FLOOR - dt.timedelta(microseconds=1), FLOOR, NOW + dt.timedelta(days=1),
               NOW + dt.timedelta(days=1, microseconds=1)]  # fmt: skip
    batch = intake.within_window(read(*(event(n, at=at) for n, at in enumerate(moments))), floor=FLOOR, now=NOW)

    assert refusals(batch) == [(0, "at", "too_old"), (3, "at", "in_future")]
    assert list(batch.places) == [1, 2]


def test_the_first_year_is_too_old_in_any_zone():
    batch = intake.within_window(read({**event(0), "at": "0001-01-01T00:00:00+12:00"}), floor=FLOOR, now=NOW)

    assert refusals(batch) == [(0, "at", "too_old")]


def test_properties_are_limited_in_size_and_hold_no_nul():
    batch = read(
        event(0, properties={"note": "x" * 4080}),
        event(1, properties={"note": "x" * 4090}),
        event(2, properties={"note": "a\u0000b"}),
        event(3, properties={}),
    )
    text, kept = intake.copy_lines(batch, "r")

    assert refusals(kept) == [(1, "properties", "too_long"), (2, "properties", "control_character")]
    assert text.count(b"\n") == 2


def test_rows_of_text_are_read_as_events():
    rows = [
        {"id": "1", "account": "A", "event": "x", "at": "2026-11-01T00:00:00Z", "quantity": "3", "user": ""},
        {"id": "", "account": "A", "event": "x", "at": "2026-11-01T00:00:00Z"},
        {"id": "3", "account": "A", "event": "x", "at": "01/11/2026"},
    ]
    batch = intake.read_rows(rows, "events", source="csv")

    assert [(one.id, one.quantity, one.user) for one in batch.items] == [("1", 3, None)]
    assert refusals(batch) == [(1, "id", "missing"), (2, "at", "invalid_time")]
