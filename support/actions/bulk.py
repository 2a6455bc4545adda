"""The same verb on many tickets.

A ticket that cannot take the verb (done meanwhile, not the actor's to work) is left out and counted, so one of
them never stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.errors import RuleViolated
from support.actions.handling import assign
from support.actions.tickets import change_status, clean_tags, update_ticket
from support.models import Ticket

if TYPE_CHECKING:
    from accounts.models import User
    from support.models import Team

MOST_TICKETS = 200


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Keys of the tickets that took the verb, and of those that did not."""

    changed: list[UUID] = field(default_factory=list)
    refused: list[UUID] = field(default_factory=list)


def bulk_assign(
    keys: Iterable[UUID], assignee: User | None, *, team: Team | None = None, actor: User, at: datetime
) -> BulkResult:
    """Give every ticket of ``keys`` to ``assignee``. Raises RuleViolated for too many of them."""
    return _each(keys, lambda ticket: assign(ticket, assignee, team=team, actor=actor, at=at), actor)


def bulk_status(keys: Iterable[UUID], status: str, *, actor: User, at: datetime) -> BulkResult:
    """Move every ticket of ``keys`` to ``status`` that may go there. Raises RuleViolated for too many of them."""
    return _each(keys, lambda ticket: change_status(ticket, status, actor=actor, at=at), actor)


def bulk_tag(keys: Iterable[UUID], tags: Sequence[str], *, actor: User, at: datetime) -> BulkResult:
    """Add ``tags`` to every ticket of ``keys``. Raises RuleViolated for a bad tag, or too many tickets."""
    wanted = clean_tags(tags)
    if not wanted:
        raise RuleViolated("tags", "Give a tag.", "tags")
    return _each(keys, lambda ticket: update_ticket(ticket, tags=[*ticket.tags, *wanted], actor=actor, at=at), actor)


def _each(keys: Iterable[UUID], verb: Callable[[Ticket], Any], actor: User) -> BulkResult:
    wanted = list(dict.fromkeys(keys))
    if len(wanted) > MOST_TICKETS:
        raise RuleViolated("too_many", f"At most {MOST_TICKETS} tickets at once.", "tickets")
    result = BulkResult()
    for ticket in Ticket.objects.workable_by(actor).filter(pk__in=wanted).order_by("pk"):
        try:
            verb(ticket)
        except RuleViolated:
            continue
        result.changed.append(ticket.pk)
    result.refused.extend(key for key in wanted if key not in set(result.changed))
    return result
