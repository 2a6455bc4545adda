"""Usage in: events and metric values, the receipts of their batches, metric definitions, an account's figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.choices import LEADER_ROLES
from accounts.errors import QuotaReached
from accounts.fields import Field, Unreadable, choice, read_number, text
from accounts.models import Account
from api.parsers import RawJSONParser
from api.problems import Problem, error_at
from api.serializers import DayField, QuerySerializer, RowSerializer, record
from api.views import Endpoint
from tenants.quotas import seconds_to_next_day
from usage import intake, queries
from usage.actions import define_metric, receive_metrics, store_events
from usage.choices import Aggregation, MetricKind
from usage.models import IngestReceipt, MetricDefinition, MetricValue
from usage.tasks import nudge


# What the intake reads: described here, decoded there in one pass.
class EventSerializer(serializers.Serializer):
    id = serializers.CharField(max_length=200, help_text="Yours; with at and source it counts once")
    account = serializers.CharField(max_length=120, help_text="Your name for the account, or our key")
    user = serializers.CharField(
        max_length=200, required=False, allow_null=True, help_text="Who did it, by your name for them"
    )
    event = serializers.CharField(
        max_length=80, help_text="What was done; the part before the first dot is the feature"
    )
    at = serializers.DateTimeField(help_text="With an offset; within 13 months and at most a day ahead")
    quantity = serializers.IntegerField(
        min_value=1, max_value=intake.MAX_QUANTITY, default=1, help_text="How many times"
    )
    properties = serializers.DictField(
        required=False,
        help_text="Up to 4 KB; platform (ios, android, mobile) and minutes (of a session) are read",
    )


class ObservationSerializer(serializers.Serializer):
    account = serializers.CharField(max_length=120, help_text="Your name for the account, or our key")
    metric = serializers.CharField(max_length=60, help_text="A defined metric's key")
    on = serializers.DateField(help_text="The day it is true of")
    value = serializers.CharField(help_text="A number, as text or number; of a choice the option's key")


class _SourceField(serializers.RegexField):
    def __init__(self, **kwargs: Any) -> None:
        told = "Who sends; the same id from two sources is two events"
        super().__init__(r"[a-z0-9][a-z0-9_.-]{0,39}", default="api", help_text=told)


class EventsSerializer(serializers.Serializer):
    events = serializers.ListField(child=EventSerializer(), max_length=intake.MAX_ITEMS)
    source = _SourceField()


class ObservationsSerializer(serializers.Serializer):
    metrics = serializers.ListField(child=ObservationSerializer(), max_length=intake.MAX_ITEMS)
    source = _SourceField()


class RejectedSerializer(serializers.Serializer):
    index = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    field = serializers.CharField(required=False)


class ReceivedSerializer(serializers.Serializer):
    receipt = serializers.UUIDField()
    received = serializers.IntegerField()
    rejected = RejectedSerializer(many=True)


KINDS_OF_REFUSAL = {"malformed": 400, "too-large": 413, "refused": 422}


class _BatchParser(RawJSONParser):
    """Bytes: the intake decodes and checks in one pass."""

    limit = intake.MAX_BYTES


def read_batch(request: Request, kind: str) -> intake.Batch[Any]:
    """The batch in the body. Raises Problem 415, 413, 400 or 422 when it cannot be read at all."""
    if not request.content_type:
        raise UnsupportedMediaType("", "Send the body as application/json.")
    try:
        return intake.read_body(b"" if request.stream is None else request.data, kind)
    except intake.Refused as refused:
        problem = next(name for name, status in KINDS_OF_REFUSAL.items() if status == refused.status)
        raise Problem(
            problem, refused.detail, errors=[error_at(refused.pointer, refused.code, refused.detail)]
        ) from refused


class UsageEvents(Endpoint):
    policy = {"POST": "usage.ingest"}
    parser_classes = [_BatchParser]

    @extend_schema(
        summary="Send events",
        description="Up to 5,000 a call. Stored before it is answered, counted within seconds, each once: the same id "
        "and at from the same source is one event for as long as events are kept (13 months), and older ones are "
        "refused. The same id with another at is another event. An unknown account's events wait for it.",
        request=EventsSerializer,
        responses={202: ReceivedSerializer},
        examples=[
            OpenApiExample(
                "Events",
                {
                    "events": [
                        {
                            "id": "8f14",
                            "account": "A-2e4581",
                            "user": "u-17",
                            "event": "login",
                            "at": "2026-11-01T09:30:00Z",
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        now = timezone.now()
        try:
            received = store_events(read_batch(request, "events"), at=now)
        except QuotaReached as reached:
            wait = {"Retry-After": str(seconds_to_next_day(now))}
            errors = [error_at("/events", reached.rule, str(reached))]
            raise Problem("rate-limited", str(reached), errors=errors, headers=wait) from reached
        nudge()
        return Response(received.as_json(), 202)


class MetricValueSerializer(RowSerializer):
    value = serializers.CharField(read_only=True)

    class Meta:
        model = MetricValue
        fields = "id account metric on value source recorded_by recorded_at superseded_at".split()


class MetricValueQuery(QuerySerializer):
    account = serializers.UUIDField(help_text="Of this account")
    metric = serializers.CharField(help_text="Of this metric")
    history = serializers.ChoiceField(["0", "1"], help_text="1: replaced values too")

    def get_fields(self) -> dict[str, serializers.Field]:
        """The fields, with two whose names are Python's own words."""
        since = DayField(source="on__gte", help_text="On this day or later")
        until = DayField(source="on__lte", help_text="On this day or earlier")
        since.required = until.required = False
        return super().get_fields() | {"from": since, "to": until}


