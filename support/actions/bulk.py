"""The same verb on many tickets, and taken back.

A ticket that cannot take the verb (done meanwhile, not the actor's to work) is left out and counted, so one of
them never stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.actions.changes import mark_changed
from accounts.audit import plain, record
from accounts.errors import RuleViolated
from accounts.models import User
from support.actions.clocks import recompute
from support.actions.handling import assign
from support.actions.log import add_event, audit, store
from support.actions.telling import tell_many
from support.actions.tickets import change_status, clean_tags, update_ticket
from support.choices import EventKind, Status
from support.models import Team, Ticket, TicketEdit, TicketEditRow, TicketEvent

if TYPE_CHECKING:
    from support.models.tickets import TicketQuerySet

MOST_TICKETS = 200
# What each verb changes of a ticket's row; its deadlines follow from the log.
COLUMNS = {
    "assign": ("assignee_id", "team_id"),
    "tag": ("tags",),
    "status": (
        "status", "resolved_at", "closed_at", "confirmed_by_customer", "solved_at_first_contact", "merged_into_id",
        "csat_asked_at", "reopened_count", "cycle", "waiting_since", "reminded_at",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Keys of the tickets that took the verb, and of those that did not; ``edit`` takes it back (None: nobody did)."""

    changed: list[UUID] = field(default_factory=list)
    refused: list[UUID] = field(default_factory=list)
    edit: TicketEdit | None = None


class Kept(NamedTuple):
    """A ticket that was not restored, and why."""

    ticket: Ticket
    why: str


def bulk_assign(
    keys: Iterable[UUID], assignee: User | None, *, team: Team | None = None, actor: User, at: datetime
) -> BulkResult:
    """Give every ticket of ``keys`` to ``assignee``. Raises RuleViolated for too many of them."""
    label = f"given to {assignee or team or 'nobody'}"

    def give(ticket: Ticket) -> Any:
        return assign(ticket, assignee, team=team, actor=actor, at=at, tell=False)

    done = _each(keys, give, "assign", label, actor=actor, at=at)
    if assignee is not None and done.edit is not None:
        tell_many(assignee, len(done.changed), key=f"edit:{done.edit.pk}", actor=actor, at=at)
    return done


def bulk_status(keys: Iterable[UUID], status: str, *, actor: User, at: datetime) -> BulkResult:
    """Move every ticket of ``keys`` to ``status`` that may go there. Raises RuleViolated for too many of them."""
    label = f"set to {Status(status).label.lower()}" if status in Status.values else "moved"

    def move(ticket: Ticket) -> Any:
        return change_status(ticket, status, actor=actor, at=at)

    return _each(keys, move, "status", label, actor=actor, at=at)


def bulk_tag(keys: Iterable[UUID], tags: Sequence[str], *, actor: User, at: datetime) -> BulkResult:
    """Add ``tags`` to every ticket of ``keys``. Raises RuleViolated for a bad tag, or too many tickets."""
    wanted = clean_tags(tags)
    if not wanted:
        raise RuleViolated("tags", "Give a tag.", "tags")

    def add(ticket: Ticket) -> Any:
        return update_ticket(ticket, tags=[*ticket.tags, *wanted], actor=actor, at=at)

    return _each(keys, add, "tag", f"tagged {', '.join(wanted)}", actor=actor, at=at)


@transaction.atomic
def undo_bulk(edit: TicketEdit, *, actor: User, at: datetime) -> tuple[int, list[Kept]]:
    """Give every ticket of ``edit`` back what it had: how many, and those that keep what they have, with the reason.

    Deadlines come back as if it had never been: the log notes that an entry was taken back, and clocks leave that
    entry out. Edits on top of each other are undone newest first. Raises RuleViolated for one that was undone.
    """
    edit = TicketEdit.objects.select_for_update(of=("self",)).get(pk=edit.pk)
    rows = list(edit.rows.filter(restored_at=None).order_by("ticket_id"))
    if edit.undone_at is not None or not rows:
        raise RuleViolated("edit.undone", "This was undone before.")
    wanted = Ticket.objects.filter(pk__in=[row.ticket_id for row in rows])
    tickets = {ticket.pk: ticket for ticket in _locked(wanted, actor)}
    there = _there(rows)
    restored, kept = [], []
    for row in rows:
        ticket = tickets.get(row.ticket_id)
        if ticket is None:
            continue
        why = _hindered(ticket, row, there)
        if why:
            kept.append(Kept(ticket, why))
            continue
        _restore(edit, row, ticket, actor=actor, at=at)
        restored.append(ticket)
    if restored:
        recompute(restored, at=at)
        mark_changed({ticket.account_id for ticket in restored}, at=at)
        TicketEdit.objects.filter(pk=edit.pk).update(undone_at=at, undone_by=actor)
        record("ticket_edit.undone", edit, actor=actor, at=at, after={"tickets": len(restored)})
    return len(restored), kept


