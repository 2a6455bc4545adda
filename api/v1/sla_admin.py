"""``support``: versions of service levels, what a change would move, days off, clock settings and recounts."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import WorkCalendar
from api.schema import IF_MATCH
from api.serializers import QuerySerializer, RowSerializer
from api.v1.calendars import CalendarRecord, read_definition
from api.v1.sla import PolicyPatch, PolicySerializer, body_of, policy_of
from api.views import Endpoint
from businesstime.findings import oddities
from support import actions
from support.choices import Channel
from support.models import DeadlineRun, HolidayList, SlaPolicy, SlaPolicyVersion
from support.queries import service_levels
from support.queries.preview import Preview
from support.trying import preview_calendar, preview_holidays, preview_policy

DAYS = serializers.ListField(child=serializers.CharField(max_length=10), default=list, max_length=500)


class PreviewAnswer(serializers.Serializer):
    """How many open deadlines of how many tickets were looked at, and what would become of them."""

    tickets = serializers.IntegerField()
    deadlines = serializers.IntegerField()
    moved = serializers.IntegerField()
    earlier = serializers.IntegerField()
    later = serializers.IntegerField()
    begun = serializers.IntegerField(help_text="Newly promised")
    ended = serializers.IntegerField(help_text="No longer promised")
    newly_late = serializers.IntegerField()
    stuck = serializers.IntegerField(help_text="Tickets whose calendar does not hold the time promised")
    left_out = serializers.IntegerField(help_text="Tickets that are due later and were not looked at")
    examples = serializers.ListField(child=serializers.DictField())


def previewed(found: Preview) -> Response:
    """The answer about a change that was tried."""
    counts = {name: getattr(found, name) for name in PreviewAnswer().fields if name != "examples"}
    examples = [
        {
            "ticket": str(each.ticket.pk), "number": each.ticket.number, "clock": each.clock,
            "before": each.before.isoformat() if each.before else None,
            "after": each.after.isoformat() if each.after else None,
        }
        for each in found.examples
    ]  # fmt: skip
    return Response({**counts, "examples": examples})


class PolicyVersionSerializer(RowSerializer):
    class Meta:
        model = SlaPolicyVersion
        fields = "number calendar tier_calendars rules escalate_at_pct warn_at pause_on created_at created_by".split()
        paths = {"calendar": "calendar__key", "created_by": "created_by__email"}


class VersionList(Endpoint):
    policy = {"GET": "tickets.view"}
    serializer_class = PolicyVersionSerializer
    ordering_fields = {"number": "number"}
    ordering = "-number"

    @extend_schema(summary="What a service level promised, version by version")
    def get(self, request: Request, key: str) -> Response:
        return self.page(SlaPolicyVersion.objects.filter(policy=policy_of(key), **self.query))


class VersionNumber(serializers.Serializer):
    """A version, by its number."""

    number = serializers.IntegerField(min_value=1, max_value=32_000)


class PolicyRestore(Endpoint):
    policy = {"POST": "support.configure"}
    serializer_class = PolicySerializer

    @extend_schema(
        summary="Promise again what an earlier version did",
        description="It becomes a new version; open deadlines move to it within a minute.",
        request=VersionNumber,
        responses={200: PolicySerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        found = policy_of(key)
        number = body_of(self, VersionNumber)["number"]
        actions.restore_policy(found, number, actor=self.user, at=timezone.now())
        return self.one(SlaPolicy.objects.all(), key=key)


class PolicyPreview(Endpoint):
    policy = {"POST": "support.configure"}

    @extend_schema(
        summary="Which open deadlines a change of a service level would move",
        description="Takes what a change takes. Nothing is stored.",
        request=PolicyPatch,
        responses={200: PreviewAnswer},
    )
    def post(self, request: Request, key: str) -> Response:
        found = policy_of(key)
        return previewed(preview_policy(found, body_of(self, PolicyPatch, partial=True), at=timezone.now()))


class CalendarPreview(Endpoint):
    policy = {"POST": "methodology.edit"}

    @extend_schema(
        summary="Which open deadlines a change of a calendar would move",
        description="Takes what a change takes. Nothing is stored; oddities are gaps nobody may have meant.",
        request=CalendarRecord,
        responses={200: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, key: str) -> Response:
        row = get_object_or_404(WorkCalendar, key=key)
        values = self.read(CalendarRecord, partial=True)
        calendar = read_definition(values.get("definition", row.definition))
        answer = previewed(preview_calendar(row, values, at=timezone.now()))
        return Response({**answer.data, "oddities": oddities(calendar.rules)})


class HolidaySerializer(RowSerializer):
    calendars = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="That observe it")

    class Meta:
        model = HolidayList
        fields = "id key name country subdivision days removed calendars version".split()
        extended = ("calendars",)
        versioned = True

    def extend(self, rows: Any) -> None:
        """Put the calendars on every row. One query."""
        found: dict[Any, list[str]] = defaultdict(list)
        pairs = HolidayList.calendars.through.objects.filter(holidaylist__in=[row["_pk"] for row in rows])
        for key, calendar in pairs.order_by("workcalendar__key").values_list("holidaylist", "workcalendar__key"):
            found[key].append(calendar)
        for row in rows:
            row["calendars"] = found[row["_pk"]]


class HolidayBody(serializers.Serializer):
    """Days off: of a country, and of one's own (YYYY-MM-DD, or MM-DD each year)."""

    key = serializers.SlugField(max_length=60, required=False)
    name = serializers.CharField(max_length=120)
    country = serializers.CharField(max_length=2, default="", allow_blank=True, help_text="ISO 3166")
    subdivision = serializers.CharField(max_length=10, default="", allow_blank=True)
    days = DAYS
    removed = serializers.ListField(
        child=serializers.CharField(max_length=10), default=list, max_length=500, help_text="Worked all the same"
    )
    calendars = serializers.SlugRelatedField(
        slug_field="key", queryset=WorkCalendar.objects.none(), many=True, default=list
    )

    def get_fields(self) -> dict[str, Any]:
        """The calendars of the workspace that asks."""
        found = super().get_fields()
        found["calendars"].child_relation.queryset = WorkCalendar.objects.all()
        return found


