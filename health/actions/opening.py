"""Turns band crossings and trigger firings into CTAs, timeline entries and notices: each exactly once.

Every row is claimed by a conditional update in the transaction of its effects. Two workers at once, or one
that dies half way, leave one CTA and one notice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from accounts.actions import log_activity
from accounts.audit import record
from accounts.choices import ActivityKind
from accounts.models import Account, User
from accounts.queries.workspace import workspace_day
from engagement.actions import notify
from engagement.choices import Kind
from health.actions.events import record_event
from health.actions.triggers import active_triggers
from health.cards import CompiledCard, compiled
from health.choices import Firing, Rag
from health.conditions import HEALTH_BAND, Condition
from health.judging import duplicate_key
from health.models import BandChange, HealthEvent, HealthScore, ScorecardVersion, TriggerFiring
from health.queries.events import BAND_WORSENED
from health.queries.evidence import changes_in_words
from playbooks.actions import open_cta
from playbooks.choices import CtaKind, Priority
from playbooks.queries import playbook_list
from ui import wording

logger = logging.getLogger(__name__)


class Handled(NamedTuple):
    """What a sweep did: crossings and firings taken, CTAs opened, rows left for the next sweep by an error."""

    crossings: int
    firings: int
    ctas: int
    failed: int


def open_ctas(*, at: datetime, most: int = 2000) -> Handled:
    """Handle every waiting crossing and firing. A row that fails is logged and tried again by the next sweep."""
    crossings, opened, failed = _sweep(BandChange, _handle_crossing, at, most)
    firings, opened_too, failed_too = _sweep(TriggerFiring, _handle_firing, at, most)
    return Handled(crossings, firings, opened + opened_too, failed + failed_too)


def _sweep(model: Any, handle: Any, at: datetime, most: int) -> tuple[int, int, int]:
    taken = opened = failed = 0
    rows = model.objects.filter(handled_at=None)
    if model is TriggerFiring:
        rows = rows.filter(Q(due_at=None) | Q(due_at__lte=at))  # the rest waits for the end of quiet hours
    waiting = list(rows.order_by("id").values_list("id", flat=True)[:most])
    for pk in waiting:
        try:
            with transaction.atomic():
                # RACE: the row lock makes a second worker wait, and then find the row handled.
                if model.objects.filter(pk=pk, handled_at=None).update(handled_at=at) != 1:
                    continue
                taken += 1
                opened += handle(pk, at)
        except Exception:
            failed += 1
            logger.exception("%s %s could not be handled", model.__name__, pk)
    return taken, opened, failed


def _handle_crossing(pk: int, at: datetime) -> int:
    change = BandChange.objects.select_related("account__owner", "version__scorecard").get(pk=pk)
    card = compiled(change.version)
    names = {band.key: band for band in card.card.bands}
    new, old = names[change.new_band], names[change.old_band]
    why = crossing_reasons(change, card)
    verb = "fell" if change.is_worse else "rose"
    title = f"Health {verb} from {old.name} to {new.name}"
    body = "; ".join(why)
    account = change.account
    log_activity(account, kind=ActivityKind.HEALTH, title=title, body=body, actor=None, at=change.changed_at)
    if account.owner is not None:
        notify(
            [account.owner],
            kind=Kind.HEALTH_BAND,
            title=f"{account.name}: {title[0].lower()}{title[1:]}",
            body=body,
            url=_url(account),
            account=account,
            at=at,
            dedupe_key=f"band-change-{change.pk}",
        )
    # The log is what other systems are told from (``webhooks.catalogue``).
    before = {"band": change.old_band, "score": change.old_score}
    after = {"band": change.new_band, "score": change.new_score}
    record("account.band_changed", change, actor=None, at=change.changed_at, before=before, after=after)
    if not change.is_worse or _some_trigger_answers(change.new_band):
        return 0
    cta = open_cta(
        account,
        title=title,
        reason=body or f"The score went from {change.old_score} to {change.new_score}.",
        kind=CtaKind.RISK,
        priority=Priority.HIGH if new.rag in {Rag.RED, Rag.ORANGE} else Priority.MEDIUM,
        trigger_key="",
        duplicate_key="health-band",
        evidence={
            "old_band": change.old_band,
            "new_band": change.new_band,
            "old_score": str(change.old_score),
            "new_score": str(change.new_score),
            "changed_at": change.changed_at.isoformat(),
            "changes": why,
        },
        actions=new_actions(card, change.new_band),
        at=at,
    )
    return int(cta is not None)


def crossing_reasons(change: BandChange, card: CompiledCard) -> list[str]:
    """The measures that moved most between the score before a crossing and the one after. One query."""
    rows = list(
        HealthScore.objects.filter(
            account=change.account_id, version=change.version_id, computed_at__lte=change.changed_at
        ).order_by("-computed_on")[:2]
    )
    return changes_in_words(rows[1], rows[0], card) if len(rows) == 2 else []


def new_actions(card: CompiledCard, band: str) -> list[str]:
    """What the card says to do in a band."""
    for item in card.definition["bands"]:
        if item["key"] == band:
            return [text[0].upper() + text[1:] for text in item.get("actions", []) if text]
    return []


def _some_trigger_answers(band: str) -> bool:
    """Whether an enabled trigger opens a CTA for this band or for any worsening, so that ours would be a second."""
    return any(_answers(version.definition["condition"], band) for version in active_triggers().versions)


def _answers(condition: Condition, band: str) -> bool:
    if "any" in condition:
        return any(_answers(part, band) for part in condition["any"])
    if condition.get("event") == BAND_WORSENED:
        return True
    return condition.get("metric") == HEALTH_BAND and band in condition["value"]


def _handle_firing(pk: int, at: datetime) -> int:
    firing = TriggerFiring.objects.select_related("account__owner", "version__trigger").get(pk=pk)
    account, trigger, definition = firing.account, firing.version.trigger, firing.version.definition
    kind, priority = _kind_and_priority(definition, firing.evidence)
    reason = " ".join([_reason(firing.evidence), *_notes(firing)])
    cta = open_cta(
        account,
        title=trigger.name,
        reason=reason,
        kind=kind,
        priority=priority,
        trigger_key=trigger.key,
        duplicate_key=duplicate_key(trigger.key, definition),
        playbook_key=_playbook(definition),
        owner=_owner(definition),
        due_on=_due_on(definition, at),
        evidence=firing.evidence,
        actions=[text[0].upper() + text[1:] for text in definition["actions"] if text],
        at=at,
    )
    TriggerFiring.objects.filter(pk=pk).update(
        outcome=Firing.DUPLICATE if cta is None else Firing.OPENED, cta_id=None if cta is None else cta.pk
    )
    if cta is not None and definition.get("raises"):
        record_event(account, definition["raises"], at, {"note": f"Recorded by the trigger {trigger.name}"})
    if cta is not None and account.owner is not None:
        notify(
            [account.owner],
            kind=Kind.HEALTH_TRIGGER,
            title=f"{account.name}: {trigger.name}",
            body=reason,
            url=_url(account),
            account=account,
            at=at,
            dedupe_key=f"trigger-firing-{pk}",
        )
    return int(cta is not None)


def _playbook(definition: Mapping[str, Any]) -> str | None:
    """The playbook it names, as long as that is in use: a trigger must not fall silent with its playbook."""
    key = definition.get("playbook")
    return key if key and playbook_list().filter(key=key, retired_at=None).exists() else None


def _owner(definition: Mapping[str, Any]) -> User | None:
    """The person it names, while active; None leaves it to the account's owner."""
    email = definition.get("owner")
    return User.objects.active().filter(email=email).first() if email else None


