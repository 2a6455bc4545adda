"""Escalations: raised with a reason, acknowledged, worked, passed on, resolved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.audit import plain, record
from accounts.choices import ActivityKind, Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import TeamMember, User
from support.actions.clocks import recompute_escalations
from support.actions.handling import change_level
from support.actions.log import add_event, choice, locked, one_line
from support.choices import EscalationOutcome, EscalationStatus, EventKind, Level
from support.models import Escalation, EscalationUpdate, Ladder, Ticket
from support.queries.escalations import LINES
from support.queries.levels import Step, path_of, step_of

if TYPE_CHECKING:
    from accounts.models import Account

# The product's own role behind the packs' leaders.
LEADERS = {"vp_cs": Role.VP_CS, "c_level": Role.OWNER, "leadership": Role.OWNER, "executive": Role.OWNER}
VP_ROLES = frozenset({Role.OWNER, Role.VP_CS})


class NotOpen(RuleViolated):
    """The escalation has ended."""


@transaction.atomic
def escalate(
    account: Account,
    *,
    ladder: Ladder,
    path: str,
    level: str = "",
    reason: str,
    trigger: str = "",
    ticket: Ticket | None = None,
    message: Mapping[str, Any] | None = None,
    owner: User | None = None,
    is_automatic: bool = False,
    actor: User | None,
    at: datetime,
) -> Escalation:
    """Raise an escalation on ``account`` at ``level`` of a path (its first step if none is named). Returns it.

    While one is open on the same path of a ticket, no second one is raised: pass that one on. Raises
    RuleViolated for a level the path does not have, and where the executive path is not for this case (FMEA-6.9).
    """
    steps = _steps(ladder, path, account, ticket)
    level = level or steps[0]
    if level not in steps:
        raise RuleViolated("level", f"This path has the steps {', '.join(steps)}.", "level")
    step = step_of(ladder, level, path)
    escalation = Escalation(
        account=account, ticket=ticket, ladder=ladder, path=path, level=level, level_name=step.name, rank=step.rank,
        reason=one_line(reason, "reason", 300), trigger=one_line(trigger, "trigger", 200, required=False),
        message=message_of(ladder, account, message), owner=owner or owner_for(step, account), raised_by=actor,
        raised_at=at, is_automatic=is_automatic,
    )  # fmt: skip
    return _raise(escalation, actor=actor, at=at)


@transaction.atomic
def pass_on(
    escalation: Escalation,
    level: str,
    *,
    reason: str,
    trigger: str = "",
    message: Mapping[str, Any] | None = None,
    owner: User | None = None,
    actor: User,
    at: datetime,
) -> Escalation:
    """End this step and raise the next at ``level``. Returns the new one, which says who passed it on and why.

    Only the steps the level leads to are allowed (FLEET-9.3); the highest only for a VP, with one of its printed
    reasons (FLEET-9.9).
    """
    escalation = opened(escalation)
    current = step_of(escalation.ladder, escalation.level, escalation.path)
    if level not in current.leads_to:
        raise RuleViolated("level", f"From here it goes to {', '.join(current.leads_to) or 'nobody'}.", "level")
    step = step_of(escalation.ladder, level, escalation.path)
    _check_top(escalation.ladder, step, trigger, actor)
    _end(escalation, EscalationStatus.PASSED_ON, EscalationOutcome.PASSED_ON, reason, actor=actor, at=at)
    following = Escalation(
        account=escalation.account, ticket=escalation.ticket, ladder=escalation.ladder, path=escalation.path,
        level=level, level_name=step.name, rank=step.rank, reason=one_line(reason, "reason", 300),
        trigger=one_line(trigger, "trigger", 200, required=False),
        message={**escalation.message, **(message or {})}, owner=owner or owner_for(step, escalation.account),
        raised_by=actor, raised_at=at, raised_from=escalation,
    )  # fmt: skip
    return _raise(following, actor=actor, at=at)


@transaction.atomic
def acknowledge(escalation: Escalation, *, actor: User, at: datetime) -> Escalation:
    """Say that it has been seen; whoever does so owns it, if nobody did."""
    escalation = opened(escalation)
    if escalation.acknowledged_at:
        return escalation
    values = {"acknowledged_at": at, "status": EscalationStatus.ACKNOWLEDGED, "owner": escalation.owner or actor}
    return _step(escalation, "acknowledge", "", values, actor=actor, at=at)


@transaction.atomic
def begin(escalation: Escalation, body: str, *, actor: User, at: datetime) -> Escalation:
    """Note the first action; it acknowledges too. Later ones are updates."""
    escalation = opened(escalation)
    values: dict[str, Any] = {"status": EscalationStatus.IN_PROGRESS, "owner": escalation.owner or actor}
    if not escalation.first_action_at:
        values["first_action_at"] = at
    if not escalation.acknowledged_at:
        values["acknowledged_at"] = at
    return _step(escalation, "action", body, values, actor=actor, at=at)


@transaction.atomic
def post_update(escalation: Escalation, body: str, *, actor: User, at: datetime) -> Escalation:
    """Tell how it stands: the next update is owed from now on. It is a first action where none was noted."""
    escalation = opened(escalation)
    if not body.strip():
        raise RuleViolated("required", "Write something.", "body")
    first = {"first_action_at": at} if not escalation.first_action_at else {}
    seen = {"acknowledged_at": at} if not escalation.acknowledged_at else {}
    values = {"status": EscalationStatus.IN_PROGRESS, "last_update_at": at, **first, **seen}
    return _step(escalation, "update", body, values, actor=actor, at=at)


@transaction.atomic
def hand_over(escalation: Escalation, owner: User, *, actor: User, at: datetime, reason: str = "") -> Escalation:
    """Give it to a colleague who may see the account."""
    escalation = opened(escalation)
    if not owner.is_active or not Escalation.objects.visible_to(owner).filter(pk=escalation.pk).exists():
        raise RuleViolated("owner", "That person cannot work this account.", "owner")
    return _step(escalation, "owner", reason, {"owner": owner}, actor=actor, at=at)


@transaction.atomic
def resolve_escalation(
    escalation: Escalation,
    *,
    outcome: str,
    note: str = "",
    satisfaction: int | None = None,
    actor: User,
    at: datetime,
) -> Escalation:
    """End it with its outcome: resolved, partly, pending or withdrawn."""
    escalation = opened(escalation)
    outcome = choice(outcome, EscalationOutcome, "outcome")
    if outcome == EscalationOutcome.PASSED_ON:
        raise RuleViolated("outcome", "Pass it on instead.", "outcome")
    if satisfaction is not None and not 1 <= satisfaction <= 5:
        raise RuleViolated("satisfaction", "Give 1 to 5.", "satisfaction")
    escalation.satisfaction = satisfaction
    _end(escalation, EscalationStatus.RESOLVED, outcome, note, actor=actor, at=at)
    return escalation


@transaction.atomic
def log_escalation_time(escalation: Escalation, minutes: int, *, actor: User, at: datetime) -> Escalation:
    """Note work put into it."""
    escalation = opened(escalation)
    if not isinstance(minutes, int) or not 0 < minutes <= 1440:
        raise RuleViolated("minutes", "Give 1 to 1440 minutes.", "minutes")
    values = {"minutes_spent": escalation.minutes_spent + minutes}
    return _step(escalation, "time", f"{minutes} minutes", values, actor=actor, at=at)


def missing_fields(ladder: Ladder, message: Mapping[str, Any]) -> list[str]:
    """The parts of the ladder's template that are still empty (FLEET-9.11)."""
    fields = ladder.definition.get("template", {}).get("fields", [])
    return [field for field in fields if not str(message.get(field, "")).strip()]