class HolidayPatch(HolidayBody):
    """What of a list can be changed; its key stays."""

    key = None


class HolidayLists(Endpoint):
    policy = {"GET": "tickets.view", "POST": "support.configure"}
    serializer_class = HolidaySerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List days off")
    def get(self, request: Request) -> Response:
        return self.page(HolidayList.objects.filter(**self.query))

    @extend_schema(summary="Add a list of days off", request=HolidayBody)
    def post(self, request: Request) -> Response:
        row = actions.save_holidays(None, actor=self.user, at=timezone.now(), **body_of(self, HolidayBody))
        return self.one(HolidayList.objects.all(), 201, pk=row.pk)


class HolidayDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure", "DELETE": "support.configure"}
    serializer_class = HolidaySerializer

    @extend_schema(summary="Read a list of days off")
    def get(self, request: Request, list_id: UUID) -> Response:
        return self.one(HolidayList.objects.all(), pk=list_id)

    @extend_schema(summary="Change a list of days off", request=HolidayPatch, parameters=[IF_MATCH])
    def patch(self, request: Request, list_id: UUID) -> Response:
        row = get_object_or_404(HolidayList, pk=list_id)
        values = _with(row, body_of(self, HolidayPatch, partial=True))
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.save_holidays(row, **values, **given)
        return self.one(HolidayList.objects.all(), pk=list_id)

    @extend_schema(summary="Remove a list of days off")
    def delete(self, request: Request, list_id: UUID) -> Response:
        row = get_object_or_404(HolidayList, pk=list_id)
        actions.retire_holidays(row, actor=self.user, at=timezone.now())
        return Response(status=204)


class HolidayPreview(Endpoint):
    policy = {"POST": "support.configure"}

    @extend_schema(
        summary="Which open deadlines a change of days off would move",
        request=HolidayPatch,
        responses={200: PreviewAnswer},
    )
    def post(self, request: Request, list_id: UUID) -> Response:
        row = get_object_or_404(HolidayList, pk=list_id)
        values = _with(row, body_of(self, HolidayPatch, partial=True))
        return previewed(preview_holidays(row, values, at=timezone.now()))


