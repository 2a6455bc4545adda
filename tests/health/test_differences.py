"""The difference of two scorecard versions, field by field."""

import copy

from health.differences import differences
from tests.health.definitions import CARDS

FLEET = CARDS["fleet-health"]


def changed(change):
    after = copy.deepcopy(FLEET)
    change(after)
    return [(found.place, found.field, found.before, found.after) for found in differences(FLEET, after)]


def test_the_same_definition_differs_in_nothing():
    for card in CARDS.values():
        assert differences(card, copy.deepcopy(card)) == []


def test_a_band_edge_and_a_weight_are_named_with_both_values():
    def change(card):
        card["bands"][0]["min"] = 92
        card["dimensions"][0]["weight"] = 41

    first = FLEET["dimensions"][0]
    assert changed(change) == [
        ((first["name"],), "weight", str(first["weight"]), "41"),
        (("Band Green",), "from", "90", "92"),
    ]


def test_a_measure_put_in_front_does_not_make_the_others_look_changed():
    def change(card):
        new = {**copy.deepcopy(card["dimensions"][0]["measures"][0]), "key": "extra", "name": "Extra"}
        card["dimensions"][0]["measures"].insert(0, new)

    ((place, field, before, _after),) = changed(change)
    assert (place, field, before) == ((FLEET["dimensions"][0]["name"], "Extra"), "all", None)


def test_a_removed_dimension_and_a_new_order_are_told():
    def change(card):
        card["dimensions"].pop(0)
        card["dimensions"].reverse()

    found = changed(change)
    assert found[0][:2] == ((FLEET["dimensions"][0]["name"],), "all")
    assert found[0][3] is None
    assert [one[1] for one in found[1:]] == ["order of dimensions"]


def test_a_test_of_a_level_reads_like_one():
    def change(card):
        card["dimensions"][0]["measures"][0]["scoring"]["levels"][0]["when"][0]["value"] = 85

    ((_place, field, before, after),) = changed(change)
    assert (field, before, after) == ("tests", "login_pct > 80", "login_pct > 85")
