"""``support/calendars``: the workspace's calendars, and the calculator that promises and due dates use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.calendars import create_calendar, delete_calendar, update_calendar
from accounts.fields import Field, FieldError, Unreadable, text, whole
from accounts.models import WorkCalendar, Workspace
from api.problems import Problem
from api.serializers import OffsetMomentField, RowSerializer, invalid, record
from api.views import Endpoint
from businesstime import Calendar, InvalidCalendar, NoWorkingTime, read_calendar

TEXT = {"type": "string"}
WINDOWS = {"type": "array", "items": {"type": "array", "items": TEXT}}
DEFINITION = {
    "type": "object",
    "properties": {
        "timezone": {**TEXT, "description": "IANA name; the workspace's if absent"},
        "weekly": {
            "type": "object",
            "additionalProperties": WINDOWS,
            "description": "mon to sun: pairs of wall times",
        },
        "holidays": {"type": "array", "items": {**TEXT, "format": "date"}},
        "recurring_holidays": {"type": "array", "items": {**TEXT, "description": "MM-DD"}},
        "date_overrides": {"type": "object", "additionalProperties": WINDOWS},
        "breaks": {"type": "array", "items": {"type": "object"}},
        "always_open": {"type": "boolean"},
    },
}


def _object(raw: Any) -> dict[str, Any]:
    """A definition as it came; the action says what is wrong in it."""
    if not isinstance(raw, dict):
        raise Unreadable("type", "A calendar is an object.")
    return raw


_CALENDAR = {
    "name": text(120, required=True),
    "definition": Field(_object, DEFINITION, required=True, help="A calendar as in the calculator"),
    "minutes_per_day": whole(1, 1440, empty=480),
}
CalendarRecord = record("CalendarRecord", _CALENDAR)
NewCalendar = record("NewCalendar", {"key": text(60, required=True), **_CALENDAR})


class CalendarSerializer(RowSerializer):
    class Meta:
        model = WorkCalendar
        fields = ["key", "name", "timezone", "definition", "minutes_per_day", "pack"]


MOST_MINUTES = Decimal(100_000_000)
OPERATIONS = ("add", "between", "next_open", "is_open")


class CalendarList(Endpoint):
    policy = {"GET": "methodology.view", "POST": "methodology.edit"}
    serializer_class = CalendarSerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List calendars")
    def get(self, request: Request) -> Response:
        return self.page(WorkCalendar.objects.filter(**self.query))

    @extend_schema(summary="Add a calendar", request=NewCalendar)
    def post(self, request: Request) -> Response:
        calendar = create_calendar(actor=self.user, at=timezone.now(), **self.read(NewCalendar))
        return self.one(WorkCalendar.objects.all(), 201, pk=calendar.pk)


class CalendarDetail(Endpoint):
    policy = {"GET": "methodology.view", "PATCH": "methodology.edit", "DELETE": "methodology.edit"}
    serializer_class = CalendarSerializer

    @extend_schema(summary="Read a calendar")
    def get(self, request: Request, key: str) -> Response:
        return self.one(WorkCalendar.objects.all(), key=key)

    @extend_schema(
        summary="Change a calendar of the workspace's own",
        description="A methodology's calendar is set on the methodology page.",
        request=CalendarRecord,
    )
    def patch(self, request: Request, key: str) -> Response:
        values = self.read(CalendarRecord, partial=True)
        update_calendar(get_object_or_404(WorkCalendar, key=key), actor=self.user, at=timezone.now(), **values)
        return self.one(WorkCalendar.objects.all(), key=key)

    @extend_schema(summary="Remove a calendar of the workspace's own")
    def delete(self, request: Request, key: str) -> Response:
        delete_calendar(get_object_or_404(WorkCalendar, key=key), actor=self.user, at=timezone.now())
        return Response(status=204)


MOMENT = {**TEXT, "format": "date-time"}
CALCULATION = {
    "type": "object",
    "properties": {
        "calendar": {"oneOf": [DEFINITION, {**TEXT, "description": "The key of a stored calendar"}]},
        "operation": {**TEXT, "enum": list(OPERATIONS)},
        "start": MOMENT,
        "end": MOMENT,
        "at": MOMENT,
        "minutes": {"type": ["number", "string"]},
    },
    "required": ["calendar", "operation"],
}


class CalculationSerializer(serializers.Serializer):
    """add and next_open answer at, between minutes and seconds, is_open open."""

    at = serializers.DateTimeField(required=False)
    minutes = serializers.FloatField(required=False)
    seconds = serializers.FloatField(required=False)
    open = serializers.BooleanField(required=False)


class Calculate(Endpoint):
    policy = {"POST": "methodology.view"}

    @extend_schema(
        summary="Calculate with working time",
        description="What-if: nothing is stored. add takes start and minutes (negative goes back), between takes start "
        "and end, next_open and is_open take at. A budget that ends exactly at closing is due at closing.",
        request={"application/json": CALCULATION},
        responses=CalculationSerializer,
    )
    def post(self, request: Request) -> Response:
        self.refuse_parameters()
        body = self.body
        if unknown := sorted(body.keys() - CALCULATION["properties"].keys()):
            raise invalid(*(FieldError(name[:60], "unknown_field", "There is no such field.") for name in unknown))
        operation = body.get("operation")
        run = _OPERATIONS.get(operation) if isinstance(operation, str) else None
        if run is None:
            raise invalid(FieldError("operation", "choice", f"One of {', '.join(OPERATIONS)}."))
        calendar = read_definition(body.get("calendar"))
        try:
            return Response(run(calendar, body))
        except NoWorkingTime as error:
            raise invalid(FieldError("calendar", "no_working_time", f"{str(error).capitalize()}.")) from error


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


def read_definition(definition: Any) -> Calendar:
    """The calendar of the body: a definition, or the key of a stored one. Raises Problem 422."""
    if isinstance(definition, str):
        stored = WorkCalendar.objects.filter(key=definition).first()
        if stored is None:
            raise invalid(FieldError("calendar", "unknown", "There is no calendar with this key."))
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
    try:
        moment: datetime = OffsetMomentField().run_validation(body.get(name))
    except serializers.ValidationError as error:
        raise serializers.ValidationError({name: error.detail}) from error
    return moment


def _minutes(raw: Any) -> Decimal:
    """Minutes, perhaps fractional or negative. Raises Problem 422."""
    try:
        value = (
            Decimal(str(raw)) if isinstance(raw, int | float | str | Decimal) and not isinstance(raw, bool) else None
        )
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value) > MOST_MINUTES:
        raise invalid(FieldError("minutes", "number", f"A number of at most {MOST_MINUTES} minutes."))
    return value


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


urlpatterns = [
    path("support/calendars/", CalendarList.as_view(), name="calendar-list"),
    path("support/calendars/calculate/", Calculate.as_view(), name="calendar-calculate"),
    path("support/calendars/<slug:key>/", CalendarDetail.as_view(), name="calendar-detail"),
]
