"""Telling in time: warnings, breaches, and the escalation a threatened promise brings with it.

A clock stores when each of its thresholds is reached, so that a sweep works nothing out: it reads the rows whose
moment has come by index, notes one alert for each threshold, and moves on. The note is unique, so two sweeps,
or one that was killed and begins again, note it once; people are told from the notes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.actions.changes import mark_changed
from accounts.choices import LEADER_ROLES, Role
from accounts.errors import RuleViolated
from accounts.models import User
from engagement.actions import notify
from engagement.choices import Kind
from support.actions.escalations import escalate
from support.actions.log import audit
from support.choices import DONE, Clock
from support.models import Ladder, SlaAlert, Ticket
from support.queries.incident_clocks import NAMES
from tenants.guard import new_id

log = logging.getLogger(__name__)
BATCH = 1000
# An alert that comes this long after its moment says so.
LATE_AFTER = timedelta(minutes=5)
BREACH = "100%"
# The characters of a key that tell its millisecond and version; the others are random.
KEY_OF_TIME = len("0198f2c1-4f3a-7")

# Looks at the ends of two small indexes.
WAITING = """
select exists(select from support_slaclock where next_alert_at <= %s),
    exists(select from support_slaalert where told_at is null)
"""
# One that is noted already stays as it is. Keys begin with the time, so that they come to lie together in the index;
# not every PostgreSQL that is supported makes such keys itself.
NOTE = """
with taken as (
    select id, thresholds, moments, armed_at from support_slaclock
    where next_alert_at <= %(at)s order by next_alert_at limit %(most)s for update skip locked
), reached as (
    select t.id, t.armed_at, u.threshold, u.moment
    from taken as t left join lateral unnest(t.thresholds, t.moments) as u(threshold, moment) on true
), noted as (
    insert into support_slaalert (id, clock_id, threshold, fell_due_at, sent_at, is_late)
    select overlay(gen_random_uuid()::text placing %(key)s from 1)::uuid, id, threshold, moment, %(at)s,
        greatest(moment, armed_at) < %(late_from)s
    from reached where moment <= %(at)s
    on conflict (clock_id, threshold, rearmed_at) do nothing
)
update support_slaclock as c
set next_alert_at = v.next,
    verdict = case when v.broken is not null and c.verdict = 'running' then 'missed' else c.verdict end,
    missed_at = case when v.broken is not null and c.verdict = 'running' then v.broken else c.missed_at end
from (
    select id, min(moment) filter (where moment > %(at)s) as next,
        max(moment) filter (where moment <= %(at)s and threshold = %(breach)s) as broken
    from reached group by id
) as v
where c.id = v.id
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: clocks looked at, alerts people were told of, escalations it raised."""

    clocks: int = 0
    told: int = 0
    escalated: int = 0


def sweep(*, at: datetime) -> Swept:
    """Note every alert that is due at ``at``, then tell people. One query when nothing is due.

    Each batch is a transaction: a worker that dies between two loses nothing, and nothing is told twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [at])
        if not any(cursor.fetchone()):
            return Swept()
    clocks = 0
    while taken := note_due(at=at):
        clocks += taken
        if taken < BATCH:
            break
    if clocks:
        mark_breached(at=at)
    told, escalated = tell(at=at)
    return Swept(clocks, told, escalated)


