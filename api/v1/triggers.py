"""``health/triggers``: definitions and trying them out."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers import BodySerializer, ObjectField, Row, RowSerializer
from api.v1.scorecards import MOST_FACTS, DefinitionSerializer, inputs_refused, refused
from api.views import Endpoint
from health.actions import change_trigger, create_trigger, enable_trigger
from health.errors import DefinitionRefused
from health.models import Trigger, TriggerVersion
from health.simulation import InputsRefused, simulate_trigger


class TriggerSerializer(RowSerializer):
    active_on = serializers.IntegerField(read_only=True, help_text="Accounts on which it stands")

    class Meta:
        model = Trigger
        fields = ["key", "name", "group", "pack", "is_enabled", "active_on"]


class TriggerDetailSerializer(TriggerSerializer):
    """A trigger with its newest definition."""

    version = serializers.IntegerField(allow_null=True, read_only=True)
    definition = serializers.DictField(allow_null=True, read_only=True)

    class Meta(TriggerSerializer.Meta):
        fields = [*TriggerSerializer.Meta.fields, "version", "definition"]
        extended = ("version", "definition")

    def extend(self, rows: Sequence[Row]) -> None:
        """Put number and definition of the newest version on every row. One query."""
        versions = TriggerVersion.objects.filter(trigger__in=[row["_pk"] for row in rows])
        latest = versions.order_by("trigger_id", "-number").distinct("trigger_id")
        newest = {version.trigger_id: version for version in latest}
        for row in rows:
            version = newest.get(row["_pk"])
            row["version"] = None if version is None else version.number
            row["definition"] = None if version is None else version.definition


class SwitchSerializer(BodySerializer):
    is_enabled = serializers.BooleanField()


class FactsSerializer(BodySerializer):
    facts = ObjectField(most=MOST_FACTS, help_text="{metric: value, event: true}")


class SimulatedTriggerSerializer(serializers.Serializer):
    fires = serializers.BooleanField()
    actions = serializers.ListField(child=serializers.CharField())
    ignored = serializers.ListField(child=serializers.CharField(), help_text="Facts the condition does not read")


class TriggerList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    serializer_class = TriggerSerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "key"

    @extend_schema(summary="List triggers")
    def get(self, request: Request) -> Response:
        return self.page(_triggers().filter(**self.query))

    @extend_schema(summary="Create a trigger of your own", request=DefinitionSerializer)
    def post(self, request: Request) -> Response:
        try:
            version = create_trigger(actor=self.user, at=timezone.now(), **self.read(DefinitionSerializer))
        except DefinitionRefused as error:
            raise refused(error) from error
        return self.one(_triggers(), 201, pk=version.trigger_id)


def _triggers() -> QuerySet[Trigger]:
    return Trigger.objects.annotate(active_on=Count("states", filter=Q(states__is_active=True)))


class TriggerDetail(Endpoint):
    policy = {"GET": "health.view", "PUT": "health.configure", "PATCH": "health.configure"}
    serializer_class = TriggerDetailSerializer

    @extend_schema(summary="Read a trigger with its definition")
    def get(self, request: Request, key: str) -> Response:
        return self.one(_triggers(), key=key)

    @extend_schema(summary="Give a trigger a new version", request=DefinitionSerializer)
    def put(self, request: Request, key: str) -> Response:
        trigger = get_object_or_404(Trigger, key=key)
        try:
            change_trigger(trigger, actor=self.user, at=timezone.now(), **self.read(DefinitionSerializer))
        except DefinitionRefused as error:
            raise refused(error) from error
        return self.one(_triggers(), key=key)

    @extend_schema(summary="Switch a trigger on or off", request=SwitchSerializer)
    def patch(self, request: Request, key: str) -> Response:
        trigger = get_object_or_404(Trigger, key=key)
        enable_trigger(trigger, actor=self.user, at=timezone.now(), **self.read(SwitchSerializer))
        return self.one(_triggers(), key=key)


class TriggerSimulation(Endpoint):
    policy = {"POST": "health.view"}

    @extend_schema(
        summary="Try a trigger",
        description="A fact is taken as already measured over the condition's window, severity and least count. "
        "Nothing is stored.",
        request=FactsSerializer,
        responses=SimulatedTriggerSerializer,
        examples=[OpenApiExample("Facts", {"facts": {"usage_change_pct": -20}}, request_only=True)],
    )
    def post(self, request: Request, key: str) -> Response:
        trigger = get_object_or_404(Trigger, key=key)
        version = TriggerVersion.objects.filter(trigger=trigger).order_by("-number").first()
        if version is None:
            raise Http404
        try:
            return Response(simulate_trigger(version.definition, self.read(FactsSerializer)["facts"]))
        except InputsRefused as error:
            raise inputs_refused(error, "facts") from error


urlpatterns = [
    path("health/triggers/", TriggerList.as_view(), name="trigger-list"),
    path("health/triggers/<slug:key>/", TriggerDetail.as_view(), name="trigger-detail"),
    path("health/triggers/<slug:key>/simulate/", TriggerSimulation.as_view(), name="trigger-simulate"),
]
