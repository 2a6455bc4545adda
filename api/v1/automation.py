"""``health/triggers/{key}/draft`` and ``dry-run``, ``health/dry-runs`` and what the checker finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import whole
from accounts.models import Account
from api.serializers import RowSerializer, record
from api.v1.scorecards import DefinitionSerializer, refused
from api.views import Endpoint
from health.actions import activate_draft, discard_draft_of, draft_trigger
from health.actions.dry_runs import start_dry_run
from health.choices import DryRunState, Firing
from health.errors import DefinitionRefused
from health.models import DryRun, Trigger
from health.models.automation import MOST_DAYS
from health.queries.vocabulary import checked, vocabulary

MOST_ROWS = 10_000
DryRunRecord = record("DryRunRecord", {"days": replace(whole(1, MOST_DAYS), help="Ahead; 90 if absent")})


class DryRunSerializer(RowSerializer):
    class Meta:
        model = DryRun
        fields = ["id", "trigger", "days", "day", "start_at", "state", "message", "created_at", "finished_at"]
        paths = {"trigger": "trigger__key"}


class DryRunDetailSerializer(DryRunSerializer):
    class Meta(DryRunSerializer.Meta):
        fields = [*DryRunSerializer.Meta.fields, "result"]


class TriggerDraftSerializer(RowSerializer):
    class Meta:
        model = Trigger
        fields = ["key", "name", "is_enabled", "draft", "draft_at"]


class FiringRowSerializer(serializers.Serializer):
    day = serializers.IntegerField(help_text="Counted from start_at, which is day 0")
    account = serializers.UUIDField()
    trigger = serializers.CharField()
    outcome = serializers.ChoiceField(Firing.choices)
    owner = serializers.CharField(help_text="Mail address of who gets the CTA, or empty")
    due_at = serializers.DateTimeField(allow_null=True, help_text="End of the quiet hours it fires in")
    evidence = serializers.DictField()


class FiringRowsSerializer(serializers.Serializer):
    results = FiringRowSerializer(many=True)
    left_out = serializers.IntegerField()


class FindingSerializer(serializers.Serializer):
    code = serializers.ChoiceField(["loop", "never", "overlap", "gap", "unknown"])
    severity = serializers.ChoiceField(["error", "warning"])
    triggers = serializers.ListField(child=serializers.CharField())
    message = serializers.CharField()


class FindingsSerializer(serializers.Serializer):
    results = FindingSerializer(many=True)


def _answer(found: list[Any]) -> Response:
    return Response({"results": [{**each._asdict(), "triggers": list(each.triggers)} for each in found]})


class TriggerFindings(Endpoint):
    policy = {"GET": "health.view"}

    @extend_schema(
        summary="What the checker finds between the triggers that are on",
        description="Loops, rules that can never fire, overlaps, band gaps, and what they name that is not there.",
        responses=FindingsSerializer,
    )
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        return _answer(checked(vocabulary()))


class TriggerDraft(Endpoint):
    policy = {"GET": "health.view", "PUT": "health.configure", "POST": "health.configure", "DELETE": "health.configure"}
    serializer_class = TriggerDraftSerializer

    @extend_schema(summary="Read the draft of a trigger")
    def get(self, request: Request, key: str) -> Response:
        return self.one(Trigger.objects.all(), key=key)

    @extend_schema(
        summary="Keep a draft of a trigger",
        description="Nothing fires by it before it is put in force.",
        request=DefinitionSerializer,
    )
    def put(self, request: Request, key: str) -> Response:
        trigger = get_object_or_404(Trigger, key=key)
        try:
            draft_trigger(trigger, actor=self.user, at=timezone.now(), **self.read(DefinitionSerializer))
        except DefinitionRefused as error:
            raise refused(error) from error
        return self.one(Trigger.objects.all(), key=key)

    @extend_schema(summary="Put the draft of a trigger in force")
    def post(self, request: Request, key: str) -> Response:
        activate_draft(get_object_or_404(Trigger, key=key), actor=self.user, at=timezone.now())
        return self.one(Trigger.objects.all(), key=key)

    @extend_schema(summary="Discard the draft of a trigger", description="One that was never in force goes with it.")
    def delete(self, request: Request, key: str) -> Response:
        discard_draft_of(get_object_or_404(Trigger, key=key), actor=self.user, at=timezone.now())
        return Response(status=204)


class TriggerDryRun(Endpoint):
    policy = {"POST": "health.configure"}
    serializer_class = DryRunSerializer

    @extend_schema(
        summary="Try a trigger over every account and the days ahead",
        description="Its draft, else its newest version, with the triggers that are on. Read the dry run until its "
        "state is done. Nothing but the report is stored.",
        request=DryRunRecord,
        responses={201: DryRunSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        trigger = get_object_or_404(Trigger, key=key)
        days = self.read(DryRunRecord).get("days") or MOST_DAYS
        asked = start_dry_run(trigger, days=days, actor=self.user, at=timezone.now())
        return self.one(_runs(), 201, pk=asked.pk)


def _runs() -> QuerySet[DryRun]:
    return DryRun.objects.all()


class DryRunList(Endpoint):
    policy = {"GET": "health.configure"}
    serializer_class = DryRunSerializer
    ordering_fields = {"created_at": "created_at"}
    ordering = "-created_at"

    @extend_schema(summary="List dry runs")
    def get(self, request: Request) -> Response:
        return self.page(_runs().filter(**self.query))


class DryRunDetail(Endpoint):
    policy = {"GET": "health.configure"}
    serializer_class = DryRunDetailSerializer

    @extend_schema(
        summary="Read a dry run",
        description="result is null until state is done: CTAs by trigger, owner and day; what is held back and why.",
    )
    def get(self, request: Request, dry_run_id: UUID) -> Response:
        return self.one(_runs(), pk=dry_run_id)


class DryRunFirings(Endpoint):
    policy = {"GET": "health.configure"}

    @extend_schema(summary="Who would get what, when", description="With the evidence.", responses=FiringRowsSerializer)
    def get(self, request: Request, dry_run_id: UUID) -> Response:
        self.refuse_parameters()
        asked = get_object_or_404(DryRun, pk=dry_run_id)
        if asked.state != DryRunState.DONE or asked.rows is None:
            raise Http404
        seen = {str(key) for key in Account.objects.visible_to(self.user).values_list("pk", flat=True)}
        rows = [row for row in asked.rows if row["account"] in seen]
        return Response({"results": rows[:MOST_ROWS], "left_out": max(len(rows) - MOST_ROWS, 0)})


urlpatterns = [
    path("health/trigger-findings/", TriggerFindings.as_view(), name="findings"),
    path("health/triggers/<slug:key>/draft/", TriggerDraft.as_view(), name="trigger-draft"),
    path("health/triggers/<slug:key>/dry-run/", TriggerDryRun.as_view(), name="trigger-dry-run"),
    path("health/dry-runs/", DryRunList.as_view(), name="dry-run-list"),
    path("health/dry-runs/<uuid:dry_run_id>/", DryRunDetail.as_view(), name="dry-run"),
    path("health/dry-runs/<uuid:dry_run_id>/firings/", DryRunFirings.as_view(), name="dry-run-firings"),
]
