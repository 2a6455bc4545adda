"""``health/scorecards/…/coverage``: what a version finds measured, and a draft that scores from less."""

from __future__ import annotations

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers import BodySerializer
from api.v1.scorecards import VersionSerializer
from api.views import Endpoint
from health.actions import draft_with_least_coverage
from health.models import ScorecardVersion
from health.queries.coverage import LOWEST, coverage_of


class LeastCoverageSerializer(BodySerializer):
    least_pct = serializers.IntegerField(min_value=LOWEST, max_value=100, help_text="Of the card, measured")


class FedSerializer(serializers.Serializer):
    key = serializers.CharField(help_text="<dimension>.<measure>")
    name = serializers.CharField()
    inputs = serializers.ListField(child=serializers.CharField())
    measured = serializers.IntegerField(help_text="Accounts that have it")
    stale = serializers.IntegerField(help_text="Those of them with stale figures only")
    weight_pct = serializers.DecimalField(None, None, source="weight", help_text="Of the card")
    newest_at = serializers.DateTimeField(allow_null=True)
    sources = serializers.ListField(child=serializers.CharField())
    needs = serializers.CharField(help_text="What would feed it; empty where it is measured")


class CoverageStepSerializer(serializers.Serializer):
    least_pct = serializers.IntegerField()
    accounts = serializers.IntegerField(help_text="That would have a score")


class CoverageSerializer(serializers.Serializer):
    accounts = serializers.IntegerField(help_text="That the version would score")
    scored = serializers.IntegerField(help_text="With enough measured")
    least_pct = serializers.DecimalField(None, None, source="least")
    suggested_pct = serializers.IntegerField(
        source="suggested", allow_null=True, help_text="From which at least half would have a score, if fewer have now"
    )
    steps = CoverageStepSerializer(many=True)
    measures = FedSerializer(many=True)


class VersionCoverage(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    serializer_class = VersionSerializer

    @extend_schema(
        summary="What a version finds measured",
        description="Each measure with the accounts that have it, and how many accounts would have a score from which "
        "least coverage. Nothing is written.",
        responses=CoverageSerializer,
    )
    def get(self, request: Request, key: str, number: int) -> Response:
        self.refuse_parameters()
        found = coverage_of(_version(key, number), at=timezone.now())
        steps = [{"least_pct": step, "accounts": accounts} for step, accounts in found.steps]
        return Response(CoverageSerializer({**asdict(found), "steps": steps}).data)

    @extend_schema(
        summary="Draft a version that scores from less, or more",
        description="The same rules with another least coverage. Preview it, then activate it.",
        request=LeastCoverageSerializer,
        responses={201: VersionSerializer},
    )
    def post(self, request: Request, key: str, number: int) -> Response:
        least = self.read(LeastCoverageSerializer)["least_pct"]
        draft = draft_with_least_coverage(_version(key, number), least, actor=self.user, at=timezone.now())
        return self.one(ScorecardVersion.objects.all(), 201, pk=draft.pk)


def _version(key: str, number: int) -> ScorecardVersion:
    """Raises Http404."""
    rows = ScorecardVersion.objects.select_related("scorecard")
    return get_object_or_404(rows, scorecard__key=key, number=number)


urlpatterns = [
    path(
        "health/scorecards/<slug:key>/versions/<int:number>/coverage/",
        VersionCoverage.as_view(),
        name="scorecard-coverage",
    ),
]
