"""The mail room: a mail is stored as it came, then read, judged and made a ticket, a reply, or a case for a person.

Whatever arrives ends in a state with a reason. Nothing is deleted, and a mail that nobody vouches for does nothing.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from django.conf import settings as installation
from django.db import transaction

from accounts.models import Contact
from accounts.uploads import Checked, check_content
from support.actions.attachments import attach
from support.actions.conversation import customer_reply, mark_failed, note, reply
from support.actions.letters import ACKNOWLEDGED
from support.actions.log import settings_row
from support.actions.tickets import open_ticket
from support.choices import Channel, Delivery, MailState
from support.mail import loops, trust
from support.mail.parse import File, Mail, Unreadable, read
from support.models import IncomingMail, Message, Ticket
from support.queries import addresses

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import Account, User
    from support.models import SupportSettings

log = logging.getLogger(__name__)
BATCH = 50
# Waiting time after the 1st, 2nd, ... failure of our own; after the last a person looks at it.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
EMPTY = "(no text)"
MOST_FILES = 30


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a mail: its state, why, and the ticket and contact it is about."""

    state: str
    rule: str = ""
    reason: str = ""
    ticket: Ticket | None = None
    contact: Contact | None = None
    automatic: bool = False


class Stopped(Exception):
    """Judging ended early."""

    def __init__(self, state: str, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.decision = Decision(state, rule, reason[:300])


def receive(raw: bytes, *, source: str, recipient: str = "", at: datetime) -> IncomingMail:
    """Store a mail as it came; ``work_mail`` reads it. Returns the row, the first one for bytes that came before.

    Nothing is looked at here, so nothing in it can keep it from being stored. Two queries.
    """
    digest = hashlib.sha256(raw).hexdigest()
    values = {
        "raw": raw, "size": len(raw), "source": source, "recipient": _clean(recipient)[:254], "received_at": at,
        "not_before": at,
    }  # fmt: skip
    row, _made = IncomingMail.objects.get_or_create(sha256=digest, defaults=values)
    return row


def work_due(*, at: datetime, most: int = BATCH) -> dict[str, int]:
    """Work the mail that waits, oldest first; how many ended in which state. Two workers never hold the same one."""
    counts: dict[str, int] = {}
    for key in list(IncomingMail.objects.due(at).order_by("not_before", "id").values_list("pk", flat=True)[:most]):
        row = work_mail(key, at=at)
        if row is not None:
            counts[row.state] = counts.get(row.state, 0) + 1
    return counts


def work_mail(key: UUID | str, *, at: datetime) -> IncomingMail | None:
    """Read, judge and carry out one mail that waits. Returns it; None where another worker has it or had it.

    What we could not do (a database that was away) is tried again with growing pauses, then left to a person.
    """
    # Counted first and by itself: a mail that kills its worker runs out of attempts too.
    rows = IncomingMail.objects.due(at).filter(pk=key)
    with transaction.atomic():
        row = rows.select_for_update(skip_locked=True).first()
        if row is None:
            return None
        row.attempts += 1
        row.not_before = at + BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
        if row.attempts > len(BACKOFF):
            row.state, row.rule = MailState.FAILED, "tried"
            row.reason = row.reason or "The worker stopped at every attempt."
        row.save(update_fields=["attempts", "not_before", "state", "rule", "reason"])
    if row.state == MailState.FAILED:
        return row
    try:
        with transaction.atomic():
            return _work(IncomingMail.objects.select_for_update().get(pk=key), at=at)
    except Exception as problem:
        # Whatever it is, the mail is kept and comes up again; a person sees it in the end.
        log.exception("mail %s could not be worked", key)
        IncomingMail.objects.filter(pk=key).update(reason=f"{type(problem).__name__}: {problem}"[:300])
        row.refresh_from_db()
        return row


def _work(row: IncomingMail, *, at: datetime) -> IncomingMail:
    try:
        mail = read(bytes(row.raw))
    except Unreadable as wrong:
        return _settle(row, Decision(MailState.QUARANTINED, "unreadable", str(wrong)), at=at)
    _describe(row, mail)
    desk = settings_row()
    try:
        decision = _decide(row, mail, desk, at=at)
    except Stopped as stopped:
        return _settle(row, stopped.decision, at=at)
    return carry_out(row, mail, decision, acknowledge=desk.acknowledge_mail, at=at)


def _describe(row: IncomingMail, mail: Mail) -> None:
    name, address = mail.senders[0] if mail.senders else ("", "")
    row.from_name, row.from_address = _clean(name)[:160], _clean(address)[:254]
    row.subject, row.mail_id = _clean(mail.subject)[:300], _clean(mail.message_id)[:255]


def _decide(row: IncomingMail, mail: Mail, desk: SupportSettings, *, at: datetime) -> Decision:
    """What becomes of ``mail``. Raises Stopped for everything that is no customer's message."""
    at_host = addresses.host()
    if mail.report is not None:
        _report_delivery(mail, at=at)
    _refuse_our_own(mail, desk, at_host)
    automatic = loops.automatic(mail)
    if mail.message_id and Message.objects.filter(mail_id=mail.message_id, from_customer=True).exists():
        raise Stopped(MailState.DUPLICATE, "duplicate", "This message came before, by another way.")
    _refuse_unverified(mail, desk, automatic)
    _refuse_flood(row, desk, at=at)
    try:
        ticket = addresses.answered(filter(None, (row.recipient, *mail.recipients)), at_host)
    except addresses.ForgedReply as forged:
        raise Stopped(MailState.QUARANTINED, "forged_reply", str(forged)) from forged
    if automatic and ticket is None:
        raise Stopped(MailState.NOTED, "automatic", automatic)
    contact = _contact_of(mail.sender, ticket)
    if ticket is not None:
        return Decision(MailState.JOINED, "", automatic, ticket, contact, bool(automatic))
    hinted = _hinted(mail, contact)
    return Decision(MailState.JOINED if hinted else MailState.OPENED, ticket=hinted, contact=contact)


def _report_delivery(mail: Mail, *, at: datetime) -> None:
    """A delivery report: an answer of ours that failed for good was none. Raises Stopped always."""
    report = mail.report
    if report is None or not report.failed:
        raise Stopped(MailState.NOTED, "delayed", "A delivery report that is not final.")
    answers = Message.objects.filter(mail_id__in=report.message_ids, from_customer=False).exclude(mail_id="")
    found = answers.exclude(delivery=Delivery.NONE).select_related("ticket").first()
    if found is None:
        raise Stopped(MailState.NOTED, "unknown_bounce", "A delivery report about a mail we did not send.")
    mark_failed(found, error=report.error or "The mail came back.", at=at)
    raise Stopped(MailState.BOUNCE, "bounce", f"Our answer in #{found.ticket.number} did not arrive: {report.error}")


def _refuse_our_own(mail: Mail, desk: SupportSettings, at_host: str) -> None:
    ours = {addresses.support_address(desk, at_host).lower(), parseaddr(installation.DEFAULT_FROM_EMAIL)[1].lower()}
    own_id = mail.message_id and Message.objects.filter(mail_id=mail.message_id, from_customer=False).exists()
    loop = mail.header("x-loop").lower() == at_host
    if own_id or loop or mail.sender in ours or mail.sender.endswith(f"@{at_host}"):
        raise Stopped(MailState.NOTED, "loop", "It is a mail of our own that came back.")


def _refuse_unverified(mail: Mail, desk: SupportSettings, automatic: str) -> None:
    if len(mail.senders) != 1 or len(mail.headers.get("from", ())) != 1:
        raise Stopped(MailState.QUARANTINED, "senders", "It does not say that it is from exactly one address.")
    relay = desk.trusted_relay or installation.MAIL_RELAY
    verdict = trust.judge(mail.headers.get("authentication-results", ()), relay=relay, sender=mail.sender)
    if verdict.ok:
        return
    if automatic:
        raise Stopped(MailState.NOTED, "automatic", automatic)
    raise Stopped(MailState.QUARANTINED, verdict.rule, verdict.reason)


def _refuse_flood(row: IncomingMail, desk: SupportSettings, *, at: datetime) -> None:
    """SECURITY: two machines that answer each other stop here, whatever headers they forget."""
    recent = IncomingMail.objects.filter(
        from_address=row.from_address, received_at__gt=at - timedelta(hours=1), worked_at__isnull=False
    ).exclude(pk=row.pk)
    if recent.filter(state__in=[MailState.OPENED, MailState.JOINED]).count() >= desk.mails_per_hour:
        reason = f"More than {desk.mails_per_hour} mails from {row.from_address} within an hour."
        raise Stopped(MailState.NOTED, "flood", reason)


def _contact_of(address: str, ticket: Ticket | None) -> Contact | None:
    """Who wrote. None for somebody copied on ``ticket``. Raises Stopped where nobody knows, or two accounts do."""
    rows = Contact.objects.present().filter(email__iexact=address, account__archived_at=None)
    found = list(rows.select_related("account__tier")[:10])
    if ticket is not None:
        mine = next((contact for contact in found if contact.account_id == ticket.account_id), None)
        if mine is not None or address in {copied.lower() for copied in ticket.cc}:
            return mine
        raise Stopped(MailState.QUARANTINED, "other_account", f"{address} does not belong to the ticket's account.")
    if not found:
        raise Stopped(MailState.QUARANTINED, "unknown_sender", f"Nobody here knows {address}.")
    if len({contact.account_id for contact in found}) > 1:
        names = ", ".join(sorted(contact.account.name for contact in found))
        raise Stopped(MailState.QUARANTINED, "many_accounts", f"{address} belongs to several accounts: {names}")
    return found[0]


def _hinted(mail: Mail, contact: Contact | None) -> Ticket | None:
    """The ticket whose mail this one answers, of the sender's own account; a hint and no proof."""
    if contact is None or not mail.references:
        return None
    known = Message.objects.public().filter(mail_id__in=mail.references, ticket__account=contact.account_id)
    found = known.select_related("ticket__merged_into").order_by("-created_at").first()
    return (found.ticket.merged_into or found.ticket) if found else None


def carry_out(
    row: IncomingMail, mail: Mail, decision: Decision, *, at: datetime, acknowledge: bool = False,
    account: Account | None = None, actor: User | None = None,
) -> IncomingMail:  # fmt: skip
    """Make ``mail`` the ticket or the reply that was decided, with its files. Returns its row.

    A file that may not be kept is left out and named in a note; the mail still holds it. Call it in a transaction.
    """
    contact, ticket = decision.contact, decision.ticket
    words: dict[str, Any] = {"body": mail.body or EMPTY, "html": mail.html, "quoted": mail.quoted}
    once = "" if Message.objects.filter(mail_id=mail.message_id).exists() else mail.message_id
    if ticket is not None:
        message = customer_reply(
            ticket, contact=contact, channel=Channel.EMAIL, mail_id=once, actor=actor, is_automatic=decision.automatic,
            at=at, **words,
        )  # fmt: skip
    else:
        where = account or (contact.account if contact else None)
        if where is None:
            raise ValueError("a ticket needs an account")
        copied = [address for address in mail.recipients if "+" not in address.split("@")[0]]
        ticket = open_ticket(
            where, subject=mail.subject or "(no subject)", channel=Channel.EMAIL, requester=contact, mail_id=once,
            cc=_copied(copied, row), actor=actor, at=at, created_at=min(row.received_at, at), **words,
        )  # fmt: skip
        message = ticket.messages.get()
    files, row.refused_files = _checked(mail.files)
    attach(message, files, at=at)
    if row.refused_files:
        note(ticket, "Not attached:\n" + "\n".join(f"* {line}" for line in row.refused_files), actor=None, at=at)
    if acknowledge and decision.state == MailState.OPENED:
        reply(ticket, ACKNOWLEDGED.format(number=ticket.number), actor=None, is_automatic=True, at=at)
    row.message = message
    decided = Decision(decision.state, decision.rule, decision.reason, ticket, contact)
    return _settle(row, decided, actor=actor, at=at)


def _copied(found: list[str], row: IncomingMail) -> list[str]:
    """Who else got the mail: neither we nor its sender."""
    at_host = addresses.host()
    ours = {addresses.support_address(settings_row(), at_host).lower(), row.recipient.lower(), row.from_address}
    return [address for address in found if address not in ours and not address.endswith(f"@{at_host}")][:20]


def _checked(files: tuple[File, ...]) -> tuple[list[Checked], list[str]]:
    """(files that may be kept, why the others may not)."""
    kept: list[Checked] = []
    refused = []
    for file in files:
        checked = check_content(file.name, file.content)
        if isinstance(checked, str):
            refused.append(_clean(checked)[:300])
        elif len(kept) == MOST_FILES:
            refused.append(f"{checked.name}: a mail may bring {MOST_FILES} files."[:300])
        else:
            kept.append(checked)
    return kept, refused


def _settle(row: IncomingMail, decision: Decision, *, at: datetime, actor: User | None = None) -> IncomingMail:
    row.state, row.rule, row.reason = decision.state, decision.rule, _clean(decision.reason)[:300]
    row.ticket, row.worked_at, row.decided_by = decision.ticket, at, actor
    row.save()
    return row


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
