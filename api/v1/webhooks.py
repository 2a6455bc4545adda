"""``webhooks``: addresses of other systems that are told of events, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.schema import IF_MATCH
from api.serializers import BodySerializer, MomentField, QuerySerializer, Row, RowSerializer
from api.views import Endpoint as Address
from api.views import etag
from webhooks import actions
from webhooks.catalogue import EVENT_TYPES
from webhooks.choices import DeliveryState, EndpointState
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.queries import NOTHING, STATES, healths, state_of

_EXAMPLE = {"url": "https://example.com/hooks", "event_types": ["account.band_changed", "cta.opened"]}


class WebhookSerializer(RowSerializer):
    failed_pct = serializers.FloatField(read_only=True, allow_null=True, help_text="Given up in the last 7 days")
    waiting = serializers.IntegerField(read_only=True, help_text="Deliveries that are still to succeed")
    waiting_since = serializers.DateTimeField(read_only=True, allow_null=True, help_text="The oldest of them")

    class Meta:
        model = Endpoint
        fields = """id url description event_types state state_reason state_since_at failures failing_since rests_until
            last_success_at previous_until created_by created_at updated_at version failed_pct waiting
            waiting_since""".split()
        paths = {"created_by": "created_by__email"}
        blank_as_null = ("state_reason",)
        extended = ("failed_pct", "waiting", "waiting_since")
        versioned = True
        unversioned = ("failures", "failing_since", "rests_until", "last_success_at", *extended)

    def extend(self, rows: Sequence[Row]) -> None:
        """Put how they do on every row. One query."""
        found = healths([row["_pk"] for row in rows], at=timezone.now())
        for row in rows:
            health = found.get(row["_pk"], NOTHING)
            row |= {name: getattr(health, name) for name in self.Meta.extended}


class WebhookWithSecretSerializer(serializers.Serializer):
    webhook = WebhookSerializer()
    secret = serializers.CharField(help_text="whsec_…; shown this once")


class NewWebhook(BodySerializer):
    url = serializers.CharField(max_length=500, help_text="https, port 443, a public address")
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=40), help_text="Of webhooks/event-types/"
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=120)


class WebhookQuery(QuerySerializer):
    state = serializers.ChoiceField(EndpointState.choices)


class WebhookList(Address):
    policy = {"GET": "webhooks.manage", "POST": "webhooks.manage"}
    serializer_class = WebhookSerializer
    query_class = WebhookQuery
    ordering_fields = {"id": "pk", "created_at": "created_at"}
    ordering = "created_at"
    answers_secret = True

    @extend_schema(summary="List webhooks")
    def get(self, request: Request) -> Response:
        return self.page(Endpoint.objects.filter(**self.query))

    @extend_schema(
        summary="Set up a webhook",
        description="It is told of what happens from now on. Verify signatures with the secret, which is shown this "
        "once.",
        request=NewWebhook,
        responses={201: WebhookWithSecretSerializer},
        examples=[OpenApiExample("Webhook", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        endpoint, secret = actions.create_endpoint(actor=self.user, at=timezone.now(), **self.read(NewWebhook))
        return _with_secret(endpoint, secret, 201)


class WebhookDetail(Address):
    policy = {"GET": "webhooks.manage", "PATCH": "webhooks.manage", "DELETE": "webhooks.manage"}
    serializer_class = WebhookSerializer

    @extend_schema(summary="Read a webhook")
    def get(self, request: Request, webhook_id: UUID) -> Response:
        return self.one(Endpoint.objects.all(), pk=webhook_id)

    @extend_schema(
        summary="Change a webhook",
        description="What waits goes to the new address.",
        request=NewWebhook,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        values = self.read(NewWebhook, partial=True)
        actions.change_endpoint(_endpoint(webhook_id), **_given(self), **values)
        return self.one(Endpoint.objects.all(), pk=webhook_id)

    @extend_schema(summary="Delete a webhook and its deliveries", parameters=[IF_MATCH])
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        actions.delete_endpoint(_endpoint(webhook_id), **_given(self))
        return Response(status=204)


class WebhookPause(Address):
    policy = {"POST": "webhooks.manage"}
    serializer_class = WebhookSerializer

    @extend_schema(summary="Send nothing until resumed", parameters=[IF_MATCH])
    def post(self, request: Request, webhook_id: UUID) -> Response:
        actions.pause_endpoint(_endpoint(webhook_id), **_given(self))
        return self.one(Endpoint.objects.all(), pk=webhook_id)


class ResumedWebhook(BodySerializer):
    catch_up = serializers.BooleanField(default=False, help_text="Send what happened meanwhile too, in order")


class WebhookResume(Address):
    policy = {"POST": "webhooks.manage"}
    serializer_class = WebhookSerializer

    @extend_schema(
        summary="Send again to a webhook that was paused or switched off", request=ResumedWebhook, parameters=[IF_MATCH]
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        values = self.read(ResumedWebhook)
        actions.resume_endpoint(_endpoint(webhook_id), **_given(self), **values)
        return self.one(Endpoint.objects.all(), pk=webhook_id)


class WebhookRotate(Address):
    policy = {"POST": "webhooks.manage"}
    serializer_class = WebhookSerializer
    answers_secret = True

    @extend_schema(
        summary="Make a new secret",
        description="The old one signs as well for 24 hours, so that no delivery is refused while you change it.",
        parameters=[IF_MATCH],
        responses={200: WebhookWithSecretSerializer},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        return _with_secret(*actions.rotate_secret(_endpoint(webhook_id), **_given(self)))


class TestedWebhook(BodySerializer):
    event_type = serializers.CharField(max_length=40)


class WebhookDeliverySerializer(RowSerializer):
    state = serializers.ChoiceField(DeliveryState.choices, read_only=True)

    class Meta:
        model = Delivery
        fields = """id webhook event type occurred_at account state is_test created_at not_before attempts delivered_at
            failed_at last_status last_error""".split()
        paths = {
            "webhook": "endpoint_id",
            "event": "event_id",
            "type": "event__type",
            "occurred_at": "event__occurred_at",
            "account": "event__account_id",
        }
        blank_as_null = ("last_error",)
        extended = ("state",)

    def extend(self, rows: Sequence[Row]) -> None:
        """Put the state on every row. One query."""
        columns = "delivered_at failed_at attempts".split()
        found = Delivery.objects.filter(pk__in=[row["_pk"] for row in rows]).values("pk", *columns)
        states = {row["pk"]: state_of(row) for row in found}
        for row in rows:
            row["state"] = states[row["_pk"]]


class WebhookTest(Address):
    policy = {"POST": "webhooks.manage"}
    serializer_class = WebhookDeliverySerializer

    @extend_schema(
        summary="Send the last real event of a type",
        description="By the way every event goes, with a webhook-id of its own. 422 where none has happened yet. Read "
        "the delivery to see what the receiver answered.",
        request=TestedWebhook,
        responses={202: WebhookDeliverySerializer},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        values = self.read(TestedWebhook)
        delivery = actions.send_test(_endpoint(webhook_id), actor=self.user, at=timezone.now(), **values)
        return self.one(Delivery.objects.all(), 202, pk=delivery.pk)


class DeliveryQuery(QuerySerializer):
    state = serializers.ChoiceField(DeliveryState.choices)
    type = serializers.CharField(source="event__type")
    account = serializers.UUIDField(source="event__account_id")
    is_test = serializers.BooleanField()
    since = MomentField(source="created_at__gte")
    until = MomentField(source="created_at__lt")


class WebhookDeliveries(Address):
    policy = {"GET": "webhooks.manage"}
    serializer_class = WebhookDeliverySerializer
    query_class = DeliveryQuery
    ordering_fields = {"created_at": "created_at"}
    ordering = "-created_at"

    @extend_schema(summary="List a webhook's deliveries", description="Of the last 30 days.")
    def get(self, request: Request, webhook_id: UUID) -> Response:
        asked = self.query
        rows = Delivery.objects.filter(endpoint=_endpoint(webhook_id))
        state = asked.pop("state", "")
        return self.page(rows.filter(STATES[state], **asked) if state else rows.filter(**asked))


class WebhookAttemptSerializer(RowSerializer):
    request_headers = serializers.DictField(read_only=True)
    response_headers = serializers.DictField(read_only=True)

    class Meta:
        model = Attempt
        fields = "at duration_ms url request_headers status error error_detail response_headers response_body".split()
        blank_as_null = ("error", "error_detail")


class WebhookDeliveryWithTriesSerializer(WebhookDeliverySerializer):
    body = serializers.CharField(read_only=True, help_text="What was signed and sent, byte for byte")
    tries = WebhookAttemptSerializer(many=True, read_only=True)

    class Meta(WebhookDeliverySerializer.Meta):
        fields = [*WebhookDeliverySerializer.Meta.fields, "body", "tries"]
        paths = WebhookDeliverySerializer.Meta.paths | {"body": "event__body"}
        extended = ("state", "tries")

    def extend(self, rows: Sequence[Row]) -> None:
        """Put the state and the attempts on the row. Two queries."""
        super().extend(rows)
        shown = WebhookAttemptSerializer()
        for row in rows:
            tries = Attempt.objects.filter(delivery=row["_pk"]).order_by("at", "id")
            row["tries"] = shown.represent(list(tries.values(*shown.paths)))


class WebhookDelivery(Address):
    policy = {"GET": "webhooks.manage"}
    serializer_class = WebhookDeliveryWithTriesSerializer

    @extend_schema(summary="Read a delivery with its attempts")
    def get(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        return self.one(Delivery.objects.filter(endpoint=_endpoint(webhook_id)), pk=delivery_id)


class DeliveryReplay(Address):
    policy = {"POST": "webhooks.manage"}
    serializer_class = WebhookDeliverySerializer

    @extend_schema(
        summary="Send a delivery once more",
        description="With its webhook-id and a new round of attempts. One that waits is sent now.",
        responses={202: WebhookDeliverySerializer},
    )
    def post(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        rows = Delivery.objects.filter(endpoint=_endpoint(webhook_id))
        actions.replay(get_object_or_404(rows, pk=delivery_id), actor=self.user, at=timezone.now())
        return self.one(rows, 202, pk=delivery_id)


class ReplayedFailures(BodySerializer):
    since = MomentField()


class ReplayedSerializer(serializers.Serializer):
    deliveries = serializers.IntegerField(help_text="How many are sent again")


class WebhookReplay(Address):
    policy = {"POST": "webhooks.manage"}

    @extend_schema(
        summary="Send again what was given up since a moment",
        request=ReplayedFailures,
        responses={202: ReplayedSerializer},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        values = self.read(ReplayedFailures)
        count = actions.replay_failed(_endpoint(webhook_id), actor=self.user, at=timezone.now(), **values)
        return Response({"deliveries": count}, 202)


class EventTypeSerializer(serializers.Serializer):
    name = serializers.CharField()
    description = serializers.CharField()
    resource = serializers.CharField(help_text="What its data shows, as the API shows it")


class EventTypesSerializer(serializers.Serializer):
    results = EventTypeSerializer(many=True)


class WebhookEventTypes(Address):
    policy = {"GET": "webhooks.manage"}

    @extend_schema(summary="Types of events", responses=EventTypesSerializer)
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        found = [{"name": each.name, "description": each.told, "resource": each.resource} for each in EVENT_TYPES]
        return Response({"results": found})


def _endpoint(key: UUID) -> Endpoint:
    return get_object_or_404(Endpoint, pk=key)


def _given(address: Address) -> dict[str, Any]:
    return {"actor": address.user, "at": timezone.now(), "expected_version": address.expected_version}


def _with_secret(endpoint: Endpoint, secret: str, status: int = 200) -> Response:
    shown = WebhookSerializer.read(Endpoint.objects.all(), pk=endpoint.pk)
    return Response({"webhook": shown, "secret": secret}, status, headers={"ETag": etag(endpoint.version)})


_ONE = "webhooks/<uuid:webhook_id>/"
urlpatterns = [
    path("webhooks/", WebhookList.as_view(), name="webhook-list"),
    path("webhooks/event-types/", WebhookEventTypes.as_view(), name="webhook-event-types"),
    path(_ONE, WebhookDetail.as_view(), name="webhook-detail"),
    path(f"{_ONE}pause/", WebhookPause.as_view(), name="webhook-pause"),
    path(f"{_ONE}resume/", WebhookResume.as_view(), name="webhook-resume"),
    path(f"{_ONE}rotate/", WebhookRotate.as_view(), name="webhook-rotate"),
    path(f"{_ONE}test/", WebhookTest.as_view(), name="webhook-test"),
    path(f"{_ONE}replay/", WebhookReplay.as_view(), name="webhook-replay"),
    path(f"{_ONE}deliveries/", WebhookDeliveries.as_view(), name="webhook-deliveries"),
    path(f"{_ONE}deliveries/<uuid:delivery_id>/", WebhookDelivery.as_view(), name="webhook-delivery"),
    path(f"{_ONE}deliveries/<uuid:delivery_id>/replay/", DeliveryReplay.as_view(), name="webhook-delivery-replay"),
]
