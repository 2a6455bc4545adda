"""``health/scorecards`` and ``health/triggers``: definitions, their versions, and trying them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api import describe as d
from api.describe import Operation
from api.plain import answer
from api.problems import Problem, error_at
from api.reading import json_object
from api.resources import Column, Resource, Row
from api.views import Endpoint
from health.actions import (
    activate_version,
    change_trigger,
    create_scorecard,
    create_trigger,
    draft_version,
    enable_trigger,
    use_scorecard,
)
from health.cards import compiled
from health.choices import VersionState
from health.errors import DefinitionRefused
from health.models import Scorecard, ScorecardVersion, Trigger, TriggerVersion
from health.simulation import InputsRefused, simulate_scorecard, simulate_trigger

DEFINITION = d.free("In the shape of the methodology packs")
SIMULATED_SCORE = d.shape(
    score=d.nullable(d.decimal("Null under half coverage")),
    shown=d.nullable(d.decimal()),
    band=d.nullable(d.text()),
    coverage_pct=d.decimal(),
    dimensions=d.free("{dimension: score}"),
    measures=d.free('{"<dimension>.<measure>": {value, level}}'),
    red_flags=d.listed(d.text()),
    recommendations=d.listed(d.shape(category=d.text(), priority=d.text(), action=d.text())),
)
SIMULATED_TRIGGER = d.shape(
    fires=d.flag(), actions=d.listed(d.text()), ignored=d.listed(d.text("Facts the condition does not read"))
)


def _active_numbers(rows: Sequence[Row]) -> None:
    """Put the running version's number on every row. One query."""
    active = ScorecardVersion.objects.filter(state=VersionState.ACTIVE, scorecard__in=[row["_pk"] for row in rows])
    numbers = dict(active.values_list("scorecard_id", "number"))
    for row in rows:
        row["active_version"] = numbers.get(row["_pk"])


SCORECARDS = Resource(
    columns={
        "key": Column("key", d.text()),
        "name": Column("name", d.text()),
        "is_default": Column("is_default", d.flag()),
        "segments": Column("segments", d.listed(d.text())),
        "pack": Column("pack", d.text()),
        "created_at": Column("created_at", d.moment()),
    },
    orderings={"key": "key", "name": "name"},
    default="name",
    extra={"active_version": d.nullable(d.number())},
    extend=_active_numbers,
)
VERSIONS = Resource(
    columns={
        "number": Column("number", d.number()),
        "state": Column("state", d.text(enum=VersionState.values)),
        "note": Column("note", d.text()),
        "origin": Column("origin", d.text()),
        "created_by": Column("created_by__email", d.nullable(d.text())),
        "created_at": Column("created_at", d.moment()),
        "activated_at": Column("activated_at", d.nullable(d.moment())),
        "retired_at": Column("retired_at", d.nullable(d.moment())),
        "definition": Column("definition", DEFINITION),
    },
    orderings={"number": "number"},
    default="-number",
)
TRIGGERS = Resource(
    columns={
        "key": Column("key", d.text()),
        "name": Column("name", d.text()),
        "group": Column("group", d.text()),
        "pack": Column("pack", d.text()),
        "is_enabled": Column("is_enabled", d.flag()),
        "active_on": Column("active_on", d.number("Accounts on which it stands")),
    },
    orderings={"key": "key", "name": "name"},
    default="key",
)
VERSION_ANSWER, TRIGGER_ANSWER = VERSIONS.schema(), TRIGGERS.schema()


def scorecard_of(key: str) -> Scorecard:
    """The scorecard with this key. Raises Http404."""
    card = Scorecard.objects.filter(key=key).first()
    if card is None:
        raise Http404
    return card


def trigger_of(key: str) -> Trigger:
    """The trigger with this key. Raises Http404."""
    trigger = Trigger.objects.filter(key=key).first()
    if trigger is None:
        raise Http404
    return trigger


def definition_in(body: dict[str, Any]) -> dict[str, Any]:
    """The definition of a body. Raises Problem 422 when it is no object."""
    definition = body.get("definition")
    if not isinstance(definition, dict):
        detail = "definition must be an object."
        raise Problem("refused", detail, errors=[error_at("/definition", "object", detail)])
    return definition


def refused(error: DefinitionRefused) -> Problem:
    """The 422 that names every problem of a definition by its place."""
    errors = [error_at(f"/definition{p.pointer}", p.code, p.detail) for p in error.problems]
    return Problem("refused", errors[0]["detail"], errors=errors)


def facts_in(request: Request, name: str) -> dict[str, Any]:
    """The object under ``name``, of 500 entries at most, and nothing else. Raises Problem 422."""
    body = json_object(request)
    facts = body.get(name)
    unknown = sorted(body.keys() - {name})
    if unknown:
        detail = f"There is no field {unknown[0][:60]}; the body has {name} only."
        raise Problem("refused", detail, errors=[error_at(f"/{unknown[0][:60]}", "unknown_field", detail)])
    if not isinstance(facts, dict):
        detail = f"{name} must be an object."
        raise Problem("refused", detail, errors=[error_at(f"/{name}", "object", detail)])
    if len(facts) > 500:
        detail = f"{name} has 500 entries at most."
        raise Problem("refused", detail, errors=[error_at(f"/{name}", "too_many", detail)])
    return facts


