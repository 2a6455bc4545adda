"""Scorecards, triggers, backtests, receipts and what they read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from health.editing import fields_of
from tests.authz.bodies.example import BY_KEY, Example
from tests.authz.bodies.made import definition, tomorrow

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World

TRIGGER_RULE = {
    "name": "Gone quiet",
    "c-0-0-what": "absent:meeting",
    "c-0-0-days": "100",
    "actions": "Call them",
    "do": "save",
}
PACK_TIME = {"every": "week", "weekday": "1", "hour": "8"}
METRIC = {"key": "seats_used", "name": "Seats used"}


# allauth's forms answer 200 with the error; ours 422.
def theirs(world: World, actor: Actor, seed: str) -> Any:
    """The row of the tenant ``actor`` knocks at."""
    return world.row(seed, "own" if actor.tenant == "a" else "foreign")


def edited(world: World, actor: Actor) -> dict[str, Any]:
    """The editor's fields for a new version, as they came."""
    return {**fields_of(world.own("version").definition), "do": "save"}


def scheduled(world: World, actor: Actor) -> dict[str, Any]:
    """A board pack of the view that all see, every Tuesday to the VP."""
    view = theirs(world, actor, "shared_portfolio_view").pk
    return {"view": view, **PACK_TIME, "recipients": [world.people_of(actor)["vp"].pk]}


EXAMPLES: dict[str, Example] = {
    # Health
    "POST health:scorecard-detail": Example(),
    "POST health:scorecard-draft": Example(
        lambda world, actor: {"definition": json.dumps(world.own("version").definition), "note": "Tried"}
    ),
    "POST health:scorecard-simulator": Example(status=200),
    "POST health:scorecard-edit": Example(edited),
    "POST health:scorecard-version": Example({"do": "unschedule"}),
    "POST health:scorecard-coverage": Example({"least": "30"}),
    "POST health:scorecard-use": Example({"is_default": "on"}),
    "POST health:scorecard-create": Example(
        lambda world, actor: {"name": "Own", "key": "matrix-own", "copy": theirs(world, actor, "scorecard").pk}
    ),
    "POST health:backtest-list": Example(
        lambda world, actor: {
            "version": theirs(world, actor, "version").pk,
            "months": 3,
            "step": "month",
            "horizon_days": 90,
            "basis": "recorded",
        }
    ),
    "POST health:backtest-detail": Example({"do": "delete"}),
    "PUT api:scorecard-draft": Example(definition("version")),
    "POST api:scorecard-schedule": Example({"on": tomorrow()}, status=200),
    "POST api:scorecard-roll-back": Example(status=200),
    "POST health:review-list": Example({"kind": "week"}),
    "POST health:review-detail": Example({"do": "done", "step": "1"}),
    "POST health:review-item": Example({"done": "1", "note": "Spoke to them"}),
    "POST health:renewal-call": Example({"call": "at_risk", "reason": "Budget cut"}),
    "POST health:renewal-decision": Example({"side": "system", "reason": "No sponsor"}),
    "POST health:renewal-checkpoints": Example({"days": "120, 60"}),
    "POST api:renewal-call": Example({"call": "at_risk", "reason": "Budget cut"}, status=200),
    "POST api:renewal-decision": Example({"side": "system", "reason": "No sponsor"}, status=200),
    "POST api:review-list": Example({"kind": "week"}, status=201),
    "PATCH api:review-detail": Example({"step": 1, "done": True}),
    "PATCH api:review-item": Example({"done": True, "note": "Spoke to them"}),
    "POST api:backtest-list": Example(
        lambda world, actor: {"scorecard": world.own("scorecard").key, "version": 1, "months": 1},
        status=201,
    ),
    "POST api:backtest-cancel": Example(status=200),
    "POST health:trigger-detail": Example({"do": "off"}),
    "POST health:dry-run-list": Example({"days": 7}),
    "PUT api:trigger-draft": Example(definition("trigger_version"), status=200),
    "POST api:trigger-draft": Example(status=200),
    "POST api:trigger-dry-run": Example({"days": 7}, status=201),
    "POST health:trigger-new": Example(TRIGGER_RULE),
    "POST health:trigger-edit": Example(TRIGGER_RULE),
    "POST health:automation-limits": Example({"account_max": "3", "account_days": "7"}),
    "POST health:trigger-simulator": Example(status=200),
    "GET health:receipt": Example(),
    "POST health:receipt": Example(status=200),
    "POST accounts:portfolio-figure": Example(status=200),
    "POST accounts:portfolio-view-save": Example({"name": "Matrix view", "query": "period=year"}),
    "POST accounts:portfolio-view-change": Example({"name": "Other"}),
    "POST accounts:portfolio-view-default": Example({"default": "1"}),
    "POST api:portfolio-view-list": Example({"name": "Matrix view", "query": "period=year"}),
    "PATCH api:portfolio-view-detail": Example({"name": "Other"}),
    "POST accounts:portfolio-targets": Example({"nrr": "107"}),
    "PATCH api:portfolio-targets": Example({"nrr": "107"}),
    "POST accounts:board-packs": Example(),
    "POST accounts:pack-schedule-new": Example(scheduled),
    "POST accounts:pack-schedule-edit": Example(scheduled),
    "POST api:account-health-events": Example({"event": "churn_threat"}),
    "POST api:account-trigger-snooze": Example({"until": f"{tomorrow()}T00:00:00Z", "reason": "Known"}),
    "POST api:override-list": Example(
        lambda world, actor: {
            "account": str(world.own("account").pk),
            "band": world.own("override").band,
            "reason": "Sponsor is back",
            "expires_at": f"{tomorrow()}T00:00:00Z",
        },
        about=BY_KEY,
    ),
    "POST api:scorecard-list": Example(definition("version", key="matrix-card")),
    "PATCH api:scorecard-detail": Example({"segments": []}),
    "POST api:scorecard-versions": Example(definition("version")),
    "POST api:scorecard-coverage": Example({"least_pct": 30}, status=201),
    "POST api:scorecard-simulate": Example({"inputs": {}}),
    "POST api:trigger-list": Example(definition("trigger_version", key="matrix-trigger")),
    "PUT api:trigger-detail": Example(definition("trigger_version")),
    "PATCH api:trigger-detail": Example({"is_enabled": True}),
    "POST api:trigger-simulate": Example({"facts": {}}),
    # Usage
    "POST usage:parked-map": Example(
        lambda world, actor: {"source": "crm", "external_id": "X-9", "account": world.own("account").pk}
    ),
    "POST usage:metric-list": Example(METRIC | {"kind": "number", "aggregation": "latest"}),
    "POST usage:feature-list": Example({"features": "login"}),
    "POST usage:metric-history": Example({"on": "2026-01-31", "value": "1"}),
    "POST api:usage-events": Example({"events": []}, status=202),
    "POST api:usage-metrics": Example({"metrics": []}, status=202),
    "POST api:usage-metric-definitions": Example(METRIC),
}
