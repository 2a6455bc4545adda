"""Service levels, support levels and ladders: as packs bring them, and the workspace's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.keys import insert_key
from accounts.audit import record
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Tier, WorkCalendar
from businesstime import read_calendar
from support.actions.configuring import clean_warnings
from support.actions.log import choice, one_line
from support.choices import PolicyScope, Waits
from support.models import Ladder, SlaPolicy, SlaPolicyVersion, SupportLevel
from support.sla import BadPromise, Promise

if TYPE_CHECKING:
    from accounts.models import User

Definition = Mapping[str, Any]
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,79}", re.ASCII)
PROMISED = ("calendar", "rules", "escalate_at_pct", "warn_at", "pause_on")
PROMISES = ("response", "first_action", "resolution", "update_every")
# The line of support each key of the packs stands for; others have no queue of their own.
RANKS = {
    "l1": 1, "l2": 2, "l3": 3, "engineering": 4, "tier-1": 1, "tier-2": 2, "tier-3": 3, "tier-4": 4,
}  # fmt: skip


@transaction.atomic
def install_policies(definitions: Sequence[Definition], *, pack: str, at: datetime) -> list[SlaPolicy]:
    """Bring the pack's service levels up to ``definitions``; a version is added only where promises changed.

    Levels that left the pack stay for the tickets they hold for, and hold for no new one.
    """
    found = []
    for position, definition in enumerate(definitions):
        policy = _pack_policy(definition, pack=pack, position=position, at=at)
        _version(policy, _content(definition, pack), actor=None, at=at)
        found.append(policy)
    kept = [policy.pk for policy in found]
    SlaPolicy.objects.filter(pack=pack, retired_at=None).exclude(pk__in=kept).update(retired_at=at)
    return found


@transaction.atomic
def install_support_levels(definitions: Sequence[Definition], *, pack: str) -> None:
    """Bring the pack's lines of support up to ``definitions``."""
    for definition in definitions:
        SupportLevel.objects.update_or_create(
            pack=pack,
            key=definition["key"],
            defaults={
                "name": definition["name"],
                "rank": RANKS.get(definition["key"]),
                "coverage": definition.get("coverage") or "",
                "responsibilities": list(definition.get("responsibilities", ())),
                "skills": list(definition.get("skills", ())),
                "escalates_to": definition.get("escalates_to") or "",
            },
        )


@transaction.atomic
def install_ladder(definition: Definition, *, pack: str) -> Ladder:
    """Bring the pack's ladder up to ``definition``, the pack's whole "escalation" section."""
    names = dict(SupportLevel.objects.filter(pack=pack).values_list("key", "name"))
    ladder, _made = Ladder.objects.update_or_create(
        pack=pack, defaults={"definition": dict(definition), "names": names}
    )
    return ladder


@transaction.atomic
def create_policy(
    *,
    key: str,
    name: str,
    calendar: WorkCalendar,
    rules: Sequence[Definition],
    scope: str = PolicyScope.TICKET,
    tiers: Sequence[str] = (),
    channels: Sequence[str] = (),
    escalate_at_pct: int | None = None,
    warn_at: Sequence[str] | None = None,
    pause_on: Sequence[str] | None = None,
    position: int = 0,
    actor: User,
    at: datetime,
) -> SlaPolicy:
    """Add a service level of the workspace's own; it comes before those of packs. Raises RuleViolated."""
    if not KEY.fullmatch(key):
        raise RuleViolated("key", "A key is a–z, 0–9 and hyphens, at most 80.", "key")
    if SlaPolicy.objects.filter(key=key).exists():
        raise RuleViolated("key_taken", "There is a service level with this key.", "key")
    policy = SlaPolicy(
        key=key, name=one_line(name, "name", 120), scope=_scope(choice(scope, PolicyScope, "scope"), channels),
        tier_keys=_tiers(tiers), channels=list(channels), position=position, created_at=at,
    )  # fmt: skip
    insert_key(policy, taken="There is a service level with this key.", field="key")
    content = checked_content(
        {"calendar": calendar, "tier_calendars": {}, "rules": rules, "escalate_at_pct": escalate_at_pct,
         "warn_at": warn_at, "pause_on": pause_on}
    )  # fmt: skip
    _version(policy, content, actor=actor, at=at)
    record("sla_policy.create", policy, actor=actor, at=at, after={"key": key, "name": name, "rules": list(rules)})
    return policy