def inputs_refused(error: InputsRefused, name: str) -> Problem:
    """The 422 that names every input and its rule."""
    errors = [error_at(f"/{name}/{r.field[:120]}", r.code, r.detail[:300]) for r in error.refusals]
    return Problem("refused", errors[0]["detail"], errors=errors)


class ScorecardList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    describe = {
        "GET": Operation("List scorecards", query=SCORECARDS.query(), answers={200: d.page_of(SCORECARDS.schema())}),
        "POST": Operation(
            "Create a scorecard of your own",
            "It begins as a draft; activate its version to score with it.",
            body=d.shape(definition=DEFINITION),
            answers={201: VERSION_ANSWER},
        ),
    }

    def get(self, request: Request) -> Response:
        return SCORECARDS.page(request, Scorecard.objects.all())

    def post(self, request: Request) -> Response:
        definition = definition_in(json_object(request))
        try:
            version = create_scorecard(definition, actor=self.user, at=timezone.now())
        except DefinitionRefused as error:
            raise refused(error) from error
        return VERSIONS.one(request, ScorecardVersion.objects.all(), 201, pk=version.pk)


class ScorecardDetail(Endpoint):
    policy = {"GET": "health.view", "PATCH": "health.configure"}
    describe = {
        "GET": Operation("Read a scorecard", answers={200: SCORECARDS.schema()}),
        "PATCH": Operation(
            "Say for whom a scorecard is",
            body=d.shape((), segments=d.listed(d.text(maxLength=60), maxItems=100), is_default=d.flag()),
            answers={200: SCORECARDS.schema()},
        ),
    }

    def get(self, request: Request, key: str) -> Response:
        return SCORECARDS.one(request, Scorecard.objects.all(), key=key)

    def patch(self, request: Request, key: str) -> Response:
        card, body = scorecard_of(key), json_object(request)
        segments, is_default = body.get("segments"), body.get("is_default")
        if segments is not None and not (
            isinstance(segments, list) and len(segments) <= 100 and all(_is_name(item) for item in segments)
        ):
            detail = "segments is a list of up to 100 names of up to 60 characters."
            raise Problem("refused", detail, errors=[error_at("/segments", "list", detail)])
        if is_default is not None and not isinstance(is_default, bool):
            detail = "is_default is true or false."
            raise Problem("refused", detail, errors=[error_at("/is_default", "boolean", detail)])
        use_scorecard(card, segments=segments, is_default=is_default, actor=self.user, at=timezone.now())
        return SCORECARDS.one(request, Scorecard.objects.all(), pk=card.pk)


def _is_name(item: Any) -> bool:
    return isinstance(item, str) and 0 < len(item) <= 60 and item.isprintable()


class VersionList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    describe = {
        "GET": Operation("Versions of a scorecard", query=VERSIONS.query(), answers={200: d.page_of(VERSION_ANSWER)}),
        "POST": Operation(
            "Draft a new version",
            "The running version is untouched until the draft is activated.",
            body=d.shape(("definition",), definition=DEFINITION, note=d.text("Why", maxLength=200)),
            answers={201: VERSION_ANSWER},
        ),
    }

    def get(self, request: Request, key: str) -> Response:
        return VERSIONS.page(request, ScorecardVersion.objects.filter(scorecard=scorecard_of(key)))

    def post(self, request: Request, key: str) -> Response:
        card, body = scorecard_of(key), json_object(request)
        note = body.get("note", "")
        if not isinstance(note, str):
            raise Problem("refused", "note must be text.", errors=[error_at("/note", "text", "note must be text.")])
        try:
            version = draft_version(card, definition=definition_in(body), note=note, actor=self.user, at=timezone.now())
        except DefinitionRefused as error:
            raise refused(error) from error
        return VERSIONS.one(request, ScorecardVersion.objects.all(), 201, pk=version.pk)


class VersionDetail(Endpoint):
    policy = {"GET": "health.view"}
    describe = {"GET": Operation("Read a version of a scorecard", answers={200: VERSION_ANSWER})}

    def get(self, request: Request, key: str, number: int) -> Response:
        return VERSIONS.one(request, ScorecardVersion.objects.all(), scorecard__key=key, number=number)


class VersionActivation(Endpoint):
    policy = {"POST": "health.configure"}
    describe = {
        "POST": Operation(
            "Activate a draft",
            "Scores from then on; scores already stored keep their version.",
            answers={200: VERSION_ANSWER},
        )
    }

    def post(self, request: Request, key: str, number: int) -> Response:
        version = ScorecardVersion.objects.filter(scorecard__key=key, number=number).first()
        if version is None:
            raise Http404
        activate_version(version, actor=self.user, at=timezone.now())
        return VERSIONS.one(request, ScorecardVersion.objects.all(), pk=version.pk)


