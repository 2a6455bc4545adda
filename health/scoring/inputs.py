"""Inputs typed by a person or sent to a simulator: each is checked and named before anything is scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from health.scoring.figures import number
from health.scoring.measures import Domain, Value
from health.scoring.scorecard import Scorecard


class Refusal(NamedTuple):
    """One input that cannot be taken: its name, the rule it breaks and a sentence that says so."""

    field: str
    code: str
    detail: str


def check_inputs(
    card: Scorecard, raw: Mapping[str, Any], *, also: Iterable[str] = ()
) -> tuple[dict[str, Value], list[Refusal]]:
    """``raw`` as values a card can score, and what is refused (AMB-123). Null is the same as absent.

    ``also`` names metrics that red flags read besides the card's inputs; any number will do for them.
    """
    values: dict[str, Value] = {}
    refusals: list[Refusal] = []
    extra = frozenset(also)
    for name, given in raw.items():
        domain = card.domains.get(name) or (Domain() if name in extra else None)
        if domain is None:
            refusals.append(Refusal(name, "unknown", f"{name} is not an input of scorecard {card.key}"))
        elif given is not None:
            broken = domain.refusal(given)
            if broken:
                refusals.append(Refusal(name, broken[0], f"{name} {broken[1]}"))
            else:
                values[name] = given if domain.options else number(given)  # type: ignore[assignment]
    return values, refusals