def note_due(*, at: datetime, most: int = BATCH) -> int:
    """Note the alerts of at most ``most`` clocks whose moment has come; how many clocks. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, {
            "at": at, "late_from": at - LATE_AFTER, "most": most, "breach": BREACH, "key": str(new_id())[:KEY_OF_TIME],
        })  # fmt: skip
        return cursor.rowcount


def tell(*, at: datetime, most: int = BATCH) -> tuple[int, int]:
    """Tell people of noted alerts, oldest first: (alerts told, escalations raised).

    One that cannot be told stays for the next sweep and keeps nobody from hearing of the others.
    """
    waiting = SlaAlert.objects.filter(told_at=None).order_by("sent_at", "fell_due_at").values_list("pk", flat=True)
    told = escalated = 0
    for pk in waiting[:most]:
        try:
            raised = _tell(pk, at=at)
        except Exception:
            log.exception("alert %s could not be told", pk)
            continue
        if raised is not None:
            told, escalated = told + 1, escalated + raised
    return told, escalated


@transaction.atomic
def _tell(pk: UUID, *, at: datetime) -> bool | None:
    """Tell of one alert; whether an escalation was raised with it, None where there was nothing to tell."""
    alert = _claimed(pk)
    if alert is None:
        return None
    if _is_moot(alert):
        SlaAlert.objects.filter(pk=pk).update(told_at=at, rearmed_at=alert.rearmed_at or at)
        return None
    raised = _escalate(alert, at=at)
    _notify(alert, raised, at=at)
    SlaAlert.objects.filter(pk=pk).update(told_at=at)
    mark_changed(_accounts(alert), at=at)
    _audit(alert)
    return raised


def _audit(alert: SlaAlert) -> None:
    """The log is what other systems are told from (``webhooks.catalogue``); of escalations and incidents it is mute."""
    clock = alert.clock
    if clock.ticket is None:
        return
    facts = {"clock": clock.kind, "due_at": clock.due_at, "threshold": alert.threshold}
    action = "sla_breached" if alert.threshold == BREACH else "sla_warning"
    audit(action, clock.ticket, actor=None, at=alert.fell_due_at, after=facts)


def _claimed(pk: UUID) -> SlaAlert | None:
    """The alert, locked; None when another sweep has it or had it."""
    rows = SlaAlert.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, told_at=None)
    return rows.select_related(
        "clock__ticket__account__owner", "clock__ticket__account__tier", "clock__ticket__assignee",
        "clock__ticket__severity", "clock__escalation__account", "clock__escalation__owner", "clock__policy_version",
        "clock__incident__commander",
    ).first()  # fmt: skip


def _is_moot(alert: SlaAlert) -> bool:
    """Whether what was noted is true no more: the deadline moved, or an answer in time was stored meanwhile."""
    return alert.rearmed_at is not None or (alert.threshold == BREACH and alert.clock.missed_at is None)


def _subject(alert: SlaAlert) -> Any:
    """The ticket, the escalation or the incident it is about."""
    return alert.clock.ticket or alert.clock.escalation or alert.clock.incident


def _accounts(alert: SlaAlert) -> list[UUID]:
    """The accounts it is about. One query for an incident."""
    if alert.clock.incident is not None:
        return list(alert.clock.incident.affected.present().values_list("account", flat=True))
    return [_subject(alert).account_id]


def _escalate(alert: SlaAlert, *, at: datetime) -> bool:
    """Raise the escalation the policy asks for at this threshold (FLEET-10.4, AMB-96); whether one was."""
    clock = alert.clock
    version, ticket = clock.policy_version, clock.ticket
    if version is None or ticket is None or alert.threshold != f"{version.escalate_at_pct}%":
        return False
    if clock.stopped_at is not None or ticket.status in DONE:
        return False
    ladder = Ladder.objects.filter(pack=version.policy.pack).first()
    if ladder is None or not ladder.definition.get("paths"):
        return False
    path = ladder.definition["paths"][0]
    if ticket.escalations.filter(ladder=ladder, path=path["key"]).exists():
        return False
    reason = f"{clock.get_kind_display()} of #{ticket.number} is threatened: {alert.threshold} of the time is used"
    level = path["steps"][1] if len(path["steps"]) > 1 else path["steps"][0]
    try:
        with transaction.atomic():
            escalate(
                ticket.account, ladder=ladder, path=path["key"], level=level, reason=reason, ticket=ticket,
                is_automatic=True, actor=None, at=at,
            )  # fmt: skip
    except RuleViolated:
        return False  # somebody was faster
    return True


def _notify(alert: SlaAlert, raised: bool, *, at: datetime) -> None:
    subject = _subject(alert)
    incident = alert.clock.incident
    kind = Clock(alert.clock.kind)
    what = NAMES.get(kind, kind.label) if incident else kind.label
    broken = alert.threshold == BREACH
    title = f"{what} {'missed' if broken else 'at risk'}: {subject}"
    about = f"{len(_accounts(alert))} accounts affected" if incident else subject.account.name
    became = "missed" if broken else _words(alert.threshold)
    lines = [f"{about}: {became} on {_moment(alert.fell_due_at)}."]
    if alert.is_late:
        lines.append("This notice is late: it should have come then.")
    if raised:
        lines.append("It was escalated automatically.")
    notify(
        _recipients(alert), kind=Kind.SLA_BREACH if broken else Kind.SLA_WARNING, title=title[:200],
        body="\n".join(lines), url=_address(alert), account=None if incident else subject.account, at=at,
        dedupe_key=f"sla:{alert.pk}",
    )  # fmt: skip


def _address(alert: SlaAlert) -> str:
    clock = alert.clock
    if clock.incident_id:
        return f"/incidents/{clock.incident_id}/"
    return f"/tickets/{clock.ticket_id}/" if clock.ticket_id else f"/escalations/{clock.escalation_id}/"


def _moment(at: datetime) -> str:
    """``28 Nov 2026 at 18:37 UTC``: a notice goes to people of several zones."""
    return f"{at.day} {at:%b %Y} at {at:%H:%M %Z}"


def _words(threshold: str) -> str:
    amount = threshold[:-1]
    return f"{amount} % of the time was used" if threshold.endswith("%") else f"{amount} minutes were left"


def _recipients(alert: SlaAlert) -> Sequence[User]:
    """Whoever works it; nobody yet: the agents. A breach reaches the account's owner and the leaders too."""
    subject = _subject(alert)
    worker = _worker(alert)
    people: list[User] = [worker] if worker and worker.is_active else _in_roles([Role.SUPPORT_AGENT])
    if alert.threshold == BREACH:
        owner = None if alert.clock.incident else subject.account.owner
        people += [owner] if owner else []
        people += _in_roles(LEADER_ROLES - {Role.ADMIN})
    return list({person.pk: person for person in people}.values())


def _worker(alert: SlaAlert) -> User | None:
    clock = alert.clock
    if clock.incident is not None:
        return clock.incident.commander
    return clock.ticket.assignee if clock.ticket else clock.escalation.owner  # type: ignore[union-attr]


def _in_roles(roles: Iterable[str]) -> list[User]:
    return list(User.objects.active().filter(role__in=list(roles)))


def mark_breached(*, at: datetime) -> int:
    """Repeat on tickets that a promise about them was broken; how many."""
    broken: dict[UUID, datetime] = defaultdict(lambda: at)
    rows = Ticket.objects.active().filter(breached_at=None, clocks__verdict="missed")
    for key, missed in rows.values_list("pk", "clocks__missed_at"):
        broken[key] = min(broken[key], missed or at)
    for key, missed in broken.items():
        Ticket.objects.filter(pk=key, breached_at=None).update(breached_at=missed)
    return len(broken)
