"""The table of the portfolio's parts: by segment, tier, owner or scorecard, each leading to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from health.book.figures import FIGURES
from health.book.filters import NOBODY
from health.book.scope import DEFAULT_SPLIT, SPLITS, Scope
from health.book.split import Part
from health.pages.portfolio_words import NO_CHANGE, figure_url, moved, page_url
from ui import formats

# What an address calls the accounts that have none; without a word such a part leads nowhere.
_NOTHING = {"owner": NOBODY}


def split_tabs(scope: Scope) -> list[dict[str, Any]]:
    """The ways to split, each a link."""
    return [
        {
            "label": one.label,
            "url": page_url("", scope, split="" if name == DEFAULT_SPLIT else name) + "#h-split",
            "current": name == scope.split,
        }
        for name, one in SPLITS.items()
    ]


def split_rows(parts: Sequence[Part], scope: Scope, currency: str) -> list[dict[str, Any]]:
    """The parts in words. A part leads to the portfolio of it, and its money to the accounts behind."""
    name = "segment" if scope.split == "rule" else scope.split
    rows = []
    for part in parts:
        chosen = part.key or _NOTHING.get(scope.split, "")
        rows.append(
            {
                "name": part.name,
                "url": page_url("", scope, **{name: chosen}) if chosen else "",
                "accounts": part.accounts,
                "arr": formats.money(part.arr, currency),
                "arr_url": figure_url("arr", scope, **{name: chosen}) if chosen else "",
                "moved": moved(FIGURES["arr"], part.arr, part.arr_before, scope, none=NO_CHANGE),
                "at_risk": part.at_risk,
                "risk": formats.money(part.arr_at_risk, currency),
                "risk_url": figure_url("risk", scope, **{name: chosen}) if chosen and part.at_risk else "",
                "share": formats.percent(part.share_at_risk),
                "score": formats.number(part.score, 1),
            }
        )
    return rows
