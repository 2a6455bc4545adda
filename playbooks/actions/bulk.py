"""The same verb on many CTAs, with what is needed to take it back.

A row that cannot take the verb (closed meanwhile, not the actor's to change) is left out and counted, so one
of them never stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.errors import RuleViolated
from accounts.models import User
from playbooks.actions import ctas as verbs
from playbooks.choices import CtaStatus, Priority
from playbooks.models import Cta

MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class BulkResult:
    """``changed`` and ``refused`` keys; ``undo`` is what ``undo_bulk`` takes: each row's state before."""

    changed: list[UUID] = field(default_factory=list)
    refused: list[UUID] = field(default_factory=list)
    undo: list[dict[str, Any]] = field(default_factory=list)


def bulk_close(keys: Iterable[UUID], *, outcome: str, note: str = "", actor: User, at: datetime) -> BulkResult:
    """Close every CTA of ``keys`` that ``actor`` may work and that is not closed."""
    return _each(keys, lambda cta: verbs.close_cta(cta, outcome=outcome, note=note, actor=actor, at=at), actor)


def bulk_snooze(keys: Iterable[UUID], *, until_on: date, reason: str, actor: User, at: datetime) -> BulkResult:
    """Snooze every CTA of ``keys`` that ``actor`` may work and that is not closed."""
    return _each(keys, lambda cta: verbs.snooze_cta(cta, until_on=until_on, reason=reason, actor=actor, at=at), actor)


def bulk_reassign(keys: Iterable[UUID], owner: User, *, actor: User, at: datetime) -> BulkResult:
    """Hand every CTA of ``keys`` that ``actor`` may work to ``owner``."""
    return _each(keys, lambda cta: verbs.reassign_cta(cta, owner, actor=actor, at=at), actor)


def bulk_prioritise(keys: Iterable[UUID], priority: str, *, actor: User, at: datetime) -> BulkResult:
    """Give every unclosed CTA of ``keys`` that ``actor`` may work this priority."""
    if priority not in Priority.values:
        raise RuleViolated("priority", "Choose the priority.", "priority")
    return _each(keys, lambda cta: verbs.update_cta(cta, priority=priority, actor=actor, at=at), actor)


@transaction.atomic
def undo_bulk(undo: list[dict[str, Any]], *, actor: User, at: datetime) -> BulkResult:
    """Bring CTAs back to the states a bulk verb found, where nobody changed them since."""
    rows = {UUID(entry["cta"]): entry for entry in undo[:MAX_ROWS]}
    return _each(rows, lambda cta: _restore(cta, rows[cta.pk], actor=actor, at=at), actor)


def _each(keys: Iterable[UUID], verb: Callable[[Cta], Cta], actor: User) -> BulkResult:
    wanted = list(dict.fromkeys(keys))
    if len(wanted) > MAX_ROWS:
        raise RuleViolated("too_many", f"At most {MAX_ROWS} CTAs at once.", "ctas")
    result = BulkResult()
    for cta in Cta.objects.workable_by(actor).filter(pk__in=wanted).order_by("id"):
        before = verbs.snapshot(cta)
        try:
            after = verb(cta)
        except RuleViolated:
            continue
        result.changed.append(cta.pk)
        result.undo.append({"cta": str(cta.pk), "version": after.version, "before": before})
    result.refused.extend(key for key in wanted if key not in set(result.changed))
    return result


def _restore(cta: Cta, entry: dict[str, Any], *, actor: User, at: datetime) -> Cta:
    """The state before, by the ordinary verbs, so that the log tells of it."""
    before, version = entry["before"], entry["version"]
    cta = verbs.locked(cta, version)
    if cta.status == CtaStatus.CLOSED:
        cta = verbs.reopen_cta(cta, actor=actor, at=at)
    elif cta.status == CtaStatus.SNOOZED and before["status"] == CtaStatus.OPEN:
        cta = verbs.wake_cta(cta, actor=actor, at=at)
    if before["status"] == CtaStatus.SNOOZED:
        until_on = date.fromisoformat(before["snoozed_until_on"])
        cta = verbs.snooze_cta(cta, until_on=until_on, reason=before["snooze_reason"], actor=actor, at=at)
    changed: dict[str, Any] = {
        name: before[name]
        for name in ("priority", "kind")
        if before.get(name, getattr(cta, name)) != getattr(cta, name)
    }
    if date.fromisoformat(before["due_on"]) != cta.due_on:
        changed["due_on"] = date.fromisoformat(before["due_on"])
    if changed:
        cta = verbs.update_cta(cta, actor=actor, at=at, **changed)
    if before["owner_id"] and before["owner_id"] != str(cta.owner_id):
        owner = User.objects.get(pk=before["owner_id"])
        cta = verbs.reassign_cta(cta, owner, actor=actor, at=at)
    return cta
