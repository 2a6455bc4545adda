"""``support/sla``: service levels, and the simulators that judge made-up tickets as real ones are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import WorkCalendar
from api.problems import Problem, error_at
from api.reading import json_object
from api.schema import IF_MATCH
from api.serializers import OffsetMomentField, QuerySerializer, RowSerializer
from api.v1.calendars import read_definition
from api.views import Endpoint
from businesstime import NoWorkingTime
from support import actions
from support.choices import PolicyScope, Waits
from support.models import Ladder, SlaPolicy, SlaPolicyVersion
from support.queries.policies import OutOfRange, SimulationRefused, simulate_policy
from support.sla.decide import decide
from support.sla.simulate import CLOCKS, EVENT_TYPES, simulate

MOST_EVENTS = 2000
MOST_MINUTES = 10_000_000


class PolicySerializer(RowSerializer):
    calendar = serializers.CharField(read_only=True, help_text="Key of the calendar its business hours count in")
    rules = serializers.JSONField(read_only=True)
    escalate_at_pct = serializers.IntegerField(read_only=True, allow_null=True)
    number = serializers.IntegerField(read_only=True, help_text="Version of its promises")
    warn_at = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)
    pause_on = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)

    class Meta:
        model = SlaPolicy
        fields = """key name scope tiers channels level features includes pack is_enabled position retired_at version
            calendar rules escalate_at_pct warn_at pause_on number""".split()
        paths = {"tiers": "tier_keys"}
        extended = ("calendar", "rules", "escalate_at_pct", "warn_at", "pause_on", "number")
        versioned = True

    def extend(self, rows: Any) -> None:
        """Put the newest promises on every row. One query."""
        versions = SlaPolicyVersion.objects.filter(policy__in=[row["_pk"] for row in rows]).order_by("number")
        newest = {version.policy_id: version for version in versions.select_related("calendar")}
        for row in rows:
            version = newest[row["_pk"]]
            row |= {
                "calendar": version.calendar.key, "rules": version.rules, "number": version.number,
                "escalate_at_pct": version.escalate_at_pct, "warn_at": version.warn_at, "pause_on": version.pause_on,
            }  # fmt: skip


class PolicyQuery(QuerySerializer):
    scope = serializers.ChoiceField(PolicyScope.choices)
    pack = serializers.CharField()


class PolicyBody(serializers.Serializer):
    """A service level of the workspace's own."""

    key = serializers.SlugField(max_length=80)
    name = serializers.CharField(max_length=120)
    scope = serializers.ChoiceField(["ticket", "channel"], default="ticket")
    tiers = serializers.ListField(child=serializers.CharField(), default=list)
    channels = serializers.ListField(child=serializers.CharField(max_length=20), default=list)
    calendar = serializers.SlugRelatedField(slug_field="key", queryset=WorkCalendar.objects.none())
    rules = serializers.ListField(child=serializers.DictField(), allow_empty=False)
    escalate_at_pct = serializers.IntegerField(min_value=1, max_value=100, allow_null=True, default=None)
    warn_at = serializers.ListField(
        child=serializers.CharField(max_length=8), allow_null=True, default=None, max_length=8,
        help_text="80% of the time used, 60m of it left; null: as the workspace's clocks do",
    )  # fmt: skip
    pause_on = serializers.ListField(
        child=serializers.ChoiceField(Waits.choices), allow_null=True, default=None,
        help_text="Statuses in which the resolution clock waits; null: as the workspace's clocks do",
    )  # fmt: skip
    position = serializers.IntegerField(min_value=0, max_value=1000, default=0)

    def get_fields(self) -> dict[str, Any]:
        """The calendars of the workspace that asks, not of the one the module was loaded in."""
        found = super().get_fields()
        found["calendar"].queryset = WorkCalendar.objects.all()
        return found


class PolicyPatch(PolicyBody):
    """What can be changed; of a methodology's only whether it is in force."""

    is_enabled = serializers.BooleanField()
    key = None
    scope = None


