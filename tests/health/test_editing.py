"""The scorecard editor's fields: a definition goes in and comes out the same; rows come and go."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from health.editing import changed, definition_of, fields_of, with_keys
from health.validation import scorecard_problems
from tests.health.definitions import CARDS

FLEET = CARDS["fleet-health"]


def filled(value):
    """Without what is null or an empty text: both mean that nothing is said."""
    if isinstance(value, dict):
        return {name: filled(part) for name, part in value.items() if part not in (None, "")}
    return [filled(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("key", CARDS)
def test_every_shipped_card_survives_the_form(key):
    again = definition_of(fields_of(CARDS[key]))

    assert filled(again) == filled(CARDS[key])
    assert scorecard_problems(again) == []


def test_what_is_typed_lands_at_its_place_and_bad_numbers_are_named_there():
    fields = {**fields_of(FLEET), "/bands/0/min": "ninety", "/dimensions/0/weight": "41"}

    problems = scorecard_problems(definition_of(fields))

    assert [(found.pointer, found.code) for found in problems] == [
        ("/dimensions/0/weight", "total"),
        ("/dimensions", "total"),
        ("/bands/0/min", "range"),
    ]


def test_weights_of_an_averaged_card_are_typed_in_per_cent():
    fields = fields_of(CARDS["fmea-health"])
    assert fields["/dimensions/0/weight"] == "20"

    fields["/dimensions/0/weight"] = "33.3"

    assert definition_of(fields)["dimensions"][0]["weight"] == 0.333


def test_rows_are_added_removed_and_moved():
    more, where = changed(FLEET, "add /dimensions/0/measures")
    assert len(more["dimensions"][0]["measures"]) == len(FLEET["dimensions"][0]["measures"]) + 1
    assert where == f"/dimensions/0/measures/{len(FLEET['dimensions'][0]['measures'])}/name"

    less, _ = changed(more, "remove /dimensions/1")
    assert [part["key"] for part in less["dimensions"]] == [
        p["key"] for p in FLEET["dimensions"] if p is not FLEET["dimensions"][1]
    ]

    moved, _ = changed(FLEET, "up /bands/1")
    assert [band["key"] for band in moved["bands"]] == ["yellow", "green", "red"]

    new_band, where = changed(FLEET, "add /bands")
    assert (where, new_band["bands"][-1]["key"]) == ("/bands/2/name", "red")


def test_another_kind_brings_its_own_fields_and_keeps_the_input():
    fields = {**fields_of(CARDS["fmea-health"]), "/dimensions/0/measures/0/scoring/kind": "penalty"}

    card, _ = changed(definition_of(fields), "kind /dimensions/0/measures/0")

    scoring = card["dimensions"][0]["measures"][0]["scoring"]
    assert scoring["input"] == "active_users_pct"
    assert scoring.keys() == {"kind", "input", "free", "per_unit", "max"}


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40))
def test_a_command_from_anywhere_never_breaks(command):
    for verb in ("add", "remove", "up", "kind"):
        card, _ = changed(FLEET, f"{verb} /{command}")
        assert isinstance(card, dict)
    assert changed(FLEET, "remove /dimensions/9/measures/0")[0] == FLEET


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*fields_of(FLEET), "/dimensions/0", "/bands/0/min/1", "//", "/x/99999"]), st.text(max_size=20)
    )
)
def test_any_text_in_any_field_gives_a_definition_the_validation_can_read(typed):
    problems = scorecard_problems(with_keys(definition_of({**fields_of(FLEET), **typed})))
    assert all(found.detail for found in problems)


def test_new_rows_get_keys_from_their_names_once_each():
    card = {"dimensions": [{"name": "Äpp Use!", "measures": [{"name": "Logins"}, {"name": "Logins"}]}], "bands": []}

    found = with_keys(card)

    assert found["dimensions"][0]["key"] == "pp-use"
    assert [row["key"] for row in found["dimensions"][0]["measures"]] == ["logins", "logins-2"]