@transaction.atomic
def change_policy(
    policy: SlaPolicy, *, actor: User, at: datetime, expected_version: int | None = None, **changes: Any
) -> SlaPolicy:
    """Change a service level. Other promises make a new version; open deadlines move to it in the background.

    Of a pack's only whether it is in force can be changed; a copy of it is the workspace's own.
    """
    policy = SlaPolicy.objects.select_for_update().get(pk=policy.pk)
    if expected_version is not None and policy.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=policy.version)
    if policy.pack and set(changes) - {"is_enabled"}:
        raise RuleViolated("of_methodology", "This service level belongs to a methodology; copy it to change it.")
    newest = policy.versions.select_related("calendar").order_by("-number").first()
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field in ("name", "is_enabled", "position", "channels"):
        if field in changes and getattr(policy, field) != changes[field]:
            before[field], after[field] = getattr(policy, field), changes[field]
            setattr(policy, field, changes[field])
    if "channels" in changes:
        policy.scope = _scope(policy.scope, changes["channels"])
    if "tiers" in changes and policy.tier_keys != changes["tiers"]:
        before["tiers"], after["tiers"] = policy.tier_keys, _tiers(changes["tiers"])
        policy.tier_keys = after["tiers"]
    if newest is not None and changes.keys() & set(PROMISED):
        content = checked_content(content_of(newest) | {name: changes[name] for name in PROMISED if name in changes})
        if _version(policy, content, actor=actor, at=at):
            old, new = _shown(content_of(newest)), _shown(content)
            before |= {name: old[name] for name in old if old[name] != new[name]}
            after |= {name: new[name] for name in old if old[name] != new[name]}
    if not after:
        return policy
    policy.version += 1
    policy.save()
    record("sla_policy.update", policy, actor=actor, at=at, before=before, after=after)
    return policy


@transaction.atomic
def restore_policy(policy: SlaPolicy, number: int, *, actor: User, at: datetime) -> SlaPolicy:
    """Promise again what version ``number`` did, as a new version. Raises RuleViolated."""
    old = policy.versions.select_related("calendar").filter(number=number).first()
    if old is None:
        raise RuleViolated("version", "There is no such version.", "number")
    return change_policy(policy, actor=actor, at=at, **content_of(old))


@transaction.atomic
def retire_policy(policy: SlaPolicy, *, actor: User, at: datetime) -> None:
    """Promise it to no new ticket. Those that have it keep it. Raises RuleViolated for a pack's."""
    policy = SlaPolicy.objects.select_for_update().get(pk=policy.pk)
    if policy.pack:
        raise RuleViolated("of_methodology", "This service level belongs to a methodology; switch it off instead.")
    policy.retired_at, policy.version = at, policy.version + 1
    policy.save(update_fields=["retired_at", "version"])
    record("sla_policy.retire", policy, actor=actor, at=at, before={"key": policy.key})


def content_of(version: SlaPolicyVersion) -> dict[str, Any]:
    """What ``version`` promises, as ``change_policy`` takes it."""
    return {name: getattr(version, name) for name in (*PROMISED, "tier_calendars")}


