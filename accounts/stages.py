"""Which lifecycle stage an account is in by its age, as its methodology counts it. Pure.

A stage begins so many days or months after the customer's start. Where the stage before says its last day, it begins
the day after, so that days and months never leave a gap (AMB-153: day 90 is Adoption). A stage that runs beside the
others, or comes back every year, or names no beginning, is set by hand only (CS-1.5, CS-1.6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta


class Reached(NamedTuple):
    """The place of a stage in the list that was asked about, and the day on which it began."""

    place: int
    since_on: date


def stage_on(stages: Sequence[Mapping[str, Any]], started_on: date, day: date) -> Reached | None:
    """The last of ``stages`` (definitions in their order) begun by ``day``; None before the first, or without any."""
    reached = None
    before: Mapping[str, Any] = {}
    for place, stage in enumerate(stages):
        begins_on = _begins_on(stage, before, started_on)
        if begins_on is None:
            continue
        before = stage
        if begins_on <= day:
            reached = Reached(place, begins_on)
    return reached


def is_timed(stage: Mapping[str, Any]) -> bool:
    """Whether time alone brings an account to this stage."""
    apart = stage.get("parallel") or stage.get("recurring_months")
    return not apart and (stage.get("start_day") is not None or stage.get("start_month") is not None)


def _begins_on(stage: Mapping[str, Any], before: Mapping[str, Any], started_on: date) -> date | None:
    if not is_timed(stage):
        return None
    if before.get("end_day") is not None:
        return started_on + timedelta(days=int(before["end_day"]) + 1)
    if stage.get("start_day") is not None:
        return started_on + timedelta(days=int(stage["start_day"]))
    return started_on + relativedelta(months=int(stage["start_month"]))