class PolicyList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "support.configure"}
    serializer_class = PolicySerializer
    query_class = PolicyQuery
    ordering_fields = {"key": "key", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List service levels")
    def get(self, request: Request) -> Response:
        return self.page(SlaPolicy.objects.filter(**self.query))

    @extend_schema(summary="Add a service level of your own", request=PolicyBody)
    def post(self, request: Request) -> Response:
        values = body_of(self, PolicyBody)
        policy = actions.create_policy(actor=self.user, at=timezone.now(), **values)
        return self.one(SlaPolicy.objects.all(), 201, pk=policy.pk)


class PolicyDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure", "DELETE": "support.configure"}
    serializer_class = PolicySerializer

    @extend_schema(summary="Read a service level")
    def get(self, request: Request, key: str) -> Response:
        return self.one(SlaPolicy.objects.all(), key=key)

    @extend_schema(
        summary="Change a service level",
        description="Other promises make a new version; open deadlines move to it within a minute.",
        request=PolicyPatch,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, key: str) -> Response:
        values = body_of(self, PolicyPatch, partial=True)
        actions.change_policy(
            policy_of(key), actor=self.user, at=timezone.now(), expected_version=self.expected_version, **values
        )
        return self.one(SlaPolicy.objects.all(), key=key)

    @extend_schema(summary="Retire a service level of your own")
    def delete(self, request: Request, key: str) -> Response:
        actions.retire_policy(policy_of(key), actor=self.user, at=timezone.now())
        return Response(status=204)


class SimulationBody(serializers.Serializer):
    """A calendar, the time promised in minutes, and what happened."""

    calendar = serializers.JSONField(help_text="A calendar as in the calculator, or the key of a stored one")
    target_minutes = serializers.DictField(
        child=serializers.DecimalField(None, None, allow_null=True), help_text="By clock; null: nothing is promised"
    )
    clock_rules = serializers.DictField(child=serializers.DictField(), allow_null=True, default=dict)
    events = serializers.ListField(child=serializers.DictField(), allow_empty=False, max_length=MOST_EVENTS)
    evaluated_at = OffsetMomentField(allow_null=True, default=None)


class SlaSimulate(Endpoint):
    policy = {"POST": "tickets.view"}

    @extend_schema(
        summary="Try clocks on a made-up ticket",
        description="Nothing is stored. Event types: " + ", ".join(EVENT_TYPES) + ". A clock is breached when the "
        "business time used exceeds the target; evaluated at the last event unless evaluated_at says otherwise.",
        request=SimulationBody,
        responses=OpenApiTypes.OBJECT,
    )
    def post(self, request: Request) -> Response:
        values = body_of(self, SimulationBody)
        calendar = read_definition(values["calendar"])
        targets, events = _targets(values["target_minutes"]), _events(values["events"])
        if values["evaluated_at"] and values["evaluated_at"] < events[0][1]:
            raise wrong("evaluated_at", "before", "Nothing can be said before it was created.")
        try:
            found = simulate(
                calendar, targets, events,
                pausable=_pausable(values["clock_rules"] or {}), evaluated_at=values["evaluated_at"],
            )  # fmt: skip
        except NoWorkingTime as error:
            raise wrong("calendar", "no_working_time", f"{str(error).capitalize()}.") from error
        return Response({name: shown(value) for name, value in found.items()})


class PolicySimulationBody(serializers.Serializer):
    """A ticket nobody has opened yet."""

    tier = serializers.CharField(allow_null=True, default=None)
    severity = serializers.CharField(allow_null=True, default=None)
    created_at = OffsetMomentField()
    timezone = serializers.CharField(allow_blank=True, allow_null=True, default="")
    holidays = serializers.ListField(
        child=serializers.CharField(max_length=10), allow_null=True, default=list, max_length=2000
    )


class PolicySimulate(Endpoint):
    policy = {"POST": "tickets.view"}

    @extend_schema(
        summary="When a service level's promises would be due",
        description="Null: nothing is promised. timezone and holidays stand in for the customer's.",
        request=PolicySimulationBody,
        responses=OpenApiTypes.OBJECT,
    )
    def post(self, request: Request, key: str) -> Response:
        values = body_of(self, PolicySimulationBody)
        try:
            found = simulate_policy(
                policy_of(key), tier=values["tier"] or "", severity=values["severity"] or "*",
                created_at=values["created_at"], zone=values["timezone"] or "", holidays=values["holidays"] or (),
            )  # fmt: skip
        except SimulationRefused as error:
            raise wrong(error.field, error.rule, str(error)) from error
        except OutOfRange as error:
            raise wrong("created_at", "no_working_time", str(error)) from error
        return Response({name: shown(value) for name, value in found.items()})


class Decide(Endpoint):
    policy = {"POST": "escalations.view"}

    @extend_schema(
        summary="Who owns a case, by the decision tree of the methodology",
        description="Every branch is read: the highest level owns, the others join. A fact left out is false.",
        request=OpenApiTypes.OBJECT,
        responses=OpenApiTypes.OBJECT,
    )
    def post(self, request: Request) -> Response:
        facts = json_object(request).get("facts")
        if not isinstance(facts, Mapping):
            raise wrong("facts", "type", "facts is an object of true and false.")
        ladder = next((each for each in Ladder.objects.all() if each.definition.get("decision_tree")), None)
        if ladder is None:
            raise Problem("not-found", "No methodology installed here has a decision tree.")
        tree = ladder.definition["decision_tree"]
        for name, value in facts.items():
            if name not in tree["facts"] or not isinstance(value, bool):
                raise wrong(f"facts/{name}", "fact", "This is not asked, or not answered with true or false.")
        ranks = {level["key"]: level.get("level", 0) for level in ladder.definition.get("levels", [])}
        decision = decide(tree, facts, ranks)
        return Response({"owner": decision.owner, "with": list(decision.joined_by)})


def body_of(view: Endpoint, wanted: type[serializers.Serializer], *, partial: bool = False) -> dict[str, Any]:
    """The clean values of the body; unknown fields are refused. Raises ValidationError, Problem."""
    body = json_object(view.request)
    serializer = wanted(data=body, partial=partial, context={"request": view.request})
    unknown = sorted(set(body) - set(serializer.fields))
    if unknown:
        raise wrong(unknown[0], "unknown", f"Unknown field; use {', '.join(serializer.fields)}.")
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def wrong(field: str, code: str, detail: str) -> Problem:
    """The 422 about one place in the body, its steps separated by slashes."""
    return Problem("refused", detail, errors=[error_at(f"/{field}", code, detail)])


def policy_of(key: str) -> SlaPolicy:
    """The service level, with its newest version. Raises Http404."""
    newest = Prefetch("versions", SlaPolicyVersion.objects.select_related("calendar").order_by("-number"))
    found = SlaPolicy.objects.filter(key=key).prefetch_related(newest).first()
    if found is None:
        raise Http404
    return found


def shown(value: Any) -> Any:
    """A moment as RFC 3339; everything else as it is."""
    return value.isoformat() if isinstance(value, datetime) else value


def _targets(minutes: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    for clock, value in minutes.items():
        if clock not in CLOCKS:
            raise wrong(f"target_minutes/{clock}", "clock", f"Use {', '.join(CLOCKS)}.")
        if value is None:
            continue
        if not 0 < value <= MOST_MINUTES:
            raise wrong(f"target_minutes/{clock}", "number", "A target is longer than nothing.")
        found[clock] = int(value * 60)
    if not found:
        raise wrong("target_minutes", "required", "Promise something.")
    return found


def _pausable(rules: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    found = {}
    for clock, rule in rules.items():
        if clock not in CLOCKS:
            raise wrong(f"clock_rules/{clock}", "clock", f"Use {', '.join(CLOCKS)}.")
        value = rule.get("pausable")
        if set(rule) - {"pausable"} or not isinstance(value, bool):
            raise wrong(f"clock_rules/{clock}/pausable", "type", 'Use {"pausable": true or false}.')
        found[clock] = value
    return found


def _events(events: list[Mapping[str, Any]]) -> list[tuple[str, datetime]]:
    found = []
    for index, event in enumerate(events):
        kind = event.get("type")
        if kind not in EVENT_TYPES:
            raise wrong(f"events/{index}/type", "choice", f"Use {', '.join(EVENT_TYPES)}.")
        try:
            moment = OffsetMomentField().run_validation(event.get("at"))
        except (serializers.ValidationError, AttributeError) as error:
            detail = "A moment with its offset, such as 2026-11-24T09:00:00+01:00."
            raise wrong(f"events/{index}/at", "moment", detail) from error
        found.append((kind, moment))
    # Whatever happened at the moment of its creation happened after it.
    found.sort(key=lambda event: (event[1], event[0] != "created"))
    if sum(kind == "created" for kind, _at in found) != 1 or found[0][0] != "created":
        raise wrong("events", "created", "Begin with created, once.")
    return found


urlpatterns = [
    path("support/sla/simulate/", SlaSimulate.as_view(), name="sla-simulate"),
    path("support/sla-policies/", PolicyList.as_view(), name="sla-policy-list"),
    path("support/sla-policies/<slug:key>/", PolicyDetail.as_view(), name="sla-policy-detail"),
    path("support/sla-policies/<slug:key>/simulate/", PolicySimulate.as_view(), name="sla-policy-simulate"),
    path("support/escalations/decide/", Decide.as_view(), name="escalation-decide"),
]
