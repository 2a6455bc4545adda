"""``health/scores``, ``health/overrides`` and what belongs to one account: health, history, receipt, events, KPIs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Value
from django.db.models.functions import NullIf
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, identifier, moment, text
from accounts.queries.workspace import workspace_day
from api.problems import bad_parameter
from api.scope import editable_account, visible_account
from api.serializers import DayField, QuerySerializer, RowSerializer, invalid, record
from api.views import Endpoint
from health.actions import clear_override, record_event, set_override, snooze_trigger
from health.choices import Rag
from health.models import AccountHealth, HealthEvent, HealthOverride, Trigger
from health.queries.kpis import kpi_readings
from health.queries.receipts import receipt_json, receipt_of
from health.queries.scores import health_of, score_series

_OVERRIDE = {
    "account": text(36, required=True, help="The account's id"),
    "band": text(60, required=True, help="A band of the account's scorecard"),
    "reason": text(500, required=True),
    "expires_at": moment(required=True, help="At most 180 days ahead"),
}
NewOverride = record("NewOverride", _OVERRIDE)
NewEvent = record(
    "NewHealthEvent",
    {
        "event": text(80, required=True, help="As triggers name it: competitor_mentioned, churn_threat, qbr"),
        "at": moment(help="When it happened; now if absent"),
        "note": text(500),
    },
)
SnoozedTrigger = record("SnoozedTrigger", {"until": moment(required=True), "reason": text(500, required=True)})


def _decimal(help_text: str = "") -> serializers.DecimalField:
    return serializers.DecimalField(None, None, allow_null=True, help_text=help_text)


class HealthSerializer(serializers.Serializer):
    score = _decimal("Null under half coverage")
    shown = _decimal("One decimal, as people see it")
    band = serializers.CharField(allow_null=True)
    band_name = serializers.CharField(allow_null=True)
    colour = serializers.ChoiceField(Rag.values[:4], allow_null=True)
    coverage_pct = serializers.DecimalField(None, None)
    as_of = serializers.DateTimeField(allow_null=True)
    scorecard = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    dimensions = serializers.ListField(child=serializers.DictField())
    previous = _decimal("The score before the last change")
    change = _decimal("Against previous")
    override = serializers.DictField(allow_null=True)


class PointSerializer(serializers.Serializer):
    on = serializers.DateField()
    score = _decimal()
    shown = _decimal()
    band = serializers.CharField(allow_null=True)


class HistorySerializer(serializers.Serializer):
    results = PointSerializer(many=True)


class KpiSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    category = serializers.CharField()
    definition = serializers.CharField()
    frequency = serializers.CharField()
    owner_role = serializers.CharField()
    unit = serializers.CharField()
    op = serializers.CharField(allow_null=True)
    target = _decimal()
    value = _decimal()
    observed_at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField(allow_null=True)
    met = serializers.BooleanField(allow_null=True)
    overdue = serializers.BooleanField()


class KpisSerializer(serializers.Serializer):
    results = KpiSerializer(many=True)


class ScoreSerializer(RowSerializer):
    colour = serializers.ChoiceField(Rag.values[:4], allow_null=True, read_only=True)

    class Meta:
        model = AccountHealth
        fields = """account name score shown band colour current_band coverage_pct scorecard version previous
            change_30_days band_since as_of""".split()
        paths = {
            "name": "account__name",
            "scorecard": "scorecard_key",
            "version": "version__number",
            "previous": "previous_score",
            "change_30_days": "change_30d",
            "band_since": "band_since_on",
            "as_of": "computed_at",
        }
        blank_as_null = ("band", "current_band")


class OverrideSerializer(RowSerializer):
    class Meta:
        model = HealthOverride
        fields = """id account band band_name colour reason author computed_score computed_band created_at expires_at
            ended_at ended_by""".split()
        paths = {"colour": "rag", "author": "author__email", "ended_by": "ended_by__email"}
        blank_as_null = ("computed_band",)


class EventSerializer(RowSerializer):
    class Meta:
        model = HealthEvent
        fields = ["id", "event", "at", "data", "actor", "recorded_at"]
        paths = {"event": "key", "actor": "actor__email"}


class AccountHealthDetail(Endpoint):
    policy = {"GET": "health.view"}

    @extend_schema(
        summary="Health of an account",
        description="The score with its evidence: inputs, levels, points, ages. No score below half coverage.",
        responses=HealthSerializer,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        self.refuse_parameters()
        return Response(health_of(visible_account(self.user, account_id)))


class HistoryQuery(QuerySerializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        """From and to, the first of which is Python's own word."""
        found = {"from": DayField(help_text="90 days ago if absent"), "to": DayField(help_text="Today if absent")}
        for field in found.values():
            field.required = False
        return found


