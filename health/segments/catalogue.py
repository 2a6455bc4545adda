"""What a rule may test in this workspace: the account's own facts, its contracts, health, work and metrics."""

from __future__ import annotations

import json
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from django.core.cache import cache
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Coalesce, JSONObject, NullIf

from accounts.choices import AccountStatus, FieldKind
from accounts.models import Account, LifecycleStage, OwnField, Tier, User
from accounts.own_values import PREFIX, FieldDefinition
from accounts.queries.own_fields import known_fields
from health.cards import compiled
from health.choices import Rag
from health.queries.inputs import active_cards
from health.segments.rules import CHOICE, DATE, DAYS, NUMBER, TEXT, RuleField
from ui import wording
from usage.choices import MetricKind
from usage.models import MetricDefinition

METRIC = "metric:"
# The days from today to the day in an own field; the day itself is the field under its own name.
OWN_DAYS = "custom_days."
KEPT_SECONDS = 60
ACCOUNT, CONTRACTS, HEALTH, WORK, METRICS = "Account", "Contracts", "Health", "Contact and work", "Metrics"
OWN, OWN_ARCHIVED = "Own fields", "Archived fields"
_OWN_KINDS = {
    FieldKind.NUMBER: NUMBER,
    FieldKind.DATE: DATE,
    FieldKind.CHOICE: CHOICE,
    FieldKind.YES_NO: CHOICE,
    FieldKind.TEXT: TEXT,
    FieldKind.LINK: TEXT,
}
_FIXED = (
    RuleField("name", "Name", TEXT, ACCOUNT),
    RuleField("segment", "Segment name", TEXT, ACCOUNT),
    RuleField("industry", "Industry", TEXT, ACCOUNT),
    RuleField("country", "Country", TEXT, ACCOUNT),
    RuleField("status", "Status", CHOICE, ACCOUNT, tuple(AccountStatus.choices)),
    RuleField("arr", "ARR", NUMBER, ACCOUNT),
    RuleField("customer_days", "Customer for", DAYS, ACCOUNT),
    RuleField("renewal_days", "Renews in", DAYS, CONTRACTS),
    RuleField("contracts", "Contracts in force", NUMBER, CONTRACTS),
    RuleField("product", "Bought product", TEXT, CONTRACTS),
    RuleField("seats", "Seats", NUMBER, CONTRACTS),
    RuleField("seats_used_pct", "Seats given out", NUMBER, CONTRACTS, unit="%"),
    RuleField("band", "Band", CHOICE, HEALTH, tuple(Rag.choices)),
    RuleField("score", "Score", NUMBER, HEALTH),
    RuleField("score_change", "Score change in 30 days", NUMBER, HEALTH),
    RuleField("coverage_pct", "Score coverage", NUMBER, HEALTH, unit="%"),
    RuleField("band_days", "In its band for", DAYS, HEALTH),
    RuleField("touch_days", "Since the last touch", DAYS, WORK),
    RuleField("meeting_days", "Since the last meeting", DAYS, WORK),
    RuleField("open_ctas", "Open CTAs", NUMBER, WORK),
)


def fields() -> dict[str, RuleField]:
    """Every field by key, in the order of the builder. Three queries."""
    people, tiers, stages, own_fields = _people_tiers_stages_fields()
    own = (
        RuleField("owner", "Owner", CHOICE, ACCOUNT, people),
        RuleField("tier", "Tier", CHOICE, ACCOUNT, tiers),
        RuleField("stage", "Stage", CHOICE, ACCOUNT, stages),
    )
    found = {field.key: field for field in (*own, *_FIXED)}
    found |= _own(_definition(key, json.loads(told)) for key, told in own_fields)
    return found | {field.key: field for field in _metrics()}


def _own(own: Iterable[FieldDefinition]) -> dict[str, RuleField]:
    every = sorted(own, key=lambda field: field.is_archived)
    return {field.key: field for own_field in every for field in own_rule_fields(own_field)}


def own_rule_fields(field: FieldDefinition) -> list[RuleField]:
    """What a rule may test of an own field: its value, and of a day also how far off it is.

    Rules may go on with a field that is archived: what accounts hold is there still.
    """
    group = OWN_ARCHIVED if field.is_archived else OWN
    options = tuple((option, option) for option in field.options)
    if field.kind == FieldKind.YES_NO:
        options = (("true", "Yes"), ("false", "No"))
    found = [RuleField(field.name, field.label, _OWN_KINDS[FieldKind(field.kind)], group, options)]
    if field.kind == FieldKind.DATE:
        found.append(RuleField(OWN_DAYS + field.key, f"{field.label}, from today in", DAYS, group))
    return found


def own_key(field: str) -> str:
    """The key of the own field that a rule's ``field`` tests; empty for another one."""
    return next((field.removeprefix(start) for start in (PREFIX, OWN_DAYS) if field.startswith(start)), "")


def recent_fields() -> dict[str, RuleField]:
    """The same, at most a minute old but for own fields, for telling rules in words: two look-ups."""
    found: dict[str, RuleField] = cache.get_or_set("health.segments.fields", fields, KEPT_SECONDS)
    return found | _own(known_fields().values())


Pairs = tuple[tuple[str, str], ...]


def _people_tiers_stages_fields() -> tuple[Pairs, Pairs, Pairs, Pairs]:
    """Keys and names to choose from, each list in its own order, and own fields as JSON. One query."""
    key, named = Cast("pk", CharField()), Coalesce(NullIf("name", Value("")), "email", output_field=CharField())
    people = User.objects.active().staff().order_by().values_list(Value(0), Value(0), key, named)
    tiers = Tier.objects.order_by().values_list(Value(1), -F("rank"), key, "name")
    stages = LifecycleStage.objects.order_by().values_list(Value(2), "position", key, "name")
    told = JSONObject(label="label", kind="kind", options="options", archived="archived_at")
    fields = OwnField.objects.order_by().values_list(Value(3), "position", "key", Cast(told, CharField()))
    found: tuple[list[tuple[str, str]], ...] = ([], [], [], [])
    for kind, _place, pk, name in sorted(people.union(tiers, stages, fields, all=True), key=itemgetter(0, 1, 3)):
        found[kind].append((pk, name))
    return tuple(found[0]), tuple(found[1]), tuple(found[2]), tuple(found[3])


def _definition(key: str, told: dict[str, Any]) -> FieldDefinition:
    archived = told["archived"] is not None
    return FieldDefinition(key, told["label"], told["kind"], tuple(told["options"]), is_archived=archived)


def _metrics() -> list[RuleField]:
    """The metrics of this workspace, and what its scorecards read besides."""
    found = {}
    for metric in MetricDefinition.objects.all():
        is_choice = metric.kind == MetricKind.CHOICE
        options = tuple((option["key"], option.get("name") or option["key"]) for option in metric.options)
        unit = "" if is_choice else wording.said_unit(metric.unit)
        found[metric.key] = RuleField(
            METRIC + metric.key, metric.name, CHOICE if is_choice else NUMBER, METRICS, options, unit
        )
    for version in active_cards().by_key.values():
        for key in compiled(version).evidence_inputs:
            if key not in found:
                unit = wording.figure(key).unit
                found[key] = RuleField(METRIC + key, wording.titled(key), NUMBER, METRICS, unit=unit)
    return list(found.values())


def segment_names(user: User) -> list[str]:
    """Names typed on accounts that ``user`` may see, to be offered while one is typed. One query."""
    seen = Account.objects.visible_to(user).unarchived().exclude(segment="")
    return list(seen.order_by("segment").values_list("segment", flat=True).distinct()[:60])
