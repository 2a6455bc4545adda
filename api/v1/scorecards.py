"""``health/scorecards`` and ``health/triggers``: definitions, their versions, and trying them out."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.problems import Problem, error_at
from api.serializers import BodySerializer, ObjectField, Row, RowSerializer
from api.views import Endpoint
from health.actions import (
    activate_version,
    create_scorecard,
    draft_version,
    use_scorecard,
)
from health.cards import compiled
from health.choices import VersionState
from health.errors import DefinitionRefused
from health.models import Scorecard, ScorecardVersion
from health.simulation import InputsRefused, simulate_scorecard

MOST_FACTS = 500


class ScorecardSerializer(RowSerializer):
    active_version = serializers.IntegerField(allow_null=True, read_only=True)

    class Meta:
        model = Scorecard
        fields = ["key", "name", "is_default", "segments", "pack", "created_at", "active_version"]
        extended = ("active_version",)

    def extend(self, rows: Sequence[Row]) -> None:
        """Put the running version's number on every row. One query."""
        active = ScorecardVersion.objects.filter(state=VersionState.ACTIVE, scorecard__in=[row["_pk"] for row in rows])
        numbers = dict(active.values_list("scorecard_id", "number"))
        for row in rows:
            row["active_version"] = numbers.get(row["_pk"])


class VersionSerializer(RowSerializer):
    definition = serializers.DictField(read_only=True, help_text="In the shape of the methodology packs")

    class Meta:
        model = ScorecardVersion
        fields = "number state note origin created_by created_at activated_at retired_at definition".split()
        paths = {"created_by": "created_by__email"}


class DefinitionSerializer(BodySerializer):
    """What a new scorecard or trigger is made of; the actions know what a definition has to hold."""

    definition = ObjectField(help_text="In the shape of the methodology packs")


class DraftSerializer(DefinitionSerializer):
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="", help_text="Why")


class ScorecardUseSerializer(BodySerializer):
    segments = serializers.ListField(child=serializers.CharField(max_length=60), max_length=100, required=False)
    is_default = serializers.BooleanField(required=False)


class InputsSerializer(BodySerializer):
    inputs = ObjectField(most=MOST_FACTS, help_text="{metric: value}")


class RecommendationSerializer(serializers.Serializer):
    category = serializers.CharField()
    priority = serializers.CharField()
    action = serializers.CharField()


class SimulatedScoreSerializer(serializers.Serializer):
    score = serializers.DecimalField(None, None, allow_null=True, help_text="Null under half coverage")
    shown = serializers.DecimalField(None, None, allow_null=True)
    band = serializers.CharField(allow_null=True)
    coverage_pct = serializers.DecimalField(None, None)
    dimensions = serializers.DictField(help_text="{dimension: score}")
    measures = serializers.DictField(help_text='{"<dimension>.<measure>": {value, level}}')
    red_flags = serializers.ListField(child=serializers.CharField())
    recommendations = RecommendationSerializer(many=True)


def scorecard_of(key: str) -> Scorecard:
    """The scorecard with this key. Raises Http404."""
    return get_object_or_404(Scorecard, key=key)


def refused(error: DefinitionRefused) -> Problem:
    """The 422 that names every problem of a definition by its place."""
    errors = [error_at(f"/definition{p.pointer}", p.code, p.detail) for p in error.problems]
    return Problem("refused", errors[0]["detail"], errors=errors)


def inputs_refused(error: InputsRefused, name: str) -> Problem:
    """The 422 that names every input and its rule."""
    errors = [error_at(f"/{name}/{r.field[:120]}", r.code, r.detail[:300]) for r in error.refusals]
    return Problem("refused", errors[0]["detail"], errors=errors)


class ScorecardList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    serializer_class = ScorecardSerializer
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List scorecards")
    def get(self, request: Request) -> Response:
        return self.page(Scorecard.objects.filter(**self.query))

    @extend_schema(
        summary="Create a scorecard of your own",
        description="It begins as a draft; activate its version to score with it.",
        request=DefinitionSerializer,
        responses={201: VersionSerializer},
    )
    def post(self, request: Request) -> Response:
        try:
            version = create_scorecard(actor=self.user, at=timezone.now(), **self.read(DefinitionSerializer))
        except DefinitionRefused as error:
            raise refused(error) from error
        row = VersionSerializer.read(ScorecardVersion.objects.all(), pk=version.pk)
        return Response(row, 201)


