"""The life of a CTA: opened, snoozed, woken, handed over, closed, reopened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.actions.activity import log_activity
from accounts.audit import plain, record
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated, StaleVersion
from playbooks.choices import DUE_BUSINESS_DAYS, CtaKind, CtaStatus, Outcome, Priority
from playbooks.due import DueDays
from playbooks.models import Cta, Playbook, Task
from ui import formats

if TYPE_CHECKING:
    from accounts.models import Account, User

MAX_TASKS = 60
# What may be changed by ``update_cta``; everything else has its own verb.
EDITABLE = frozenset({"title", "reason", "kind", "priority", "due_on"})


class NotOpen(RuleViolated):
    """The CTA's status does not allow this."""


@transaction.atomic
def open_cta(
    account: Account,
    *,
    title: str,
    reason: str,
    kind: str,
    priority: str,
    trigger_key: str = "",
    duplicate_key: str = "",
    evidence: dict[str, Any] | None = None,
    playbook_key: str | None = None,
    actions: Sequence[str] = (),
    owner: User | None = None,
    due_on: date | None = None,
    opened_by: User | None = None,
    at: datetime,
) -> Cta | None:
    """Open a CTA with its tasks; None while one with ``duplicate_key`` is not closed on ``account``.

    The tasks are those of ``playbook_key``, or of the playbook that names ``trigger_key``, or one for each of
    ``actions`` (a trigger's list in a pack). It belongs to ``owner``, else to the account's active owner, and
    is due on ``due_on``, else by its priority in business days. Two callers at once open one: the database
    keeps the key unique.
    """
    if duplicate_key and Cta.objects.unclosed().filter(account=account, duplicate_key=duplicate_key).exists():
        return None
    days = DueDays(at)
    playbook = _playbook(playbook_key, trigger_key)
    cta = Cta(
        account=account,
        title=_text(title, "title", 200),
        reason=reason,
        kind=_choice(kind, CtaKind, "kind"),
        priority=_choice(priority, Priority, "priority"),
        owner=owner or _active_owner(account),
        due_on=due_on or days.after(DUE_BUSINESS_DAYS[Priority(priority)]),
        trigger_key=trigger_key,
        duplicate_key=duplicate_key,
        evidence=evidence or {},
        playbook=playbook,
        opened_at=at,
        opened_by=opened_by,
        assigned_at=at,
    )
    if not _inserted(cta):
        return None
    Task.objects.bulk_create(_tasks(cta, playbook, actions, days))
    _note(cta, "cta.open", f"CTA opened: {cta.title}", actor=opened_by, at=at, body=reason, after=snapshot(cta))
    return cta


def _inserted(cta: Cta) -> bool:
    """RACE: False if somebody else opened one with its duplicate key between our look and our insert."""
    try:
        with transaction.atomic():
            cta.save(force_insert=True)
    except IntegrityError as error:
        if "cta_one_open_per_duplicate_key" not in str(error):
            raise
        return False
    return True


def create_cta(account: Account, *, actor: User, at: datetime, **fields: Any) -> Cta:
    """Open a CTA by hand; ``fields`` as of ``open_cta``. It never collides with a rule's."""
    fields.setdefault("reason", "")
    fields.setdefault("kind", CtaKind.ACTIVITY)
    fields.setdefault("priority", Priority.MEDIUM)
    cta = open_cta(account, opened_by=actor, at=at, **fields)
    if cta is None:
        raise RuleViolated("duplicate", "A CTA with this duplicate key is open.", "duplicate_key")
    return cta