def _due_on(definition: Mapping[str, Any], at: datetime) -> date | None:
    days = definition.get("due_days")
    return workspace_day(at) + timedelta(days=days) if days else None


def _kind_and_priority(definition: Mapping[str, Any], evidence: Mapping[str, Any]) -> tuple[str, str]:
    """What the definition says, else what its group and the account's colour suggest."""
    group = definition.get("group", "")
    rag = _rag_of(evidence.get("band"))
    kind = {"renewal": CtaKind.RENEWAL, "expansion": CtaKind.OPPORTUNITY}.get(group)
    if kind is None:
        kind = CtaKind.OPPORTUNITY if group == "health" and rag == Rag.GREEN else CtaKind.RISK
    if kind == CtaKind.OPPORTUNITY:
        priority = Priority.LOW
    else:
        priority = Priority.HIGH if rag == Rag.RED or group in {"escalation", "risk"} else Priority.MEDIUM
    return definition.get("cta_kind", kind), definition.get("priority", priority)


def _rag_of(band: str | None) -> str | None:
    if band is None:
        return None
    for version in ScorecardVersion.objects.filter(state="active"):
        for item in version.definition["bands"]:
            if item["key"] == band:
                return item["rag"]
    return None


def _notes(firing: TriggerFiring) -> list[str]:
    """What people wrote to the events that made it fire, the newest first. One query if there were events."""
    keys = list(firing.evidence["events"])
    if not keys:
        return []
    told = HealthEvent.objects.filter(account=firing.account_id, key__in=keys, recorded_at__lte=firing.fired_at)
    notes = told.exclude(data={}).order_by("-recorded_at").values_list("data__note", flat=True)[:3]
    return [f"“{note}”" for note in notes if note]


def _reason(evidence: Mapping[str, Any]) -> str:
    """Why it fired, as a sentence with the facts; one that the condition says already is not said again."""
    condition = evidence["condition"]
    facts = [(wording.said(name), wording.measured(name, value)) for name, value in evidence["facts"].items()]
    new = ", ".join(f"{name} {value}" for name, value in facts if f"{name} is {value}".lower() not in condition.lower())
    sentence = f"{condition[0].upper()}{condition[1:]}."
    return f"{sentence} Now: {new}." if new else sentence


def _url(account: Account) -> str:
    return f"/accounts/{account.pk}/"
