"""Why a score changed: what each dimension gave to the total on two days, with the measures that moved."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from health.cards import CompiledCard, compiled
from health.models.scores import Evidence
from health.queries.evidence import changes_in_words, shares_of


class Effect(NamedTuple):
    """What one dimension added to the total (negative: took), in points of the score."""

    name: str
    points: Decimal


class Change(NamedTuple):
    """Two scores of one account. ``effects`` and ``words`` are empty when two versions made them."""

    before: Decimal
    after: Decimal
    effects: list[Effect]
    words: list[str]
    same_version: bool

    def sentence(self, most: int = 2) -> str:
        """The largest moves in words, or that the scorecard itself changed."""
        if not self.same_version:
            return "Scored by another version of the scorecard"
        return "; ".join(self.words[:most])


def change_between(before: Evidence, after: Evidence) -> Change | None:
    """The change from one score to another; None when either has none. ``after.version`` must be loaded."""
    if before.score is None or after.score is None:
        return None
    if before.version_id != after.version_id:
        return Change(before.score, after.score, [], [], same_version=False)
    card = compiled(after.version)
    return Change(
        before.score,
        after.score,
        effects(before, after, card),
        changes_in_words(before, after, card),
        same_version=True,
    )


def effects(before: Evidence, after: Evidence, card: CompiledCard) -> list[Effect]:
    """One effect a dimension, in the card's order; they add to the change of the score."""
    old, new = shares_of(before, card), shares_of(after, card)
    return [Effect(part.name, new[part.key][0] - old[part.key][0]) for part in card.card.dimensions]