def _restore(edit: TicketEdit, row: TicketEditRow, ticket: Ticket, *, actor: User, at: datetime) -> None:
    after = {name: plain(getattr(ticket, name)) for name in row.before}
    values = {name: Ticket._meta.get_field(name.removesuffix("_id")) for name in row.before}
    store(ticket, **{name: _python(column, row.before[name]) for name, column in values.items()})
    data = {"event": row.event_id, "edit": edit.pk, "label": edit.label}
    add_event(ticket, EventKind.UNDONE, at=at, actor=actor, data=data)
    audit("undo", ticket, actor=actor, at=at, before=after, after=row.before)
    # The edit below this one can be undone in turn: the ticket is again as that one left it.
    below = TicketEditRow.objects.filter(ticket=ticket, version=row.base, restored_at=None)
    below.update(version=ticket.version)
    TicketEditRow.objects.filter(pk=row.pk).update(restored_at=at)


def _python(column: Any, value: Any) -> Any:
    target = column.target_field if column.is_relation else column
    return value if value is None or isinstance(value, list) else target.to_python(value)


def _there(rows: Sequence[TicketEditRow]) -> set[str]:
    """Keys of the people and teams the tickets were with that are there still. Two queries."""
    people = User.objects.active().filter(pk__in=_had(rows, "assignee_id"))
    teams = Team.objects.filter(pk__in=_had(rows, "team_id"), retired_at=None)
    return {str(key) for found in (people, teams) for key in found.values_list("pk", flat=True)}


def _had(rows: Sequence[TicketEditRow], name: str) -> set[str]:
    return {row.before[name] for row in rows if row.before.get(name)}


def _hindered(ticket: Ticket, row: TicketEditRow, there: set[str]) -> str:
    """Why the ticket keeps what it has; empty where nothing is in the way."""
    if ticket.version != row.version:
        return "somebody changed it since"
    for name, what in (("assignee_id", "person"), ("team_id", "team")):
        if row.before.get(name) and str(row.before[name]) not in there:
            return f"the {what} it was with is gone"
    return ""


@transaction.atomic
def _each(
    keys: Iterable[UUID], verb: Callable[[Ticket], Any], name: str, label: str, *, actor: User, at: datetime
) -> BulkResult:
    wanted = list(dict.fromkeys(keys))
    if len(wanted) > MOST_TICKETS:
        raise RuleViolated("too_many", f"At most {MOST_TICKETS} tickets at once.", "tickets")
    result, rows = BulkResult(), []
    for ticket in _locked(Ticket.objects.filter(pk__in=wanted), actor):
        before = {column: plain(getattr(ticket, column)) for column in COLUMNS[name]}
        try:
            done = verb(ticket)
        except RuleViolated:
            continue
        result.changed.append(ticket.pk)
        if done.version != ticket.version:
            row = TicketEditRow(ticket=ticket, before=before, base=ticket.version, version=done.version)
            rows.append(row)
    there = set(result.changed)
    result.refused.extend(key for key in wanted if key not in there)
    return BulkResult(result.changed, result.refused, _kept(rows, name, label, actor=actor, at=at))


def _kept(rows: Sequence[TicketEditRow], name: str, label: str, *, actor: User, at: datetime) -> TicketEdit | None:
    """The edit of ``rows``, stored; None where no ticket was changed."""
    if not rows:
        return None
    edit = TicketEdit.objects.create(actor=actor, at=at, verb=name, label=label[:200], tickets=len(rows))
    newest = TicketEvent.objects.filter(ticket__in=[row.ticket_id for row in rows]).order_by("ticket_id", "-pk")
    events = dict(newest.distinct("ticket_id").values_list("ticket_id", "pk"))
    for row in rows:
        row.edit, row.event_id = edit, events.get(row.ticket_id)
    TicketEditRow.objects.bulk_create(rows)
    return edit


def _locked(tickets: TicketQuerySet, actor: User) -> list[Ticket]:
    """Those of ``tickets`` that ``actor`` may work, locked in the order of their keys."""
    mine = Ticket.objects.workable_by(actor).filter(pk__in=tickets.values("pk")).values("pk")
    return list(Ticket.objects.select_for_update(of=("self",)).filter(pk__in=mine).order_by("pk"))
