"""Installing, drafting and changing triggers, and what holds for all of them: always a new version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.keys import insert_free_key, insert_key
from accounts.actions.locking import differences
from accounts.audit import record
from accounts.errors import RuleViolated, StaleVersion
from health.actions.definitions import check, define
from health.conditions import events_of
from health.models import Trigger, TriggerPolicy, TriggerVersion
from health.queries.events import BAND_WORSENED
from health.validation import trigger_problems
from ui import wording

if TYPE_CHECKING:
    from accounts.models import User


STALE_DRAFT = "Somebody changed this draft in the meantime. Load it again to see their change."


@transaction.atomic
def install_trigger(
    definition: Mapping[str, Any], *, pack: str, version: str, at: datetime, actor: User | None = None
) -> TriggerVersion:
    """Install a pack's trigger; its newest version afterwards.

    Repeating it changes nothing; a tenant's own newer version is kept, and can be reset to this one. A key that
    another pack uses already gets this pack's name in front. Raises DefinitionRefused.
    """
    check(trigger_problems(definition))
    trigger = _trigger_of(definition, pack, at)
    if trigger.shipped != definition:
        trigger.shipped, trigger.shipped_origin = dict(definition), f"{pack} {version}"
        trigger.save(update_fields=["shipped", "shipped_origin"])
    latest = trigger.versions.first()
    if latest is not None and (not latest.origin or trigger.versions.filter(definition=dict(definition)).exists()):
        return latest
    return _new_trigger_version(trigger, definition, origin=f"{pack} {version}", actor=actor, at=at)


def _trigger_of(definition: Mapping[str, Any], pack: str, at: datetime) -> Trigger:
    for key in (definition["key"], f"{pack}-{definition['key']}"):
        trigger, _ = Trigger.objects.get_or_create(
            key=key,
            defaults={
                "name": definition["name"],
                "group": definition.get("group", ""),
                "pack": pack,
                "created_at": at,
            },
        )
        if trigger.pack == pack:
            return trigger
    raise RuleViolated("unique", f"the trigger key {definition['key']} is taken", "key")


@transaction.atomic
def change_trigger(
    trigger: Trigger, *, definition: Mapping[str, Any], actor: User | None, at: datetime
) -> TriggerVersion:
    """The tenant's own version of a trigger, in force from the next run. Raises DefinitionRefused."""
    trigger = Trigger.objects.select_for_update().get(pk=trigger.pk)
    check(trigger_problems(definition))
    if definition["key"] != trigger.key:
        raise RuleViolated("key", f"the key of trigger {trigger.key} cannot change", "key")
    return _new_trigger_version(trigger, definition, origin="", actor=actor, at=at)


@transaction.atomic
def create_trigger(definition: Mapping[str, Any], *, actor: User | None, at: datetime) -> TriggerVersion:
    """A trigger of the tenant's own. Raises DefinitionRefused, or RuleViolated if the key is taken."""
    check(trigger_problems(definition))
    trigger = Trigger(key=definition["key"], name=definition["name"], group=definition.get("group", ""), created_at=at)
    _insert(trigger)
    return _new_trigger_version(trigger, definition, origin="", actor=actor, at=at)


@transaction.atomic
def enable_trigger(trigger: Trigger, *, is_enabled: bool, actor: User | None, at: datetime) -> Trigger:
    """Switch a trigger on or off. What it opened stays."""
    before = {"is_enabled": trigger.is_enabled}
    trigger.is_enabled = is_enabled
    trigger.save(update_fields=["is_enabled"])
    record("trigger.enable", trigger, actor=actor, at=at, before=before, after={"is_enabled": is_enabled})
    return trigger


@transaction.atomic
def draft_trigger(
    trigger: Trigger | None,
    *,
    definition: Mapping[str, Any],
    seen: Mapping[str, Any] | None = None,
    actor: User | None,
    at: datetime,
) -> Trigger:
    """Keep ``definition`` as the draft of ``trigger``, or of a new one that rests until it is put in force.

    A new trigger without a key gets one from its name. ``seen`` is the draft the change began with (None: any);
    somebody else's change in between is not overwritten. Raises DefinitionRefused, or RuleViolated for that, or for
    a key that is taken or changed.
    """
    if trigger is None:
        trigger = _begun(definition, at)
        definition = {**definition, "key": trigger.key}
    else:
        trigger = Trigger.objects.select_for_update().get(pk=trigger.pk)
        check(trigger_problems(definition))
        if seen is not None and trigger.draft is not None and seen != trigger.draft:
            raise RuleViolated("stale", STALE_DRAFT)
        if definition["key"] != trigger.key:
            raise RuleViolated("key", f"the key of trigger {trigger.key} cannot change", "key")
    before = {"draft": trigger.draft} if trigger.draft else None
    trigger.draft, trigger.draft_by, trigger.draft_at = dict(definition), actor, at
    trigger.save()
    record("trigger.draft", trigger, actor=actor, at=at, before=before, after={"draft": trigger.draft})
    return trigger