class ScorecardSimulation(Endpoint):
    policy = {"POST": "health.view"}
    describe = {
        "POST": Operation(
            "Try a scorecard",
            "Scores the inputs with the running version, or with a draft if it has never run. Nothing is stored.",
            body=d.shape(inputs=d.free("{metric: value}")),
            answers={200: SIMULATED_SCORE},
            example={"inputs": {"login_pct": 85, "objectives": "on_track"}},
        )
    }

    def post(self, request: Request, key: str) -> Response:
        card = scorecard_of(key)
        versions = card.versions.order_by("number")
        version = versions.filter(state=VersionState.ACTIVE).first() or versions.last()
        if version is None:
            raise Http404
        try:
            return answer(simulate_scorecard(compiled(version).card, facts_in(request, "inputs")))
        except InputsRefused as error:
            raise inputs_refused(error, "inputs") from error


class TriggerList(Endpoint):
    policy = {"GET": "health.view", "POST": "health.configure"}
    describe = {
        "GET": Operation("List triggers", query=TRIGGERS.query(), answers={200: d.page_of(TRIGGER_ANSWER)}),
        "POST": Operation(
            "Create a trigger of your own", body=d.shape(definition=DEFINITION), answers={201: TRIGGER_ANSWER}
        ),
    }

    def get(self, request: Request) -> Response:
        return TRIGGERS.page(request, _triggers())

    def post(self, request: Request) -> Response:
        definition = definition_in(json_object(request))
        try:
            version = create_trigger(definition, actor=self.user, at=timezone.now())
        except DefinitionRefused as error:
            raise refused(error) from error
        return TRIGGERS.one(request, _triggers(), 201, pk=version.trigger_id)


def _triggers() -> Any:
    return Trigger.objects.annotate(active_on=Count("states", filter=Q(states__is_active=True)))


class TriggerDetail(Endpoint):
    policy = {"GET": "health.view", "PUT": "health.configure", "PATCH": "health.configure"}
    describe = {
        "GET": Operation("Read a trigger with its definition", answers={200: d.free()}),
        "PUT": Operation("Give a trigger a new version", body=d.shape(definition=DEFINITION), answers={200: d.free()}),
        "PATCH": Operation("Switch a trigger on or off", body=d.shape(is_enabled=d.flag()), answers={200: d.free()}),
    }

    def get(self, request: Request, key: str) -> Response:
        trigger = trigger_of(key)
        latest = TriggerVersion.objects.filter(trigger=trigger).order_by("-number").first()
        row = TRIGGERS.read(_triggers(), pk=trigger.pk)
        return answer({**row, "version": latest.number if latest else None, "definition": _definition(latest)})

    def put(self, request: Request, key: str) -> Response:
        trigger = trigger_of(key)
        try:
            change_trigger(trigger, definition=definition_in(json_object(request)), actor=self.user, at=timezone.now())
        except DefinitionRefused as error:
            raise refused(error) from error
        return self.get(request, key)

    def patch(self, request: Request, key: str) -> Response:
        trigger, is_enabled = trigger_of(key), json_object(request).get("is_enabled")
        if not isinstance(is_enabled, bool):
            detail = "is_enabled is true or false."
            raise Problem("refused", detail, errors=[error_at("/is_enabled", "boolean", detail)])
        enable_trigger(trigger, is_enabled=is_enabled, actor=self.user, at=timezone.now())
        return self.get(request, key)


def _definition(version: TriggerVersion | None) -> dict[str, Any] | None:
    return None if version is None else version.definition


class TriggerSimulation(Endpoint):
    policy = {"POST": "health.view"}
    describe = {
        "POST": Operation(
            "Try a trigger",
            "A fact is taken as already measured over the condition's window, severity and least count. Nothing is"
            " stored.",
            body=d.shape(facts=d.free("{metric: value, event: true}")),
            answers={200: SIMULATED_TRIGGER},
            example={"facts": {"usage_change_pct": -20}},
        )
    }

    def post(self, request: Request, key: str) -> Response:
        version = TriggerVersion.objects.filter(trigger=trigger_of(key)).order_by("-number").first()
        if version is None:
            raise Http404
        try:
            return answer(simulate_trigger(version.definition, facts_in(request, "facts")))
        except InputsRefused as error:
            raise inputs_refused(error, "facts") from error


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
    path("health/triggers/", TriggerList.as_view(), name="trigger-list"),
    path("health/triggers/<slug:key>/", TriggerDetail.as_view(), name="trigger-detail"),
    path("health/triggers/<slug:key>/simulate/", TriggerSimulation.as_view(), name="trigger-simulate"),
]