def message_of(ladder: Ladder, account: Account, given: Mapping[str, Any] | None) -> dict[str, str]:
    """The template's parts as they stand: the customer and its size fill themselves (FLEET-9.11)."""
    fields = ladder.definition.get("template", {}).get("fields", [])
    found = dict.fromkeys(fields, "")
    for field in fields:
        if "customer name" in field.lower():
            size = f", {account.seats} seats" if account.seats else ""
            found[field] = f"{account.name}, {account.arr:,.0f} {account.currency} a year{size}"
    known = {str(name): str(value)[:2000] for name, value in (given or {}).items() if name in found}
    return {**found, **{name: value for name, value in known.items() if value.strip()}}


def owner_for(step: Step, account: Account) -> User | None:
    """Who owns a step on this account: the CSM it belongs to, one of its team in the role, else a leader."""
    if step.role in {"csm", "customer_success_manager"} and account.owner and account.owner.is_active:
        return account.owner
    member = (
        TeamMember.objects.filter(account=account, user__is_active=True, role__key__endswith=step.role)
        .select_related("user")
        .first()
    )
    if member is not None:
        return member.user
    role = {"vp_cs": Role.VP_CS, "c_level": Role.OWNER, "leadership": Role.OWNER, "executive": Role.OWNER}.get(
        step.role
    )
    return User.objects.active().filter(role=role).order_by("created_at").first() if role else None


