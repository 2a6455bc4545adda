"""Trying a calendar: the very arithmetic that promises and due dates use."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import WorkCalendar, Workspace
from accounts.policy import requires
from businesstime import InvalidCalendar, NoWorkingTime, read_calendar
from packs.calendar_form import CalendarForm


@requires(GET="methodology.view", POST="methodology.view")
def simulator(request: HttpRequest) -> HttpResponse:
    """Add working minutes, or measure between two moments. Nothing is stored."""
    workspace = Workspace.objects.get()
    calendars = list(WorkCalendar.objects.all())
    form = CalendarForm(
        request.POST or None,
        calendars=calendars,
        initial={"start": timezone.localtime().replace(second=0, microsecond=0, tzinfo=None), "minutes": 480},
    )
    answer: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            answer = _calculate(form.cleaned_data, calendars, workspace.timezone)
        except InvalidCalendar as invalid:
            for problem in invalid.problems:
                form.add_error("definition", f"{problem.field or 'calendar'}: {problem.detail}")
        except NoWorkingTime:
            form.add_error(None, "The calendar does not hold that much working time.")
    context = {
        "form": form,
        "answer": answer,
        "calendars": [(each, json.dumps(each.definition, indent=1)) for each in calendars],
        "workspace_zone": workspace.timezone,
    }
    return render(request, "packs/calendar_simulator.html", context, status=422 if form.errors else 200)


def _calculate(data: dict[str, Any], calendars: list[WorkCalendar], default_zone: str) -> dict[str, Any]:
    chosen = next((each for each in calendars if each.key == data["calendar"]), None)
    definition = data["definition"] if chosen is None else chosen.definition
    calendar = read_calendar(definition, default_timezone=default_zone)
    start = _moment(data["start"], calendar.rules.zone)
    answer: dict[str, Any] = {"zone": calendar.rules.zone.key, "open": calendar.is_open(start), "start": start}
    answer["next_open"] = calendar.next_open(start)
    if data["minutes"] is not None:
        answer["minutes"] = data["minutes"]
        answer["due"] = calendar.add(start, data["minutes"])
    if data["end"]:
        end = _moment(data["end"], calendar.rules.zone)
        answer["end"] = end
        answer["between"] = calendar.between(start, end).total_seconds() / 60
    return answer


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """What somebody typed is the calendar's own wall clock."""
    return wall.replace(tzinfo=zone)