@transaction.atomic
def update_cta(cta: Cta, *, actor: User, at: datetime, expected_version: int | None = None, **changes: Any) -> Cta:
    """Change title, reason, kind, priority or due day of an unclosed CTA. StaleVersion: somebody was faster."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise RuleViolated("unknown", f"Cannot be changed here: {', '.join(sorted(unknown))}.", min(unknown))
    cta = locked(cta, expected_version)
    if cta.status == CtaStatus.CLOSED:
        raise NotOpen("closed", "A closed CTA stays as it was. Open it again first.", "status")
    before = {name: plain(getattr(cta, name)) for name in changes}
    if "title" in changes:
        changes["title"] = _text(changes["title"], "title", 200)
    if "kind" in changes:
        changes["kind"] = _choice(changes["kind"], CtaKind, "kind")
    if "priority" in changes:
        changes["priority"] = _choice(changes["priority"], Priority, "priority")
    after = {name: plain(value) for name, value in changes.items()}
    if before != after:
        _store(cta, **changes)
        record("cta.update", cta, actor=actor, at=at, before=before, after=after, account=cta.account)
    return cta


@transaction.atomic
def close_cta(
    cta: Cta, *, outcome: str, note: str = "", actor: User | None, at: datetime, expected_version: int | None = None
) -> Cta:
    """Close with an outcome. Open tasks stay as they are: not done."""
    cta = locked(cta, expected_version)
    if cta.status == CtaStatus.CLOSED:
        raise NotOpen("closed", "The CTA is closed already.", "status")
    outcome = _choice(outcome, Outcome, "outcome")
    before = snapshot(cta)
    _store(
        cta,
        status=CtaStatus.CLOSED,
        outcome=outcome,
        close_note=note,
        closed_at=at,
        closed_by=actor,
        snoozed_until_on=None,
        snooze_reason="",
    )
    label = Outcome(outcome).label.lower()
    _note(
        cta,
        "cta.close",
        f"CTA closed ({label}): {cta.title}",
        actor=actor,
        at=at,
        body=note,
        before=before,
        after=snapshot(cta),
    )
    return cta


@transaction.atomic
def reopen_cta(cta: Cta, *, actor: User | None, at: datetime, expected_version: int | None = None) -> Cta:
    """Open a closed CTA again. Refused while another with its duplicate key is open."""
    cta = locked(cta, expected_version)
    if cta.status != CtaStatus.CLOSED:
        raise NotOpen("open", "The CTA is not closed.", "status")
    twins = Cta.objects.unclosed().filter(account=cta.account_id, duplicate_key=cta.duplicate_key)
    if cta.duplicate_key and twins.exists():
        raise RuleViolated("duplicate", "Another CTA for the same reason is open.", "duplicate_key")
    before = snapshot(cta)
    _store(cta, status=CtaStatus.OPEN, outcome="", close_note="", closed_at=None, closed_by=None)
    _note(cta, "cta.reopen", f"CTA reopened: {cta.title}", actor=actor, at=at, before=before, after=snapshot(cta))
    return cta


@transaction.atomic
def snooze_cta(
    cta: Cta, *, until_on: date, reason: str, actor: User | None, at: datetime, expected_version: int | None = None
) -> Cta:
    """Put off until the morning of ``until_on``, which lies ahead. A reason is required."""
    cta = locked(cta, expected_version)
    if cta.status == CtaStatus.CLOSED:
        raise NotOpen("closed", "A closed CTA cannot be snoozed.", "status")
    if until_on <= DueDays(at).today:
        raise RuleViolated("future", "Choose a day after today.", "until_on")
    reason = _text(reason, "reason", 200)
    before = snapshot(cta)
    _store(cta, status=CtaStatus.SNOOZED, snoozed_until_on=until_on, snooze_reason=reason)
    _note(
        cta,
        "cta.snooze",
        f"CTA snoozed until {formats.day(until_on)}: {cta.title}",
        actor=actor,
        at=at,
        body=reason,
        before=before,
        after=snapshot(cta),
    )
    return cta


@transaction.atomic
def wake_cta(cta: Cta, *, actor: User | None, at: datetime, expected_version: int | None = None) -> Cta:
    """Bring a snoozed CTA back."""
    cta = locked(cta, expected_version)
    if cta.status != CtaStatus.SNOOZED:
        raise NotOpen("not_snoozed", "The CTA is not snoozed.", "status")
    before = snapshot(cta)
    _store(cta, status=CtaStatus.OPEN, snoozed_until_on=None, snooze_reason="", woken_at=at)
    _note(cta, "cta.wake", f"CTA back from snooze: {cta.title}", actor=actor, at=at, before=before, after=snapshot(cta))
    return cta


def wake_snoozed(*, at: datetime) -> list[Cta]:
    """Bring back every CTA whose day has come in the workspace's zone; the ones woken, oldest first."""
    due = Cta.objects.waking_on(DueDays(at).today).order_by("snoozed_until_on", "id")
    return [woken for cta in due if (woken := _wake_once(cta, at=at))]


