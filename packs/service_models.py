"""The ways a methodology serves its tiers, side by side (BIS-2.2). No Django."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = ("Response", "Approach", "Best for", "Resources", "Recommendation")
NOTHING = "no promise"


@dataclass(frozen=True, slots=True)
class Model:
    """One of them: its key, its name, and what stands in each of ``COLUMNS``."""

    key: str
    name: str
    cells: Sequence[str]


def compared(tiers: Iterable[Mapping[str, Any]], policies: Iterable[Mapping[str, Any]]) -> list[Model]:
    """The tiers that are ways of being served, in their order; none where the methodology recommends none."""
    promised = {policy["key"]: policy for policy in policies}
    return [
        Model(
            tier["key"],
            tier["name"],
            (
                _response(promised.get(tier.get("support_plan") or "")),
                str(tier.get("success_model") or ""),
                str(tier.get("best_for") or ""),
                _resources(tier),
                str(tier["recommendation"]),
            ),
        )
        for tier in tiers
        if tier.get("recommendation") and tier.get("support_plan")
    ]


def _response(policy: Mapping[str, Any] | None) -> str:
    promises = [rule["response"] for rule in (policy or {}).get("rules", ()) if rule.get("response")]
    if not promises:
        return NOTHING
    first = promises[0]
    least = f"{first['min_value']}–" if first.get("min_value") else ""
    return f"{'under ' if first.get('op') == '<' else ''}{least}{first['value']} {first['unit'].replace('_', ' ')}"


def _resources(tier: Mapping[str, Any]) -> str:
    """``medium (1:10–20)``: how much it takes, and for how many customers one person is."""
    words, ratio = str(tier.get("resources") or ""), tier.get("ratio") or {}
    customers = ratio.get("customers")
    if not customers:
        return words
    low, high = customers.get("min"), customers.get("max")
    span = f"{low}" if low == high else f"{low}+" if high is None else f"{low}–{high}"
    return f"{words} ({ratio.get('csm', 1)}:{span})"
