"""Telling colleagues of a ticket: that it is theirs now, that its customer wrote, that a note names them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.models import User
from engagement.actions import notify
from engagement.choices import Kind

if TYPE_CHECKING:
    from support.models import Message, Ticket

MOST_MENTIONED = 20


def tell_assigned(ticket: Ticket, before: UUID | str | None, *, actor: User | None, at: datetime) -> None:
    """Tell whoever has ``ticket`` now, unless they took it or had it ``before``. Four statements, none for nobody."""
    person = ticket.assignee
    if person is None or person == actor or str(person.pk) == str(before):
        return
    notify(
        [person], kind=Kind.TICKET, title=f"Yours now: {ticket}"[:200], body=f"{ticket.account.name}. {_by(actor)}",
        url=f"/tickets/{ticket.pk}/", account=ticket.account, at=at,
        dedupe_key=f"assigned:{ticket.pk}:{ticket.version}",
    )  # fmt: skip


def tell_many(person: User, count: int, *, key: str, actor: User, at: datetime) -> None:
    """Tell ``person`` once that ``count`` tickets were given to them."""
    if person != actor:
        title = "A ticket is yours now" if count == 1 else f"{count} tickets are yours now"
        notify(
            [person], kind=Kind.TICKET, title=title, body=_by(actor, "them" if count > 1 else "it"),
            url="/tickets/?view=mine", at=at, dedupe_key=key,
        )  # fmt: skip


def tell_wrote(ticket: Ticket, message: Message, *, at: datetime) -> None:
    """Tell whoever has ``ticket`` that its customer wrote ``message``."""
    if ticket.assignee is not None:
        notify(
            [ticket.assignee], kind=Kind.TICKET, title=f"The customer wrote: {ticket}"[:200], body=message.body[:500],
            url=f"/tickets/{ticket.pk}/#m-{message.pk}", account=ticket.account, at=at,
            dedupe_key=f"wrote:{message.pk}",
        )  # fmt: skip


def mentioned(body: str, *, besides: User | None) -> list[User]:
    """Colleagues whom ``body`` names after an @: by name, by their mail's first part, or a first name nobody else has.

    One query where there is an @, none else. ``besides`` is the writer.
    """
    if "@" not in body:
        return []
    people = list(User.objects.active().staff().order_by("name", "email"))
    called = _names(people)
    if not called:
        return []
    # The longest name first, so that "@Ann Lee" is not somebody called Ann.
    names = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True))
    found = re.findall(rf"(?<![\w.])@({names})(?!\w)", body.casefold())
    told = {called[name].pk: called[name] for name in found if called[name] != besides}
    return list(told.values())[:MOST_MENTIONED]


def tell_mentioned(ticket: Ticket, message: Message, people: Iterable[User], *, at: datetime) -> None:
    """Tell ``people`` that ``message`` names them; those who may not see the account hear nothing."""
    told = list(people)
    if told:
        notify(
            told, kind=Kind.MENTION, title=f"{message.author or 'Somebody'} mentions you: {ticket}"[:200],
            body=message.body[:500], url=f"/tickets/{ticket.pk}/#m-{message.pk}", account=ticket.account, at=at,
            dedupe_key=f"mention:{message.pk}",
        )  # fmt: skip


def _names(people: list[User]) -> dict[str, User]:
    """By what somebody may be called; what two are called names nobody."""
    pairs = [(name, person) for person in people for name in _called(person)]
    counts = Counter(name for name, _person in pairs)
    return {name: person for name, person in pairs if counts[name] == 1}


def _called(person: User) -> set[str]:
    full = " ".join(person.name.split()).casefold()
    return {full, full.partition(" ")[0], person.email.partition("@")[0].casefold()} - {""}


def _by(actor: User | None, what: str = "it") -> str:
    return f"{actor or 'Routing'} gave {what} to you."
