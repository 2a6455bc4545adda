"""Answers kept ready: writing them, taking them away, and doing what they bring along."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.audit import record
from accounts.errors import RuleViolated
from support.actions.handling import assign
from support.actions.log import choice, one_line
from support.actions.tickets import clean_tags, update_ticket
from support.choices import Status
from support.models import Macro, Ticket

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def save_macro(
    macro: Macro | None,
    *,
    name: str,
    body: str,
    is_internal: bool = False,
    status: str = "",
    tags: str = "",
    assign_to_me: bool = False,
    actor: User | None,
    at: datetime,
) -> Macro:
    """Write a new macro, or ``macro`` anew. Returns it. Raises RuleViolated for a name that is taken."""
    row = macro or Macro()
    row.name, row.body, row.is_internal = one_line(name, "name", 120), body.replace("\x00", "").strip(), is_internal
    row.actions = _actions(status, tags, assign_to_me=assign_to_me)
    if not row.body and not row.actions:
        raise RuleViolated("required", "Write an answer, or choose what it does.", "body")
    row.version += 0 if macro is None else 1
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise RuleViolated("taken", "There is one of this name.", "name") from error
    record("macro.save", row, actor=actor, at=at, after={"name": row.name, "actions": row.actions})
    return row


@transaction.atomic
def retire_macro(macro: Macro, *, actor: User, at: datetime) -> None:
    """Take it away; tickets it was used on stay as they are."""
    macro.retired_at = at
    macro.save(update_fields=["retired_at"])
    record("macro.retire", macro, actor=actor, at=at, after={"name": macro.name})


@transaction.atomic
def follow_macro(ticket: Ticket, macro: Macro, *, actor: User, at: datetime) -> None:
    """Do what ``macro`` brings besides its text: tags and taking the ticket. Its status goes with the answer."""
    if tags := macro.actions.get("tags"):
        update_ticket(ticket, tags=[*ticket.tags, *tags], actor=actor, at=at)
    if macro.actions.get("assign_to_me"):
        assign(ticket, actor, actor=actor, at=at)
    Macro.objects.filter(pk=macro.pk).update(used_count=F("used_count") + 1)


def _actions(status: str, tags: str, *, assign_to_me: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if status:
        found["status"] = str(choice(status, Status, "status"))
    if wanted := clean_tags(tags.split(",")):
        found["tags"] = wanted
    if assign_to_me:
        found["assign_to_me"] = True
    return found
