"""``support/calendars``: the workspace's calendars, and the calculator that promises and due dates use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.calendars import create_calendar, delete_calendar, update_calendar
from accounts.fields import Field, FieldError, Unreadable, read_moment, text, whole
from accounts.models import WorkCalendar, Workspace
from api import describe as d
from api.describe import Operation
from api.inputs import read_fields, schema_of
from api.plain import answer, no_content
from api.problems import Problem, refuse
from api.reading import json_object, known_parameters
from api.resources import Column, Resource
from api.views import Endpoint
from businesstime import Calendar, InvalidCalendar, NoWorkingTime, read_calendar

CALENDARS = Resource(
    columns={
        "key": Column("key", d.text()),
        "name": Column("name", d.text()),
        "timezone": Column("timezone", d.text("Empty: the workspace's")),
        "definition": Column("definition", d.free()),
        "minutes_per_day": Column("minutes_per_day", d.number("A business day in minutes")),
        "pack": Column("pack", d.text("The methodology it belongs to; empty: the workspace's own")),
    },
    orderings={"key": "key", "name": "name"},
    default="name",
)
_WINDOWS = d.listed(d.listed(d.text()))
DEFINITION = d.shape(
    (),
    timezone=d.text("IANA name; the workspace's if absent"),
    weekly={"type": "object", "additionalProperties": _WINDOWS, "description": "mon to sun: pairs of wall times"},
    holidays=d.listed(d.day()),
    recurring_holidays=d.listed(d.text("MM-DD")),
    date_overrides={"type": "object", "additionalProperties": _WINDOWS},
    breaks=d.listed(d.free()),
    always_open=d.flag(),
)


def _object(raw: Any) -> dict[str, Any]:
    """A definition as it came; the action says what is wrong in it."""
    if not isinstance(raw, dict):
        raise Unreadable("type", "A calendar is an object.")
    return raw


_CALENDAR = {
    "name": text(120, required=True),
    "definition": Field(_object, DEFINITION, required=True, help="A calendar as in the calculator"),
    "minutes_per_day": whole(1, 1440),
}
_NEW = {"key": text(60, required=True), **_CALENDAR}
CALENDAR = CALENDARS.schema()
# What ends a moment of RFC 3339.
OFFSET = re.compile(r"(?:[zZ]|[+-]\d\d:?\d\d)$", re.ASCII)
MOST_MINUTES = Decimal(100_000_000)
OPERATIONS = ("add", "between", "next_open", "is_open")


class CalendarList(Endpoint):
    policy = {"GET": "methodology.view", "POST": "methodology.edit"}
    describe = {
        "GET": Operation("List calendars", query=CALENDARS.query(), answers={200: d.page_of(CALENDAR)}),
        "POST": Operation("Add a calendar", body=schema_of(_NEW), answers={201: CALENDAR}),
    }

    def get(self, request: Request) -> Response:
        return CALENDARS.page(request, WorkCalendar.objects.all())

    def post(self, request: Request) -> Response:
        values = read_fields(json_object(request), _NEW, self.user, partial=False)
        calendar = create_calendar(actor=self.user, at=timezone.now(), **values)
        return CALENDARS.one(request, WorkCalendar.objects.all(), 201, pk=calendar.pk)


class CalendarDetail(Endpoint):
    policy = {"GET": "methodology.view", "PATCH": "methodology.edit", "DELETE": "methodology.edit"}
    describe = {
        "GET": Operation("Read a calendar", answers={200: CALENDAR}),
        "PATCH": Operation(
            "Change a calendar of the workspace's own",
            "A methodology's calendar is set on the methodology page.",
            body=schema_of(_CALENDAR, partial=True),
            answers={200: CALENDAR},
        ),
        "DELETE": Operation("Remove a calendar of the workspace's own", answers={204: None}),
    }

    def get(self, request: Request, key: str) -> Response:
        return CALENDARS.one(request, WorkCalendar.objects.all(), key=key)

    def patch(self, request: Request, key: str) -> Response:
        values = read_fields(json_object(request), _CALENDAR, self.user, partial=True)
        update_calendar(_calendar(key), actor=self.user, at=timezone.now(), **values)
        return CALENDARS.one(request, WorkCalendar.objects.all(), key=key)

    def delete(self, request: Request, key: str) -> Response:
        delete_calendar(_calendar(key), actor=self.user, at=timezone.now())
        return no_content()


class Calculate(Endpoint):
    policy = {"POST": "methodology.view"}
    describe = {
        "POST": Operation(
            "Calculate with working time",
            "What-if: nothing is stored. add takes start and minutes (negative goes back), between takes start "
            "and end, next_open and is_open take at. A budget that ends exactly at closing is due at closing.",
            body=d.shape(
                ("calendar", "operation"),
                calendar={"oneOf": [DEFINITION, d.text("The key of a stored calendar")]},
                operation=d.text(enum=list(OPERATIONS)),
                start=d.moment(),
                end=d.moment(),
                at=d.moment(),
                minutes={"type": ["number", "string"]},
            ),
            answers={200: d.free()},
        )
    }

    def post(self, request: Request) -> Response:
        known_parameters(request, ())
        body = json_object(request)
        operation = body.get("operation")
        run = _OPERATIONS.get(operation) if isinstance(operation, str) else None
        if run is None:
            raise refuse([FieldError("operation", "choice", f"One of {', '.join(OPERATIONS)}.")])
        calendar = _read_calendar(body.get("calendar"))
        try:
            return answer(run(calendar, body))
        except NoWorkingTime as error:
            raise refuse([FieldError("calendar", "no_working_time", f"{str(error).capitalize()}.")]) from error


def _add(calendar: Calendar, body: Mapping[str, Any]) -> dict[str, Any]:
    start, minutes = _moment(body, "start"), _minutes(body.get("minutes"))
    return {"at": calendar.add(start, minutes).isoformat()}


def _between(calendar: Calendar, body: Mapping[str, Any]) -> dict[str, Any]:
    worked = calendar.between(_moment(body, "start"), _moment(body, "end"))
    seconds = worked.total_seconds()
    return {"minutes": _number(seconds / 60), "seconds": _number(seconds)}


def _next_open(calendar: Calendar, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": calendar.next_open(_moment(body, "at")).isoformat()}


def _is_open(calendar: Calendar, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"open": calendar.is_open(_moment(body, "at"))}


_OPERATIONS: dict[str, Callable[[Calendar, Mapping[str, Any]], dict[str, Any]]] = {
    "add": _add,
    "between": _between,
    "next_open": _next_open,
    "is_open": _is_open,
}


def _read_calendar(definition: Any) -> Calendar:
    """The calendar of the body: a definition, or the key of a stored one. Raises Problem 422."""
    if isinstance(definition, str):
        stored = WorkCalendar.objects.filter(key=definition[:60]).first()
        if stored is None:
            raise refuse([FieldError("calendar", "unknown", "There is no calendar with this key.")])
        definition = stored.definition
    zone = Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
    try:
        return read_calendar(definition, default_timezone=zone)
    except InvalidCalendar as error:
        errors = [
            {"pointer": "/".join(("/calendar", *filter(None, [p.field]))), "code": p.rule, "detail": p.detail}
            for p in error.problems
        ]
        raise Problem("refused", errors[0]["detail"], errors=errors) from error


def _moment(body: Mapping[str, Any], name: str) -> datetime:
    """The moment under ``name``, which must say its offset. Raises Problem 422."""
    raw = body.get(name)
    if not isinstance(raw, str) or not OFFSET.search(raw):
        raise refuse([FieldError(name, "moment", "A moment with its offset, such as 2026-11-24T09:00:00+01:00.")])
    try:
        return read_moment(raw)
    except Unreadable as error:
        raise refuse([FieldError(name, error.rule, error.message)]) from error


def _minutes(raw: Any) -> Decimal:
    """Minutes, perhaps fractional or negative. Raises Problem 422."""
    try:
        value = (
            Decimal(str(raw)) if isinstance(raw, int | float | str | Decimal) and not isinstance(raw, bool) else None
        )
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value) > MOST_MINUTES:
        raise refuse([FieldError("minutes", "number", f"A number of at most {MOST_MINUTES} minutes.")])
    return value


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _calendar(key: str) -> WorkCalendar:
    calendar = WorkCalendar.objects.filter(key=key).first()
    if calendar is None:
        raise Http404
    return calendar


urlpatterns = [
    path("support/calendars/", CalendarList.as_view(), name="calendar-list"),
    path("support/calendars/calculate/", Calculate.as_view(), name="calendar-calculate"),
    path("support/calendars/<slug:key>/", CalendarDetail.as_view(), name="calendar-detail"),
]