def _wake_once(cta: Cta, *, at: datetime) -> Cta | None:
    try:
        return wake_cta(cta, actor=None, at=at)
    except NotOpen:  # closed or woken by a person meanwhile
        return None


@transaction.atomic
def reassign_cta(
    cta: Cta, owner: User, *, actor: User | None, at: datetime, reason: str = "", expected_version: int | None = None
) -> Cta:
    """Hand over to another active member of staff who may see the account."""
    cta = locked(cta, expected_version)
    if cta.status == CtaStatus.CLOSED:
        raise NotOpen("closed", "A closed CTA cannot be handed over.", "status")
    if not owner.is_active or not Cta.objects.visible_to(owner).filter(pk=cta.pk).exists():
        raise RuleViolated("owner", "That person cannot work this account.", "owner")
    if cta.owner_id == owner.pk:
        return cta
    before = snapshot(cta) | {"owner": str(cta.owner or "")}
    _store(cta, owner=owner, assigned_at=at)
    _note(
        cta,
        "cta.reassign",
        f"CTA handed to {owner}: {cta.title}",
        actor=actor,
        at=at,
        body=reason,
        before=before,
        after=snapshot(cta) | {"owner": str(owner), "reason": reason},
    )
    return cta


# -- shared by the verbs ---------------------------------------------------------------------------------


def locked(cta: Cta, expected_version: int | None = None) -> Cta:
    """The row as it is now, locked until the transaction ends. Raises StaleVersion on another version."""
    row = Cta.objects.select_for_update(of=("self",)).select_related("account", "owner").get(pk=cta.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    return row


def snapshot(cta: Cta) -> dict[str, Any]:
    """The changing fields of a CTA as plain values, for the audit log and for undo."""
    names = "status priority kind owner_id due_on outcome close_note snoozed_until_on snooze_reason".split()
    return {name: plain(getattr(cta, name)) for name in names}


def _store(cta: Cta, **values: Any) -> None:
    for name, value in values.items():
        setattr(cta, name, value)
    cta.version += 1
    cta.save(update_fields=[*values, "version"])


def _note(
    cta: Cta,
    action: str,
    title: str,
    *,
    actor: User | None,
    at: datetime,
    body: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """The audit row and the timeline entry of one change."""
    record(action, cta, actor=actor, at=at, before=before, after=after, account=cta.account)
    log_activity(
        cta.account,
        kind=ActivityKind.CTA,
        title=title[:200],
        body=body,
        actor=actor,
        at=at,
        data={"cta": str(cta.pk), "action": action},
    )


def _playbook(key: str | None, trigger_key: str) -> Playbook | None:
    live = Playbook.objects.filter(retired_at=None)
    if key:
        playbook = live.filter(key=key).first()
        if playbook is None:
            raise RuleViolated("unknown", f"There is no playbook {key!r}.", "playbook")
        return playbook
    return live.filter(trigger_keys__contains=[trigger_key]).order_by("key").first() if trigger_key else None


def _tasks(cta: Cta, playbook: Playbook | None, actions: Sequence[str], days: DueDays) -> list[Task]:
    """The playbook's tasks with their own days, or one task for each action, due with the CTA."""
    steps = list(playbook.tasks.all()) if playbook else []
    if steps:
        return [
            Task(
                cta=cta,
                position=position,
                step=step.step,
                title=step.title,
                detail=step.detail,
                due_on=days.after(step.offset_days, step.unit),
                optional=step.optional,
            )
            for position, step in enumerate(steps)
        ]
    titles = [action for action in actions if action.strip()][:MAX_TASKS]
    return [
        Task(cta=cta, position=position, title=_sentence(action)[:200], due_on=cta.due_on)
        for position, action in enumerate(titles)
    ]


def _active_owner(account: Account) -> User | None:
    return account.owner if account.owner and account.owner.is_active else None


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


def _text(value: str, field: str, limit: int) -> str:
    value = " ".join(str(value).split())
    if not value:
        raise RuleViolated("required", f"Give a {field}.", field)
    if len(value) > limit:
        raise RuleViolated("too_long", f"At most {limit} characters.", field)
    return value


def _choice(value: str, choices: Any, field: str) -> str:
    if value not in choices.values:
        raise RuleViolated("unknown", f"Use one of {', '.join(choices.values)}.", field)
    return str(value)