def _with(row: HolidayList, changes: dict[str, Any]) -> dict[str, Any]:
    kept = {name: getattr(row, name) for name in ("name", "country", "subdivision", "days", "removed")}
    return kept | {"calendars": list(row.calendars.all())} | changes


class ClockSettingsBody(serializers.Serializer):
    """When clocks wait, go on, warn and end, where a service level says nothing else."""

    pause_on_customer = serializers.BooleanField()
    pause_on_vendor = serializers.BooleanField()
    reopen_days = serializers.IntegerField(min_value=0, max_value=365)
    close_after_days = serializers.IntegerField(min_value=0, max_value=365)
    remind_after_days = serializers.IntegerField(min_value=0, max_value=365, help_text="0: never")
    solve_after_days = serializers.IntegerField(min_value=0, max_value=365, help_text="0: never")
    warn_at = serializers.ListField(child=serializers.CharField(max_length=8), max_length=8)
    customers_see_deadlines = serializers.BooleanField()


class ClockSettings(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure"}

    @extend_schema(summary="When clocks wait, go on, warn and end", responses=ClockSettingsBody)
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        return self._told()

    @extend_schema(summary="Change when clocks wait, go on, warn and end", request=ClockSettingsBody,
                   responses=ClockSettingsBody)  # fmt: skip
    def patch(self, request: Request) -> Response:
        values = body_of(self, ClockSettingsBody, partial=True)
        actions.configure_clocks(values, actor=self.user, at=timezone.now())
        return self._told()

    @staticmethod
    def _told() -> Response:
        row = actions.settings_shown()
        return Response({name: getattr(row, name) for name in ClockSettingsBody().fields})


class RecountSerializer(RowSerializer):
    class Meta:
        model = DeadlineRun
        fields = "id reason started_at total done changed finished_at".split()


class Recounts(Endpoint):
    policy = {"GET": "tickets.view"}
    serializer_class = RecountSerializer
    ordering_fields = {"started_at": "started_at"}
    ordering = "-started_at"

    @extend_schema(summary="How far open deadlines are counted again, and the last times")
    def get(self, request: Request) -> Response:
        return self.page(DeadlineRun.objects.filter(**self.query))


class MatrixQuery(QuerySerializer):
    channel = serializers.ChoiceField(Channel.choices)


class PolicyMatrix(Endpoint):
    policy = {"GET": "tickets.view"}
    query_class = MatrixQuery

    @extend_schema(
        summary="What a new ticket of each tier and severity is promised now",
        parameters=[MatrixQuery],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        rows = service_levels.matrix(self.query.get("channel", Channel.EMAIL.value))
        return Response({"results": [
            {
                "tier": tier.key if tier else None, "severity": cell.severity or None,
                "policies": [policy.key for policy in cell.policies], "rules": cell.rules,
            }
            for tier, cells in rows for cell in cells
        ]})  # fmt: skip


urlpatterns = [
    path("support/sla-matrix/", PolicyMatrix.as_view(), name="sla-matrix"),
    path("support/sla-policies/<slug:key>/versions/", VersionList.as_view(), name="sla-policy-versions"),
    path("support/sla-policies/<slug:key>/restore/", PolicyRestore.as_view(), name="sla-policy-restore"),
    path("support/sla-policies/<slug:key>/preview/", PolicyPreview.as_view(), name="sla-policy-preview"),
    path("support/calendars/<slug:key>/preview/", CalendarPreview.as_view(), name="calendar-preview"),
    path("support/holiday-lists/", HolidayLists.as_view(), name="holiday-list"),
    path("support/holiday-lists/<uuid:list_id>/", HolidayDetail.as_view(), name="holiday-detail"),
    path("support/holiday-lists/<uuid:list_id>/preview/", HolidayPreview.as_view(), name="holiday-preview"),
    path("support/clock-settings/", ClockSettings.as_view(), name="clock-settings"),
    path("support/recounts/", Recounts.as_view(), name="recounts"),
]