class ScorecardDetail(Endpoint):
    policy = {"GET": "health.view", "PATCH": "health.configure"}
    serializer_class = ScorecardSerializer

    @extend_schema(summary="Read a scorecard")
    def get(self, request: Request, key: str) -> Response:
        return self.one(Scorecard.objects.all(), key=key)

    @extend_schema(summary="Say for whom a scorecard is", request=ScorecardUseSerializer)
    def patch(self, request: Request, key: str) -> Response:
        card, given = scorecard_of(key), {"segments": None, "is_default": None} | self.read(ScorecardUseSerializer)
        use_scorecard(card, actor=self.user, at=timezone.now(), **given)
        return self.one(Scorecard.objects.all(), pk=card.pk)


class VersionList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    serializer_class = VersionSerializer
    ordering_fields = {"number": "number"}
    ordering = "-number"

    @extend_schema(summary="Versions of a scorecard")
    def get(self, request: Request, key: str) -> Response:
        return self.page(ScorecardVersion.objects.filter(scorecard=scorecard_of(key), **self.query))

    @extend_schema(
        summary="Draft a new version",
        description="The running version is untouched until the draft is activated.",
        request=DraftSerializer,
    )
    def post(self, request: Request, key: str) -> Response:
        card = scorecard_of(key)
        try:
            version = draft_version(card, actor=self.user, at=timezone.now(), **self.read(DraftSerializer))
        except DefinitionRefused as error:
            raise refused(error) from error
        return self.one(ScorecardVersion.objects.all(), 201, pk=version.pk)


class VersionDetail(Endpoint):
    policy = {"GET": "health.view"}
    serializer_class = VersionSerializer

    @extend_schema(summary="Read a version of a scorecard")
    def get(self, request: Request, key: str, number: int) -> Response:
        return self.one(ScorecardVersion.objects.all(), scorecard__key=key, number=number)


class VersionActivation(Endpoint):
    policy = {"POST": "health.configure"}
    serializer_class = VersionSerializer

    @extend_schema(
        summary="Activate a draft",
        description="Scores from then on; scores already stored keep their version.",
    )
    def post(self, request: Request, key: str, number: int) -> Response:
        version = get_object_or_404(ScorecardVersion, scorecard__key=key, number=number)
        activate_version(version, actor=self.user, at=timezone.now())
        return self.one(ScorecardVersion.objects.all(), pk=version.pk)


class ScorecardSimulation(Endpoint):
    policy = {"POST": "health.view"}

    @extend_schema(
        summary="Try a scorecard",
        description="Scores the inputs with the running version, or with a draft if it has never run. Nothing is "
        "stored.",
        request=InputsSerializer,
        responses=SimulatedScoreSerializer,
        examples=[OpenApiExample("Inputs", {"inputs": {"login_pct": 85, "objectives": "on_track"}}, request_only=True)],
    )
    def post(self, request: Request, key: str) -> Response:
        card = scorecard_of(key)
        versions = card.versions.order_by("number")
        version = versions.filter(state=VersionState.ACTIVE).first() or versions.last()
        if version is None:
            raise Http404
        try:
            return Response(simulate_scorecard(compiled(version).card, self.read(InputsSerializer)["inputs"]))
        except InputsRefused as error:
            raise inputs_refused(error, "inputs") from error


urlpatterns = [
    path("health/scorecards/", ScorecardList.as_view(), name="scorecard-list"),
    path("health/scorecards/<slug:key>/", ScorecardDetail.as_view(), name="scorecard-detail"),
    path("health/scorecards/<slug:key>/versions/", VersionList.as_view(), name="scorecard-versions"),
    path("health/scorecards/<slug:key>/versions/<int:number>/", VersionDetail.as_view(), name="scorecard-version"),
    path(
        "health/scorecards/<slug:key>/versions/<int:number>/activate/",
        VersionActivation.as_view(),
        name="scorecard-activate",
    ),
    path("health/scorecards/<slug:key>/simulate/", ScorecardSimulation.as_view(), name="scorecard-simulate"),
]