class UsageMetrics(Endpoint):
    """Metric values: read, and sent in."""

    policy = {"GET": "usage.view", "POST": "usage.write"}
    serializer_class = MetricValueSerializer
    query_class = MetricValueQuery
    parser_classes = [_BatchParser]
    ordering_fields = {"id": "pk", "on": "on", "recorded_at": "recorded_at"}
    ordering = "-on"

    @extend_schema(summary="Metric values")
    def get(self, request: Request) -> Response:
        query = self.query
        rows = queries.values_shown(self.user)
        rows = rows if query.pop("history", "0") == "1" else rows.current()
        return self.page(rows.filter(**query))

    @extend_schema(
        summary="Send metric values",
        description="Up to 5,000 a call. A later value for the same account, metric and day replaces the earlier one; "
        "both stay in the history. Unknown accounts' values wait for them.",
        request=ObservationsSerializer,
        responses={202: ReceivedSerializer},
        examples=[
            OpenApiExample(
                "Metrics",
                {
                    "metrics": [
                        {"account": "A-2e4581", "metric": "data_accuracy_pct", "on": "2026-11-01", "value": "92"}
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        batch = read_batch(request, "metrics")
        received = receive_metrics(batch, at=timezone.now(), actor=self.user, only_accounts=self._narrowing())
        return Response(received.as_json(), 202)

    def _narrowing(self) -> Any:
        """Whoever leads may state anything, also of accounts still to come; others of accounts they may change."""
        if self.user.role in LEADER_ROLES:
            return None
        mine = Account.objects.editable_by(self.user)
        return lambda keys: set(mine.filter(pk__in=keys).values_list("pk", flat=True))


class ReceiptSerializer(serializers.Serializer):
    receipt = serializers.UUIDField(source="pk")
    kind = serializers.ChoiceField(["events", "metrics"])
    source = serializers.CharField()
    state = serializers.ChoiceField(["pending", "done"])
    received = serializers.IntegerField()
    accepted = serializers.IntegerField(help_text="Counted")
    duplicates = serializers.IntegerField(help_text="Counted before")
    parked = serializers.IntegerField(help_text="Wait for their account")
    rejected = serializers.IntegerField()
    errors = serializers.ListField(child=RejectedSerializer(), max_length=100)


class UsageReceipt(Endpoint):
    policy = {"GET": "usage.view"}

    @extend_schema(
        summary="What became of a batch",
        description="Done within seconds; received is the sum of the other four.",
        responses=ReceiptSerializer,
    )
    def get(self, request: Request, receipt: UUID) -> Response:
        self.refuse_parameters()
        return Response(ReceiptSerializer(IngestReceipt.objects.get(pk=receipt)).data)


class MetricDefinitionSerializer(RowSerializer):
    class Meta:
        model = MetricDefinition
        fields = "key name description unit kind options lowest highest aggregation pack".split()


def _words(limit: int, *, required: bool = False) -> Field:
    """Text that is text: a number is no name."""
    known = text(limit, required=required)

    def read(raw: Any) -> Any:
        if not isinstance(raw, str):
            raise Unreadable("type", "This must be text.")
        return known.read(raw)

    return replace(known, read=read)


def _options(raw: Any) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(one, str) and 0 < len(one) <= 60 for one in raw):
        raise Unreadable("type", "A list of keys of up to 60 characters.")
    return raw


def _bound(raw: Any) -> Decimal:
    value = read_number(raw)
    if abs(value) >= 10**14:
        raise Unreadable("range", "Of at most 14 digits.")
    return value


_BOUND = Field(_bound, {"type": "string", "format": "decimal"}, nullable=True)
NewMetric = record(
    "NewMetric",
    {
        "key": replace(_words(60, required=True), help="a–z, 0–9 and underscore"),
        "name": _words(120, required=True),
        "description": _words(300),
        "unit": _words(30),
        "kind": choice(MetricKind.values, empty=MetricKind.NUMBER),
        "options": Field(
            _options, {"type": "array", "items": {"type": "string"}}, empty=[], help="The options' keys of a choice"
        ),
        "lowest": _BOUND,
        "highest": _BOUND,
        "aggregation": choice(Aggregation.values, empty=Aggregation.LATEST),
    },
)


class MetricDefinitions(Endpoint):
    """Which metrics may be stated."""

    policy = {"GET": "usage.view", "POST": "methodology.edit"}
    serializer_class = MetricDefinitionSerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "key"

    @extend_schema(summary="Metric definitions")
    def get(self, request: Request) -> Response:
        return self.page(MetricDefinition.objects.filter(**self.query))

    @extend_schema(
        summary="Define a metric", description="The same key again changes its definition.", request=NewMetric
    )
    def post(self, request: Request) -> Response:
        given = self.read(NewMetric)
        row = define_metric(given.pop("key"), actor=self.user, at=timezone.now(), **given)
        return self.one(MetricDefinition.objects.all(), 201, pk=row.pk)


class FiguresQuery(QuerySerializer):
    on = DayField(help_text="Today if absent")


class FigureSerializer(serializers.Serializer):
    value = serializers.JSONField()
    observed_at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField()


class FiguresSerializer(serializers.Serializer):
    account = serializers.UUIDField()
    on = serializers.DateField()
    metrics = serializers.DictField(child=FigureSerializer(), help_text="By the metric's key")


class AccountMetrics(Endpoint):
    policy = {"GET": "usage.view"}
    query_class = FiguresQuery

    @extend_schema(
        summary="An account's metrics as of a day",
        description="Computed from events and stated ones alike, as scores read them.",
        responses=FiguresSerializer,
    )
    def get(self, request: Request, account: UUID) -> Response:
        on = self.query.get("on") or queries.today()
        if not Account.objects.visible_to(self.user).filter(pk=account).exists():
            raise Http404
        found = queries.figures_of(account, on)
        shown = {
            metric: {"value": seen.value, "observed_at": seen.observed_at, "source": seen.source}
            for metric, seen in sorted(found.items())
        }
        return Response({"account": account, "on": on, "metrics": shown})


urlpatterns = [
    path("usage/events/", UsageEvents.as_view(), name="usage-events"),
    path("usage/metrics/", UsageMetrics.as_view(), name="usage-metrics"),
    path("usage/receipts/<uuid:receipt>/", UsageReceipt.as_view(), name="usage-receipt"),
    path("usage/metric-definitions/", MetricDefinitions.as_view(), name="usage-metric-definitions"),
    path("accounts/<uuid:account>/metrics/", AccountMetrics.as_view(), name="account-metrics"),
]