def opened(escalation: Escalation, expected_version: int | None = None) -> Escalation:
    """The row, locked, if it has not ended. Raises NotOpen, StaleVersion."""
    rows = Escalation.objects.select_for_update(of=("self",)).select_related(
        "account__tier", "account__owner", "ladder"
    )
    row = rows.select_related("ticket", "owner").get(pk=escalation.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    if row.resolved_at is not None:
        raise NotOpen("ended", "This escalation has ended.", "status")
    return row


def _steps(ladder: Ladder, path: str, account: Account, ticket: Ticket | None) -> list[str]:
    found = path_of(ladder, path)
    if found is None or not found["steps"]:
        raise RuleViolated("path", "There is no such path.", "path")
    if found.get("when") and not executive_allowed(account, ticket):
        raise RuleViolated("path", f"Only for a {found['when']}.", "path")
    return list(found["steps"])


def executive_allowed(account: Account, ticket: Ticket | None) -> bool:
    """A critical ticket of a strategic account: one of the highest tier (FMEA-6.9)."""
    worst = ticket is not None and ticket.severity is not None and ticket.severity.rank == 1
    highest = type(account.tier).objects.order_by("-rank").first() if account.tier else None
    strategic = account.tier is not None and highest is not None and account.tier.rank == highest.rank
    return worst and (strategic or account.segment == "strategic")


def _check_top(ladder: Ladder, step: Step, trigger: str, actor: User) -> None:
    ranks = [level.get("level", 0) for level in ladder.definition.get("levels", [])]
    if len(ranks) < 4 or step.rank != max(ranks) or step.role != "c_level":
        return
    if actor.role not in VP_ROLES:
        raise RuleViolated("level", "Only the VP Customer Success escalates to this level.", "level")
    if trigger not in step.triggers:
        raise RuleViolated("trigger", f"Name the reason: {', '.join(step.triggers)}.", "trigger")


def _raise(escalation: Escalation, *, actor: User | None, at: datetime) -> Escalation:
    try:
        with transaction.atomic():
            escalation.save(force_insert=True)
    except IntegrityError as error:
        if "escalation_one_open_per_path" in str(error):
            raise RuleViolated(
                "open_already", "This ticket is escalated on this path; pass that on.", "path"
            ) from error
        raise
    recompute_escalations([escalation], at=at)
    if escalation.ticket is not None:
        data = {"escalation": str(escalation.pk), "level": escalation.level_name, "reason": escalation.reason}
        add_event(escalation.ticket, EventKind.ESCALATED, at=at, actor=actor, data=data)
        _move_line(escalation, actor=actor, at=at)
    _tell(escalation, f"Escalated to {escalation.level_name}", "raise", actor=actor, at=at, body=escalation.reason)
    return escalation


def _move_line(escalation: Escalation, *, actor: User | None, at: datetime) -> None:
    """A step that is a line of support takes the ticket along (FMEA-6.7)."""
    line = LINES.get(escalation.level)
    if escalation.ticket is None or line is None:
        return
    ticket = locked(escalation.ticket)
    while ticket.level < line:
        ticket = change_level(ticket, Level(ticket.level + 1), reason=escalation.reason, actor=actor, at=at)


def _step(
    escalation: Escalation, kind: str, body: str, values: Mapping[str, Any], *, actor: User, at: datetime
) -> Escalation:
    """Note one thing about an escalation, with the row's new values, its clocks, one audit entry."""
    before = {name: plain(getattr(escalation, name)) for name in values}
    for name, value in values.items():
        setattr(escalation, name, value)
    escalation.version += 1
    escalation.save(update_fields=[*values, "version"])
    EscalationUpdate.objects.create(escalation=escalation, kind=kind, body=body[:10_000], actor=actor, at=at)
    recompute_escalations([escalation], at=at)
    after = {name: plain(value) for name, value in values.items()}
    record(f"escalation.{kind}", escalation, actor=actor, at=at, before=before, after=after, account=escalation.account)
    return escalation


def _end(escalation: Escalation, status: str, outcome: str, note: str, *, actor: User | None, at: datetime) -> None:
    escalation.status, escalation.outcome, escalation.outcome_note, escalation.resolved_at = status, outcome, note, at
    escalation.version += 1
    escalation.save(update_fields=["status", "outcome", "outcome_note", "resolved_at", "satisfaction", "version"])
    recompute_escalations([escalation], at=at)
    label = EscalationOutcome(outcome).label.lower()
    _tell(escalation, f"Escalation ended ({label})", "end", actor=actor, at=at, body=note)


def _tell(escalation: Escalation, title: str, verb: str, *, actor: User | None, at: datetime, body: str) -> None:
    log_activity(
        escalation.account, kind=ActivityKind.TICKET, title=f"{title}: {escalation.reason}"[:200], body=body,
        actor=actor, at=at, data={"escalation": str(escalation.pk), "level": escalation.level},
    )  # fmt: skip
    mark_changed([escalation.account_id], at=at)
    after = {"level": escalation.level, "status": escalation.status, "outcome": escalation.outcome, "reason": body}
    record(f"escalation.{verb}", escalation, actor=actor, at=at, after=after, account=escalation.account)