class AccountHealthHistory(Endpoint):
    policy = {"GET": "health.view"}
    query_class = HistoryQuery

    @extend_schema(
        summary="Scores of an account over time",
        description="A day between two points has the earlier one's score.",
        responses=HistorySerializer,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        query = self.query
        account = visible_account(self.user, account_id)
        end = query.get("to") or workspace_day(timezone.now())
        start = query.get("from") or end - timedelta(days=90)
        if start > end or (end - start).days > 1100:
            raise bad_parameter("from", "a day before to, at most three years.")
        points = [
            {"on": point.on, "score": point.score, "shown": point.shown, "band": point.band or None}
            for point in score_series(account.pk, start=start, end=end)
        ]
        return Response({"results": points})


class ReceiptQuery(QuerySerializer):
    on = DayField(help_text="The score of that day; now if absent")
    since = DayField(help_text="What changed from that day")


class AccountReceipt(Endpoint):
    policy = {"GET": "health.view"}
    query_class = ReceiptQuery

    @extend_schema(
        summary="Receipt of a score",
        description="Everything needed to work the score out again, the definition included, with a digest.",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        query = self.query
        account = visible_account(self.user, account_id)
        receipt = receipt_of(account, on=query.get("on"), since=query.get("since"))
        if receipt is None:
            raise Http404
        return Response(receipt_json(receipt))


class AccountEvents(Endpoint):
    policy = {"GET": "health.view", "POST": "accounts.edit"}
    serializer_class = EventSerializer
    ordering_fields = {"id": "pk", "at": "at"}
    ordering = "-at"

    @extend_schema(summary="Events triggers wait for")
    def get(self, request: Request, account_id: UUID) -> Response:
        account = visible_account(self.user, account_id)
        return self.page(HealthEvent.objects.filter(account=account, **self.query))

    @extend_schema(
        summary="Record an event triggers wait for",
        request=NewEvent,
        examples=[OpenApiExample("Event", {"event": "competitor_mentioned", "note": "Rivalsoft"}, request_only=True)],
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        account = editable_account(self.user, account_id)
        values = self.read(NewEvent)
        now = timezone.now()
        data = {"note": values["note"]} if values.get("note") else {}
        event = record_event(account, values["event"], values.get("at") or now, data, actor=self.user, now=now)
        return self.one(HealthEvent.objects.all(), 201, pk=event.pk)


class SnoozeSerializer(serializers.Serializer):
    trigger = serializers.CharField()
    snoozed_until = serializers.DateTimeField()
    reason = serializers.CharField()


class AccountTriggerSnooze(Endpoint):
    policy = {"POST": "ctas.work"}

    @extend_schema(
        summary="Snooze a trigger on an account",
        description="It stays quiet until then and fires if its condition still holds.",
        request=SnoozedTrigger,
        responses=SnoozeSerializer,
    )
    def post(self, request: Request, account_id: UUID, key: str) -> Response:
        account, trigger = editable_account(self.user, account_id), get_object_or_404(Trigger, key=key)
        state = snooze_trigger(account, trigger, actor=self.user, at=timezone.now(), **self.read(SnoozedTrigger))
        return Response({"trigger": trigger.key, "snoozed_until": state.snoozed_until, "reason": state.snooze_reason})


class AccountKpis(Endpoint):
    policy = {"GET": "health.view"}

    @extend_schema(summary="KPIs of an account against their targets", responses=KpisSerializer)
    def get(self, request: Request, account_id: UUID) -> Response:
        self.refuse_parameters()
        account = visible_account(self.user, account_id)
        readings = kpi_readings(account.pk, on=workspace_day(timezone.now()))
        return Response({"results": [_kpi(reading) for reading in readings]})


def _kpi(reading: Any) -> dict[str, Any]:
    kpi = reading.kpi
    return {
        "key": kpi.key,
        "name": kpi.name,
        "category": kpi.category,
        "definition": kpi.data.get("definition", ""),
        "frequency": kpi.frequency,
        "owner_role": kpi.owner_role,
        "unit": kpi.unit,
        "op": kpi.op,
        "target": None if kpi.target is None else f"{kpi.target.normalize():f}",
        "value": None if reading.value is None else f"{reading.value:f}",
        "observed_at": reading.observed_at,
        "source": reading.source or None,
        "met": reading.is_met,
        "overdue": reading.is_overdue,
    }


class ScoreQuery(QuerySerializer):
    account = serializers.UUIDField()
    band = serializers.CharField(help_text="The computed band")
    colour = serializers.ChoiceField(Rag.choices, source="current_rag")
    scorecard = serializers.CharField(source="scorecard_key")


class ScoreList(Endpoint):
    policy = {"GET": "health.view"}
    serializer_class = ScoreSerializer
    query_class = ScoreQuery
    ordering_fields = {"id": "pk", "score": "score", "change_30_days": "change_30d", "name": "account__name"}
    ordering = "id"

    @extend_schema(summary="Current scores, one an account")
    def get(self, request: Request) -> Response:
        rows = AccountHealth.objects.visible_to(self.user).filter(**self.query)
        return self.page(rows.annotate(colour=NullIf(F("rag"), Value(Rag.NONE.value))))


class OverrideQuery(QuerySerializer):
    account = serializers.UUIDField()
    standing = serializers.BooleanField(source="ended_at__isnull")


class OverrideList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.override"}
    serializer_class = OverrideSerializer
    query_class = OverrideQuery
    ordering_fields = {"id": "pk", "created_at": "created_at", "expires_at": "expires_at"}
    ordering = "-created_at"

    @extend_schema(summary="Overrides")
    def get(self, request: Request) -> Response:
        return self.page(HealthOverride.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(
        summary="Override the band of an account",
        description="The computed score stays visible. An override that stood before is ended.",
        request=NewOverride,
    )
    def post(self, request: Request) -> Response:
        account_id = identifier(self.body.get("account"))
        if account_id is None:
            raise invalid(FieldError("account", "account", "account must be an account's id."))
        account = editable_account(self.user, account_id)
        values = self.read(NewOverride)
        del values["account"]
        override = set_override(account, actor=self.user, at=timezone.now(), **values)
        return self.one(HealthOverride.objects.all(), 201, pk=override.pk)


class OverrideDetail(Endpoint):
    policy = {"GET": "health.view", "DELETE": "health.override"}
    serializer_class = OverrideSerializer

    @extend_schema(summary="Read an override")
    def get(self, request: Request, override_id: UUID) -> Response:
        return self.one(HealthOverride.objects.visible_to(self.user), pk=override_id)

    @extend_schema(summary="End an override", description="It stays in the list with its end.")
    def delete(self, request: Request, override_id: UUID) -> Response:
        override = HealthOverride.objects.visible_to(self.user).filter(pk=override_id).first()
        if override is None:
            raise Http404
        account = editable_account(self.user, override.account_id)
        if override.ended_at is None:
            clear_override(account, actor=self.user, at=timezone.now())
        return Response(status=204)


urlpatterns = [
    path("accounts/<uuid:account_id>/health/", AccountHealthDetail.as_view(), name="account-health"),
    path("accounts/<uuid:account_id>/health/history/", AccountHealthHistory.as_view(), name="account-health-history"),
    path("accounts/<uuid:account_id>/health/events/", AccountEvents.as_view(), name="account-health-events"),
    path("accounts/<uuid:account_id>/receipt/", AccountReceipt.as_view(), name="account-receipt"),
    path("accounts/<uuid:account_id>/kpis/", AccountKpis.as_view(), name="account-kpis"),
    path(
        "accounts/<uuid:account_id>/triggers/<slug:key>/snooze/",
        AccountTriggerSnooze.as_view(),
        name="account-trigger-snooze",
    ),
    path("health/scores/", ScoreList.as_view(), name="score-list"),
    path("health/overrides/", OverrideList.as_view(), name="override-list"),
    path("health/overrides/<uuid:override_id>/", OverrideDetail.as_view(), name="override-detail"),
]