def checked_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` as a version keeps it. Raises RuleViolated naming the first mistake."""
    warn_at, pause_on = content["warn_at"], content["pause_on"]
    return {
        **content,
        "rules": checked_rules(content["rules"], content["calendar"]),
        "escalate_at_pct": _share(content["escalate_at_pct"]),
        "warn_at": None if warn_at is None else clean_warnings(warn_at),
        "pause_on": None if pause_on is None else [str(choice(each, Waits, "pause_on")) for each in pause_on],
    }


def _shown(content: Mapping[str, Any]) -> dict[str, Any]:
    return {**content, "calendar": content["calendar"].key}


def checked_rules(rules: Sequence[Definition], calendar: WorkCalendar) -> list[dict[str, Any]]:
    """``rules`` as they are stored. Raises RuleViolated naming the first mistake: no time, or an answer due after
    the solution.
    """
    if not rules or not isinstance(rules, Sequence) or isinstance(rules, str):
        raise RuleViolated("required", "Promise something for at least one severity.", "rules")
    found, seen = [], set()
    counted = read_calendar(calendar.definition, default_timezone="UTC")
    for index, rule in enumerate(rules):
        at = f"rules/{index}"
        if not isinstance(rule, Mapping) or not rule.get("severity"):
            raise RuleViolated("severity", "Name a severity, or * for any.", f"{at}/severity")
        if rule["severity"] in seen:
            raise RuleViolated("severity", "This severity stands twice.", f"{at}/severity")
        seen.add(rule["severity"])
        read = {}
        for name in PROMISES:
            try:
                read[name] = Promise.read(rule.get(name), counted, minutes_per_day=calendar.minutes_per_day)
            except BadPromise as error:
                raise RuleViolated(error.field, error, f"{at}/{name}/{error.field}") from error
            except (AttributeError, TypeError) as error:
                raise RuleViolated("type", 'A promise is {"value", "unit", "op"} or null.', f"{at}/{name}") from error
        _in_order(read, f"{at}/resolution")
        found.append({"severity": str(rule["severity"]), **{name: rule.get(name) for name in PROMISES}})
    return found


def _in_order(read: Mapping[str, Promise | None], field: str) -> None:
    response, resolution = read["response"], read["resolution"]
    if response is None or resolution is None or response.calendar is not resolution.calendar:
        return
    if response.seconds > resolution.seconds:
        raise RuleViolated("order", "The answer would be due after the solution.", field)


def _scope(scope: str, channels: Sequence[str]) -> str:
    """A service level about tickets is limited to channels exactly where it names some."""
    if scope not in {PolicyScope.TICKET, PolicyScope.CHANNEL}:
        return scope
    return PolicyScope.CHANNEL if channels else PolicyScope.TICKET


def _share(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or not 1 <= value <= 100:
        raise RuleViolated("escalate_at_pct", "Use a share from 1 to 100 %.", "escalate_at_pct")
    return value


def _tiers(keys: Sequence[str]) -> list[str]:
    known = set(Tier.objects.filter(key__in=keys).values_list("key", flat=True))
    for key in keys:
        if key not in known:
            raise RuleViolated("tiers", f"There is no tier {key!r}.", "tiers")
    return list(keys)


def _pack_policy(definition: Definition, *, pack: str, position: int, at: datetime) -> SlaPolicy:
    """The row of one of a pack's service levels, brought up to its definition."""
    tier = definition.get("tier", "*")
    fields = {
        "name": definition["name"],
        "scope": definition.get("scope", "ticket"),
        "tier_keys": [] if tier == "*" else [key_of(Tier, tier, pack)],
        "channels": [str(channel) for channel in definition.get("channels", ())],
        "level": definition.get("level") or "",
        "features": list(definition.get("features", ())),
        "includes": definition.get("includes") or "",
        "position": position,
        "retired_at": None,
    }
    policy = SlaPolicy.objects.filter(pack=pack, pack_key=definition["key"]).first()
    if policy is None:
        taken = SlaPolicy.objects.filter(key=definition["key"]).exists()
        key = f"{pack}-{definition['key']}" if taken else definition["key"]
        return SlaPolicy.objects.create(key=key, pack=pack, pack_key=definition["key"], created_at=at, **fields)
    if any(getattr(policy, name) != value for name, value in fields.items()):
        for name, value in fields.items():
            setattr(policy, name, value)
        policy.version += 1
        policy.save()
    return policy


def _content(definition: Definition, pack: str) -> dict[str, Any]:
    calendars = {tier: key_of(WorkCalendar, key, pack) for tier, key in definition.get("tier_calendar", {}).items()}
    return {
        "calendar": WorkCalendar.objects.get(key=key_of(WorkCalendar, definition["calendar"], pack)),
        "tier_calendars": {key_of(Tier, tier, pack): key for tier, key in calendars.items()},
        "rules": [dict(rule) for rule in definition["rules"]],
        "escalate_at_pct": definition.get("auto_escalate_at_pct") if definition.get("auto_escalate") else None,
    }


def key_of(model: Any, key: str, pack: str) -> str:
    """The key in the workspace of what the pack calls ``key``: with the pack's name where two use it."""
    prefixed = f"{pack}-{key}"
    return prefixed if model.objects.filter(key=prefixed).exists() else key


def _version(policy: SlaPolicy, content: dict[str, Any], *, actor: User | None, at: datetime) -> bool:
    """Add a version with this content unless the newest says the same; whether one was added."""
    newest = policy.versions.order_by("-number").first()
    if newest is not None and all(getattr(newest, name) == value for name, value in content.items()):
        return False
    SlaPolicyVersion.objects.create(
        policy=policy, number=newest.number + 1 if newest else 1, created_at=at, created_by=actor, **content
    )
    return True