@transaction.atomic
def activate_draft(trigger: Trigger, *, actor: User | None, at: datetime) -> TriggerVersion:
    """Make the draft the version in force; a trigger that had none is switched on by it. Raises RuleViolated."""
    trigger = Trigger.objects.select_for_update().get(pk=trigger.pk)
    if trigger.draft is None:
        raise RuleViolated("draft", "There is no draft to put in force.")
    is_first = not trigger.versions.exists()
    version = change_trigger(trigger, definition=trigger.draft, actor=actor, at=at)
    trigger = version.trigger
    trigger.draft = trigger.draft_by = trigger.draft_at = None
    trigger.save(update_fields=["draft", "draft_by", "draft_at"])
    if is_first:
        enable_trigger(trigger, is_enabled=True, actor=actor, at=at)
    return version


@transaction.atomic
def discard_draft_of(trigger: Trigger, *, actor: User | None, at: datetime) -> bool:
    """Throw the draft away; a trigger that has never been in force goes with it. Whether the trigger is left."""
    trigger = Trigger.objects.select_for_update().get(pk=trigger.pk)
    record("trigger.discard", trigger, actor=actor, at=at, before={"draft": trigger.draft})
    if not trigger.versions.exists():
        trigger.delete()
        return False
    trigger.draft = trigger.draft_by = trigger.draft_at = None
    trigger.save(update_fields=["draft", "draft_by", "draft_at"])
    return True


@transaction.atomic
def reset_trigger(trigger: Trigger, *, actor: User | None, at: datetime) -> TriggerVersion:
    """Go back to what the pack brought last, as a new version; from then on the pack's upgrades come in again.

    Raises RuleViolated for a trigger that no pack brought.
    """
    trigger = Trigger.objects.select_for_update().get(pk=trigger.pk)
    shipped, origin = trigger.shipped, trigger.shipped_origin
    if shipped is None:
        last = trigger.versions.exclude(origin="").first()
        if last is None:
            raise RuleViolated("pack", "No methodology brought this trigger; there is nothing to reset it to.")
        shipped, origin = last.definition, last.origin
    return _new_trigger_version(trigger, shipped, origin=origin, actor=actor, at=at)


@transaction.atomic
def change_policy(
    *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> TriggerPolicy:
    """Set quiet hours and the cap of the workspace; what is left out stays.

    Raises RuleViolated naming the field, StaleVersion when somebody was faster.
    """
    policy, _ = TriggerPolicy.objects.select_for_update().get_or_create(is_only=True)
    if expected_version is not None and expected_version != policy.version:
        raise StaleVersion(expected=expected_version, actual=policy.version)
    before, after = differences(policy, changes)
    for name in after:
        setattr(policy, name, changes[name])
    if (policy.quiet_from is None) != (policy.quiet_until is None):
        missing = "quiet_from" if policy.quiet_from is None else "quiet_until"
        raise RuleViolated("pair", "Quiet hours have a beginning and an end.", missing)
    if policy.quiet_from is not None and policy.quiet_from == policy.quiet_until:
        raise RuleViolated("range", "Quiet hours end at another time than they begin.", "quiet_until")
    if (policy.account_max is None) != (policy.account_days is None):
        missing = "account_max" if policy.account_max is None else "account_days"
        raise RuleViolated("pair", "A cap is so many CTAs in so many days: give both.", missing)
    for name, most in (("account_max", 100), ("account_days", 365)):
        value = getattr(policy, name)
        if value is not None and not 1 <= value <= most:
            raise RuleViolated("range", f"From 1 to {most}.", name)
    if not after:
        return policy
    policy.version += 1
    policy.save()
    record("trigger.policy", policy, actor=actor, at=at, before=before, after=after)
    return policy


def _begun(definition: Mapping[str, Any], at: datetime) -> Trigger:
    """A new trigger that rests, under the key that ``definition`` gives or else one made of its name."""
    key = definition.get("key")
    check(trigger_problems({**definition, "key": key or "trigger"}))
    group = definition.get("group", "")
    trigger = Trigger(key=key or "", name=definition["name"], group=group, is_enabled=False, created_at=at)
    if key:
        _insert(trigger)
    else:
        insert_free_key(trigger, trigger.name, limit=60, otherwise="trigger")
    return trigger


def _insert(trigger: Trigger) -> None:
    insert_key(trigger, taken=f"there is a trigger {trigger.key} already", field="key", code="unique")


def _new_trigger_version(
    trigger: Trigger, definition: Mapping[str, Any], *, origin: str, actor: User | None, at: datetime
) -> TriggerVersion:
    before = trigger.versions.first()
    version = TriggerVersion.objects.create(
        trigger=trigger,
        number=before.number + 1 if before else 1,
        definition=dict(definition),
        origin=origin,
        created_by=actor,
        created_at=at,
    )
    if trigger.name != definition["name"]:
        trigger.name = definition["name"]
        trigger.save(update_fields=["name"])
    for event in sorted(events_of(version.definition["condition"]) - {BAND_WORSENED}):
        define(event, wording.titled(event), unit="flag", pack=trigger.pack, at=at, lowest=0, highest=1)
    record(
        "trigger.change",
        trigger,
        actor=actor,
        at=at,
        before={"definition": before.definition} if before else None,
        after={"version": version.number, "definition": version.definition},
    )
    return version
