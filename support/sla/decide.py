"""Who takes a case: the answers to a pack's questions, followed down its tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Decision:
    """The level that owns the case, and who joins it."""

    owner: str
    joined_by: tuple[str, ...]


def decide(tree: Mapping[str, Any], facts: Mapping[str, bool], ranks: Mapping[str, int]) -> Decision:
    """The decision for ``facts``; a fact nobody stated is false.

    Every branch is read (AMB-90): of those that fit, the one at the highest level owns the case and the other
    owners join, with whoever the branches bring along.
    """
    fitting = [branch for branch in tree["branches"] if _fits(branch["if"], facts)]
    owners = list(dict.fromkeys(branch["owner"] for branch in fitting))
    if not owners:
        raise LookupError("no branch of the tree fits")
    owner = max(owners, key=lambda key: ranks.get(key, 0))
    others = [key for key in owners if key != owner]
    guests = [guest for branch in fitting for guest in branch.get("with", ())]
    return Decision(owner, tuple(dict.fromkeys([*others, *guests])))


def _fits(conditions: Mapping[str, bool], facts: Mapping[str, bool]) -> bool:
    return all(bool(facts.get(name)) is wanted for name, wanted in conditions.items())


def unknown_facts(tree: Mapping[str, Any], facts: Sequence[str] | Mapping[str, Any]) -> list[str]:
    """Names among ``facts`` that the tree does not ask for."""
    return sorted(set(facts) - set(tree.get("facts", ())))
