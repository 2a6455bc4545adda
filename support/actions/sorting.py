"""A person decides about mail that the rules held back: releases it to an account, discards it, brings it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions import create_contact
from accounts.audit import Change, record, record_many
from accounts.errors import RuleViolated
from accounts.models import Account, Contact
from support.actions.mailroom import Decision, carry_out
from support.choices import UNDECIDED, MailState
from support.mail.parse import Mail, Unreadable, read
from support.models import IncomingMail, Ticket

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def release(
    mail: IncomingMail,
    *,
    account: Account | None = None,
    ticket: Ticket | None = None,
    add_contact: bool = False,
    actor: User,
    at: datetime,
) -> IncomingMail:
    """Let a held mail in: as a new ticket of ``account``, or into ``ticket``. Returns its row.

    Whoever releases it vouches for the sender; nothing is sent to them. Without ``account`` it goes to the one at
    which the sender is known. With ``add_contact`` an unknown sender becomes a contact there. Raises RuleViolated for
    mail that is decided already, for a sender nobody can place, and for bytes that are no mail.
    """
    row = _undecided(mail)
    try:
        content = read(bytes(row.raw))
    except Unreadable as wrong:
        raise RuleViolated("mail.unreadable", f"{wrong} Download it to see what it is.") from wrong
    where = ticket.account if ticket is not None else (account or _only_account(row))
    contact = _contact(row, content, where, add=add_contact, actor=actor, at=at)
    state = MailState.JOINED if ticket is not None else MailState.OPENED
    before = {"state": row.state, "reason": row.reason}
    decision = Decision(state, row.rule, f"Released: {row.reason}"[:300], ticket, contact)
    row = carry_out(row, content, decision, account=where, actor=actor, at=at)
    after = {"state": row.state, "ticket": row.ticket_id}
    record("mail.release", row, actor=actor, at=at, before=before, after=after, account=where.pk)
    return row


@transaction.atomic
def release_many(mails: Iterable[IncomingMail], *, actor: User, at: datetime) -> tuple[int, list[str]]:
    """Release each to the account at which its sender is known: how many, and why the others stayed."""
    done, stayed = 0, []
    for mail in mails:
        try:
            with transaction.atomic():
                release(mail, actor=actor, at=at)
            done += 1
        except RuleViolated as refused:
            stayed.append(f"{mail}: {refused}")
    return done, stayed


@transaction.atomic
def discard(mails: Sequence[IncomingMail], *, actor: User, at: datetime) -> int:
    """Put held mails away; how many. They are kept and can be brought back. Two queries and the audit log's."""
    rows = IncomingMail.objects.select_for_update().filter(pk__in=[mail.pk for mail in mails], state__in=UNDECIDED)
    return _move(rows, MailState.DISCARDED, "mail.discard", actor=actor, at=at)


@transaction.atomic
def bring_back(mails: Sequence[IncomingMail], *, actor: User, at: datetime) -> int:
    """Put discarded mails into quarantine again; how many."""
    keys = [mail.pk for mail in mails]
    rows = IncomingMail.objects.select_for_update().filter(pk__in=keys, state=MailState.DISCARDED)
    return _move(rows, MailState.QUARANTINED, "mail.bring_back", actor=actor, at=at)


def _move(rows: Any, state: str, action: str, *, actor: User, at: datetime) -> int:
    # Without their bytes: nobody reads them here.
    found = list(rows.defer("raw"))
    changes = [Change(action, row, {"state": row.state}, {"state": state}) for row in found]
    for row in found:
        row.state, row.decided_by, row.worked_at = state, actor, at
    IncomingMail.objects.bulk_update(found, ["state", "decided_by", "worked_at"])
    record_many(changes, actor=actor, at=at)
    return len(found)


def _undecided(mail: IncomingMail) -> IncomingMail:
    row = IncomingMail.objects.select_for_update().get(pk=mail.pk)
    if row.state not in UNDECIDED:
        raise RuleViolated("mail.decided", f"It is decided already: {row.get_state_display().lower()}.")
    return row


def _only_account(row: IncomingMail) -> Account:
    rows = Contact.objects.present().filter(email__iexact=row.from_address, account__archived_at=None)
    accounts = {contact.account_id: contact.account for contact in rows.select_related("account__tier")[:10]}
    if not row.from_address or len(accounts) != 1:
        raise RuleViolated("mail.account", "Choose the account it belongs to.", "account")
    return next(iter(accounts.values()))


def _contact(
    row: IncomingMail, mail: Mail, account: Account, *, add: bool, actor: User, at: datetime
) -> Contact | None:
    found = Contact.objects.present().filter(account=account, email__iexact=row.from_address).first()
    if found is not None or not add or not mail.sender:
        return found
    name = row.from_name or row.from_address
    return create_contact(account, actor=actor, at=at, name=name, email=row.from_address)
