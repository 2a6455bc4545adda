"""What came of it: how each trigger's CTAs ended, and whether acting on them was followed by better scores."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.policy import requires
from health.book.uplift import LEAST, Group, Uplift
from health.queries.automation import trigger_names
from health.queries.outcomes import FOLLOWED_DAYS, MOST, WINDOW_DAYS, Outcomes, outcomes
from ui import formats, wording

VERDICTS = {
    "better": ("good", "Better where it was worked"),
    "worse": ("risk", "Worse where it was worked"),
    "open": ("neutral", "No difference can be told"),
}


@requires(GET="ctas.view")
def outcome_page(request: HttpRequest) -> HttpResponse:
    """A line for each trigger and playbook. Two queries."""
    names = trigger_names()
    context = {
        "rows": [_row(one, names) for one in _found(request)],
        "days": FOLLOWED_DAYS,
        "window": WINDOW_DAYS,
        "least": LEAST,
        "most": MOST,
    }
    return render(request, "health/outcomes.html", context)


@requires(GET="ctas.view")
def outcome_export(request: HttpRequest) -> HttpResponse:
    """The same lines as CSV, moves in points of the score."""
    heads = (
        "trigger", "playbook", "opened", "resolved", "not_resolved", "no_action", "false_alarm", "days_to_close",
        "worked_followed", "worked_mean_move", "not_worked_followed", "not_worked_mean_move", "difference", "low",
        "high",
    )  # fmt: skip
    lines = [_cells(one) for one in _found(request)]
    return csv_response(f"cta-outcomes-{timezone.localdate()}.csv", heads, lines)


def _found(request: HttpRequest) -> list[Outcomes]:
    user: Any = request.user
    return outcomes(user, timezone.localdate(), str(timezone.get_current_timezone()))


def _row(one: Outcomes, names: dict[str, str]) -> dict[str, Any]:
    found = one.uplift
    tone, verdict = VERDICTS[found.verdict] if found else ("neutral", "Too few to tell")
    return {
        "one": one,
        "name": names.get(one.trigger) or wording.titled(one.trigger),
        "is_rule": one.trigger in names,
        "days_to_close": "" if one.days_to_close is None else formats.number(one.days_to_close, 1),
        "worked": _moved(one.worked),
        "others": _moved(one.others),
        "tone": tone,
        "verdict": verdict,
        "interval": _interval(found),
    }


def _moved(group: Group) -> str:
    return f"{_signed(group.mean)} over {formats.number(group.count)}" if group.count else "none followed yet"


def _interval(found: Uplift | None) -> str:
    if found is None:
        return ""
    if found.interval is None:
        return f"{_signed(found.points)} points; all moved alike on both sides, so no interval"
    low, high = found.interval
    return f"{_signed(found.points)} points, {_signed(low)} to {_signed(high)}"


def _signed(value: float) -> str:
    text = formats.number(value, 1)
    return f"+{text}" if round(value, 1) > 0 else text


def _cells(one: Outcomes) -> list[Any]:
    means = [round(group.mean, 2) if group.count else None for group in (one.worked, one.others)]
    return [
        one.trigger, one.playbook, one.opened, one.resolved, one.unresolved, one.no_action, one.invalid,
        None if one.days_to_close is None else round(one.days_to_close, 1), one.worked.count, means[0],
        one.others.count, means[1], *_difference(one.uplift),
    ]  # fmt: skip


def _difference(found: Uplift | None) -> list[float | None]:
    """The difference and both ends of its interval, in points; None what cannot be told."""
    low, high = (found and found.interval) or (None, None)
    return [None if value is None else round(value, 2) for value in (found and found.points, low, high)]
