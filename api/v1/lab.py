"""Versions of scorecards from draft to live and back, what one would do, and the backtest lab."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import Field, Unreadable, choice, day, text, whole
from accounts.models import Account
from api.problems import Problem, error_at
from api.serializers import QuerySerializer, RowSerializer, record
from api.v1.lab_answers import DifferencesSerializer, LossesSerializer, MethodologiesSerializer, PreviewSerializer
from api.views import Endpoint
from health.actions import change_draft, discard_draft, roll_back, schedule_version, unschedule_version
from health.actions.backtests import cancel_backtest, delete_backtest, start_backtest
from health.choices import BacktestState, Basis, Step
from health.differences import differences
from health.errors import DefinitionRefused
from health.models import Backtest, Scorecard, ScorecardVersion
from health.queries.methodologies import compare_methodologies
from health.queries.preview import Change, Standing, preview_of
from packs.comparing import main_cards

MOST_CHANGES = 10_000
SHOWN = ("crossing", "moved", "all")


def _object(raw: Any) -> dict[str, Any]:
    """A definition as it came; the validation says what is wrong in it."""
    if not isinstance(raw, dict):
        raise Unreadable("type", "A definition is an object.")
    return raw


DraftRecord = record(
    "DraftRecord",
    {
        "definition": Field(_object, {"type": "object"}, required=True, help="In the shape of the methodology packs"),
        "note": text(200),
    },
)
ScheduleRecord = record("ScheduleRecord", {"on": day(required=True, help="A day after today, at most a year ahead")})
BacktestRecord = record(
    "BacktestRecord",
    {
        "scorecard": text(60, required=True, help="Key of the champion's scorecard"),
        "version": replace(whole(1, 999_999), required=True),
        "challenger_scorecard": text(60, help="The champion's if absent"),
        "challenger_version": whole(1, 999_999, help="No challenger if absent"),
        "months": whole(1, 24),
        "step": choice(Step.values),
        "horizon_days": whole(30, 365),
        "basis": choice(Basis.values),
        "segment": text(60),
        "until": day(help="Last day of the span; today if absent"),
    },
)


class PlannedVersionSerializer(RowSerializer):
    class Meta:
        model = ScorecardVersion
        fields = ["number", "state", "note", "scheduled_on", "created_at", "activated_at", "retired_at", "definition"]


class PreviewQuery(QuerySerializer):
    show = serializers.ChoiceField(SHOWN, required=False, help_text="Which accounts; those that change band if absent")


class CompareQuery(QuerySerializer):
    against = serializers.IntegerField(required=False, min_value=1, help_text="The running version's number if absent")


class BacktestQuery(QuerySerializer):
    state = serializers.ChoiceField(BacktestState.values, required=False)


class BacktestSerializer(RowSerializer):
    class Meta:
        model = Backtest
        fields = [
            "id", "scorecard", "version", "challenger", "months", "step", "horizon_days", "basis", "segment", "today",
            "state", "position", "days", "message", "seconds", "created_at", "finished_at",
        ]  # fmt: skip
        paths = {
            "scorecard": "version__scorecard__key",
            "version": "version__number",
            "challenger": "challenger__number",
        }


class BacktestDetailSerializer(BacktestSerializer):
    class Meta(BacktestSerializer.Meta):
        fields = [*BacktestSerializer.Meta.fields, "result"]


def _version(key: str, number: int) -> ScorecardVersion:
    """Raises Http404."""
    rows = ScorecardVersion.objects.select_related("scorecard")
    return get_object_or_404(rows, scorecard__key=key, number=number)


class VersionEndpoint(Endpoint):
    """What is done to one version answers with it."""

    serializer_class = PlannedVersionSerializer

    def shown(self, version: ScorecardVersion) -> Response:
        return self.one(ScorecardVersion.objects.all(), pk=version.pk)


class DraftDetail(VersionEndpoint):
    policy = {"GET": "health.view", "PUT": "health.configure", "DELETE": "health.configure"}

    @extend_schema(summary="Read a draft, or any version, with its schedule")
    def get(self, request: Request, key: str, number: int) -> Response:
        return self.shown(_version(key, number))

    @extend_schema(
        summary="Change a draft",
        description="A version that was ever live never changes. Every rule that is broken is named with its place.",
        request=DraftRecord,
    )
    def put(self, request: Request, key: str, number: int) -> Response:
        version, values = _version(key, number), self.read(DraftRecord)
        try:
            change_draft(version, actor=self.user, at=timezone.now(), **values)
        except DefinitionRefused as error:
            errors = [error_at(f"/definition{p.pointer}", p.code, p.detail) for p in error.problems]
            raise Problem("refused", errors[0]["detail"], errors=errors) from error
        return self.shown(version)

    @extend_schema(summary="Discard a draft", description="With its backtests.")
    def delete(self, request: Request, key: str, number: int) -> Response:
        discard_draft(_version(key, number), actor=self.user, at=timezone.now())
        return Response(status=204)


class DraftSchedule(VersionEndpoint):
    policy = {"POST": "health.configure", "DELETE": "health.configure"}

    @extend_schema(
        summary="Let a draft go live on a day", description="Before that day's full run.", request=ScheduleRecord
    )
    def post(self, request: Request, key: str, number: int) -> Response:
        version, values = _version(key, number), self.read(ScheduleRecord)
        return self.shown(schedule_version(version, actor=self.user, at=timezone.now(), **values))

    @extend_schema(summary="Do not let a draft go live by itself")
    def delete(self, request: Request, key: str, number: int) -> Response:
        unschedule_version(_version(key, number), actor=self.user, at=timezone.now())
        return Response(status=204)


class VersionRollBack(VersionEndpoint):
    policy = {"POST": "health.configure"}

    @extend_schema(
        summary="Roll back to a retired version",
        description="Makes a new version with its definition and activates it; history stays.",
    )
    def post(self, request: Request, key: str, number: int) -> Response:
        return self.shown(roll_back(_version(key, number), actor=self.user, at=timezone.now()))


class VersionPreview(Endpoint):
    policy = {"GET": "health.configure"}
    query_class = PreviewQuery

    @extend_schema(
        summary="What a version would do if it went live now",
        description="Scores every account it would score with today's figures, before and after. Writes nothing; the "
        "activation then gives every account what stands here.",
        responses=PreviewSerializer,
    )
    def get(self, request: Request, key: str, number: int) -> Response:
        shown = self.query.get("show", "crossing")
        preview = preview_of(_version(key, number), self.user, at=timezone.now())
        rows = {
            "crossing": preview.crossing,
            "moved": [change for change in preview.changes if change.moved],
            "all": preview.changes,
        }[shown]
        return Response(
            {
                "accounts": len(preview.changes),
                "change_band": len(preview.crossing),
                "unchanged": preview.unchanged,
                "before": preview.before,
                "after": preview.after,
                "changes": [_change(change) for change in rows[:MOST_CHANGES]],
                "left_out": max(len(rows) - MOST_CHANGES, 0),
            }
        )


def _change(change: Change) -> dict[str, Any]:
    return {
        "account": change.account_id,
        "name": change.name,
        "before": _standing(change.before),
        "after": _standing(change.after),
        "change": change.moved,
        "direction": change.direction,
        "override": change.override or None,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "score": standing.score,
        "shown": standing.shown,
        "band": standing.band,
        "colour": None if standing.rag == "none" else standing.rag,
        "coverage_pct": standing.coverage,
    }


class VersionDifferences(Endpoint):
    policy = {"GET": "health.view"}
    query_class = CompareQuery

    @extend_schema(summary="What differs between two versions, field by field", responses=DifferencesSerializer)
    def get(self, request: Request, key: str, number: int) -> Response:
        after = _version(key, number)
        against = self.query.get("against")
        rows = (
            after.scorecard.versions.filter(number=against)
            if against
            else after.scorecard.versions.filter(activated_at__isnull=False)
        )
        before = rows.exclude(pk=after.pk).first()
        if before is None:
            raise Http404
        found = differences(before.definition, after.definition)
        results = [
            {"place": list(one.place), "field": one.field, "kind": one.kind, "before": one.before, "after": one.after}
            for one in found
        ]
        return Response({"from": before.number, "to": after.number, "results": results})


class BacktestList(Endpoint):
    policy = {"GET": "health.configure", "POST": "health.configure"}
    serializer_class = BacktestSerializer
    query_class = BacktestQuery
    ordering_fields = {"created_at": "created_at"}
    ordering = "-created_at"

    @extend_schema(summary="List backtests")
    def get(self, request: Request) -> Response:
        return self.page(Backtest.objects.filter(**self.query))

    @extend_schema(
        summary="Run a backtest",
        description="Replays a version over history with what was known on each day; read it until state is done.",
        request=BacktestRecord,
    )
    def post(self, request: Request) -> Response:
        values = self.read(BacktestRecord)
        version = _named(values, "scorecard", "version", values["scorecard"])
        challenger = None
        if values.get("challenger_version"):
            challenger = _named(values, "challenger_scorecard", "challenger_version", values["scorecard"])
        asked = {
            name: values[name]
            for name in ("months", "step", "horizon_days", "basis", "segment", "until")
            if values.get(name)
        }
        backtest = start_backtest(version, challenger=challenger, actor=self.user, at=timezone.now(), **asked)
        return self.one(Backtest.objects.all(), 201, pk=backtest.pk)


def _named(values: Mapping[str, Any], card: str, number: str, otherwise: str) -> ScorecardVersion:
    """The version a body names. Raises Problem 422."""
    found = Scorecard.objects.filter(key=values.get(card) or otherwise).first()
    version = found and found.versions.select_related("scorecard").filter(number=values[number]).first()
    if version is None:
        detail = "There is no such version."
        raise Problem("refused", detail, errors=[error_at(f"/{number}", "unknown", detail)])
    return version


class BacktestDetail(Endpoint):
    policy = {"GET": "health.configure", "DELETE": "health.configure"}
    serializer_class = BacktestDetailSerializer

    @extend_schema(
        summary="Read a backtest",
        description="result is null until state is done: confusion matrix by warning colour, precision, recall, lead "
        "time, calibration, each with its 95 % interval; few says that there are too few cases to tell.",
    )
    def get(self, request: Request, backtest_id: UUID) -> Response:
        return self.one(Backtest.objects.all(), pk=backtest_id)

    @extend_schema(summary="Delete a backtest that has ended")
    def delete(self, request: Request, backtest_id: UUID) -> Response:
        delete_backtest(get_object_or_404(Backtest, pk=backtest_id), actor=self.user, at=timezone.now())
        return Response(status=204)


class BacktestCancel(Endpoint):
    policy = {"POST": "health.configure"}
    serializer_class = BacktestSerializer

    @extend_schema(summary="Cancel a backtest", description="It stops after the day under way.")
    def post(self, request: Request, backtest_id: UUID) -> Response:
        cancel_backtest(get_object_or_404(Backtest, pk=backtest_id), actor=self.user, at=timezone.now())
        return self.one(Backtest.objects.all(), pk=backtest_id)


class BacktestLosses(Endpoint):
    policy = {"GET": "health.configure"}

    @extend_schema(
        summary="Losses a backtest judged",
        description="By warning colour, each with the score 30 days before, the last one and the days it had warned.",
        responses=LossesSerializer,
    )
    def get(self, request: Request, backtest_id: UUID) -> Response:
        self.refuse_parameters()
        rows = get_object_or_404(Backtest, pk=backtest_id).rows
        if rows is None:
            raise Http404
        seen = {str(key) for key in Account.objects.visible_to(self.user).values_list("pk", flat=True)}
        return Response(
            {
                colour: [{**row, "on": date.fromordinal(row["on"])} for row in losses if row["account"] in seen]
                for colour, losses in rows["losses"].items()
            }
        )


class AccountMethodologies(Endpoint):
    policy = {"GET": "health.view"}

    @extend_schema(
        summary="An account under all five methodologies",
        description="The same figures of today under each methodology's scorecard. Nothing is stored.",
        responses=MethodologiesSerializer,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        self.refuse_parameters()
        account = get_object_or_404(Account.objects.visible_to(self.user), pk=account_id)
        found = compare_methodologies(account.pk, main_cards(), at=timezone.now())
        views = [
            {
                "pack": view.pack,
                "version": view.version,
                **_standing(view.standing),
                "dimensions": {part.name: part.figure for part in view.dimensions},
                "missing": view.missing,
                "red_flags": view.flags,
            }
            for view in found.views
        ]
        return Response({"agree": found.agree, "colours": found.colours, "methodologies": views})


_VERSION = "health/scorecards/<slug:key>/versions/<int:number>/"
urlpatterns = [
    path(f"{_VERSION}draft/", DraftDetail.as_view(), name="scorecard-draft"),
    path(f"{_VERSION}schedule/", DraftSchedule.as_view(), name="scorecard-schedule"),
    path(f"{_VERSION}roll-back/", VersionRollBack.as_view(), name="scorecard-roll-back"),
    path(f"{_VERSION}preview/", VersionPreview.as_view(), name="scorecard-preview"),
    path(f"{_VERSION}differences/", VersionDifferences.as_view(), name="scorecard-differences"),
    path("health/backtests/", BacktestList.as_view(), name="backtest-list"),
    path("health/backtests/<uuid:backtest_id>/", BacktestDetail.as_view(), name="backtest-detail"),
    path("health/backtests/<uuid:backtest_id>/cancel/", BacktestCancel.as_view(), name="backtest-cancel"),
    path("health/backtests/<uuid:backtest_id>/losses/", BacktestLosses.as_view(), name="backtest-losses"),
    path("accounts/<uuid:account_id>/methodologies/", AccountMethodologies.as_view(), name="account-methodologies"),
]
