"""What a review consists of: its days, its steps and what it asks for in each band. Pure.

A month's weeks are days 1 to 7, 8 to 14 and 15 to 21 (AMB-108). Yellow and red are both reviewed, red first and with
the VP (AMB-107). An account without a score this month is overdue (FLEET-7.1).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from health.choices import Rag, ReviewKind

# What is looked at first.
ORDER = (Rag.RED, Rag.ORANGE, Rag.YELLOW, Rag.NONE, Rag.GREEN)
MOST_DETAIL = 500


class Ask(NamedTuple):
    """What is to be done for an account, in a few words; ``with_lead``: together with the VP."""

    title: str
    with_lead: bool


ASKS = {
    Rag.RED: Ask("Intervene with the VP", True),
    Rag.ORANGE: Ask("Business review", False),
    Rag.YELLOW: Ask("Business review", False),
    Rag.GREEN: Ask("Expansion talk", False),
    Rag.NONE: Ask("Score is overdue: see what is missing", False),
}


def span(kind: str, day: date) -> tuple[date, date]:
    """First and last day of the month, or of the week from Monday, that ``day`` lies in."""
    if kind == ReviewKind.MONTH:
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def looks_at(kind: str, rag: str) -> bool:
    """Whether a review of ``kind`` takes up an account of this colour: the weekly one only what is at risk."""
    return kind == ReviewKind.MONTH or rag in {Rag.YELLOW, Rag.ORANGE, Rag.RED}


def dated(steps: Sequence[Mapping[str, Any]], first_on: date) -> list[dict[str, Any]]:
    """A plan's steps in a month; one without a week goes on all month."""
    found = []
    for step in steps:
        week = step.get("week")
        start = first_on + timedelta(days=7 * (week - 1)) if week else first_on
        end = start + timedelta(days=6) if week else span(ReviewKind.MONTH, first_on)[1]
        found.append(
            {
                "seq": step["seq"],
                "name": step["name"],
                "tasks": list(step.get("tasks", ())),
                "from_on": start.isoformat(),
                "until_on": end.isoformat(),
                "done_at": None,
                "done_by": "",
            }
        )
    return found


def detail_of(band: Mapping[str, Any]) -> str:
    """What the methodology does for accounts of a band, in one line."""
    return ", ".join([*band.get("actions", ()), *band.get("csm_activity", ())])[:MOST_DETAIL]
