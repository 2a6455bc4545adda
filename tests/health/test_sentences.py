"""What changed, in a sentence: on the page of the comparison, in the digest and in the board pack."""

from __future__ import annotations

from decimal import Decimal

import pytest

from health.book.compare import ARR_STEPS, RISK_STEPS, Bridge, Moved, Step
from health.book.sentences import _DID, sentence


def bridge(key, before, after, *moves):
    """A bridge of (why, name, change)."""
    moved = [
        Moved(name, name, "", Decimal(0), Decimal(change), why, {})
        for why, name, change in sorted(moves, key=lambda move: -abs(move[2]))
    ]
    steps = {}
    for move in moved:
        steps.setdefault(move.why, []).append(move.change)
    told = [Step(why, why, sum(changes), len(changes)) for why, changes in steps.items()]
    return Bridge(key, Decimal(before), Decimal(after), told, moved)


def write(amount):
    return f"${amount}"


def test_steps_stand_by_size_and_name_who_made_most_of_them():
    found = bridge(
        "arr", 100, 130, ("new", "Halden", 20), ("new", "Orchid", 15), ("new", "Tessera", 5), ("left", "Verity", -10)
    )
    assert sentence("ARR", found, write) == (
        "ARR rose by $30 to $130: 3 new customers brought $40 (Halden, Orchid and others), "
        "1 customer was lost with $10 (Verity)."
    )


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        ((), "ARR at risk did not change and stands at $50."),
        (
            (("fell", "Halden", 10), ("rose", "Orchid", -10)),
            (
                "ARR at risk stands, all in all, where it was, at $50: 1 account fell into risk with $10 (Halden), "
                "1 account recovered with $10 (Orchid)."
            ),
        ),
    ],
)
def test_what_did_not_change_in_all_is_said_as_that(moves, said):
    assert sentence("ARR at risk", bridge("risk", 50, 50, *moves), write) == said


def test_every_step_of_a_bridge_has_its_words():
    assert {key: steps.keys() for key, steps in _DID.items()} == {"arr": ARR_STEPS.keys(), "risk": RISK_STEPS.keys()}
