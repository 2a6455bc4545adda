"""Mail leaves here: claim with a lease, commit, send with a stable Message-ID, mark.

A worker that dies between sending and marking leaves a message that is sent again after its lease, under the
same Message-ID; one that dies before sending leaves a message that was not lost. Attempts are counted when a
message is claimed, so a message that kills its workers is given up too (security.md §2.2).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.module_loading import import_string

from accounts.links import absolute
from engagement.holding import hold_in_quiet_hours
from engagement.models import OutboxMessage

LEASE = timedelta(minutes=5)
BATCH = 50
# Waiting time after the 1st, 2nd, ... failure; a message that failed after the last one is dead.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))
MAX_ATTEMPTS = len(BACKOFF) + 1


def claim(*, at: datetime, limit: int = BATCH) -> list[OutboxMessage]:
    """Up to ``limit`` due messages, leased to the caller with their attempt counted, oldest first.

    Two workers never hold the same one: rows another worker is claiming are skipped, and the lease keeps them
    away afterwards. A message whose attempts are used up without an answer is given up here, and so is one to a
    colleague who was deactivated while it waited.
    """
    with transaction.atomic():
        rows = OutboxMessage.objects.due(at).select_related("user").order_by("not_before", "id")
        messages = list(rows.select_for_update(of=("self",), skip_locked=True)[:limit])
        left = [message for message in messages if message.user is not None and not message.user.is_active]
        exhausted = [message for message in messages if message.attempts >= MAX_ATTEMPTS and message not in left]
        give_up(left, "Whom it is for was deactivated.", at=at)
        give_up(exhausted, "The worker stopped at every attempt.", at=at)
        claimed = [message for message in messages if message not in left and message not in exhausted]
        for message in claimed:
            message.attempts += 1
            message.lease_until = at + LEASE
        OutboxMessage.objects.bulk_update(claimed, ["attempts", "lease_until"])
    return claimed


def give_up(messages: Collection[OutboxMessage], why: str, *, at: datetime) -> int:
    """Send none of ``messages`` any more, unless they were sent meanwhile; how many. No query for none."""
    if not messages:
        return 0
    rows = OutboxMessage.objects.pending().filter(pk__in=[message.pk for message in messages])
    return rows.update(dead_at=at, lease_until=None, last_error=why)


def message_id(key: UUID, domain: str) -> str:
    """The Message-ID of an outbox row: the same at every attempt."""
    return f"<{key}@{domain}>"


def compose(message: OutboxMessage) -> EmailMultiAlternatives:
    """The mail of ``message``: plain text and HTML with links to the workspace's primary domain.

    A letter is sent as it was written; files go along with either. Raises OSError where a file of it is gone.
    """
    if message.is_letter:
        return _letter(message)
    base = absolute("/").rstrip("/")
    context = {
        "message": message,
        "link": f"{base}{message.url}" if message.url else "",
        "preferences": f"{base}/notifications/preferences/",
    }
    mail = EmailMultiAlternatives(
        subject=" ".join(message.title.split()),
        body=render_to_string("engagement/mail/notice.txt", context),
        to=[message.to],
        headers={
            "Message-ID": message_id(message.pk, base.split("//")[1].split(":")[0]),
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("engagement/mail/notice.html", context), "text/html")
    _attach(mail, message)
    return mail


def _letter(message: OutboxMessage) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        subject=" ".join(message.title.split()),
        body=message.body,
        from_email=message.sender or None,
        to=[message.to],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers=message.headers,
    )
    _attach(mail, message)
    return mail


def _attach(mail: EmailMultiAlternatives, message: OutboxMessage) -> None:
    for name, content_type, path in message.files:
        with default_storage.open(path, "rb") as file:
            # Bytes of a declared text type would be taken for text in any charset.
            mail.attach(name, file.read(), content_type.split(";")[0] if "text/" not in content_type else None)


def deliver_due(*, now: datetime, limit: int = BATCH) -> dict[str, int]:
    """Claim and send what is due at ``now``; ``{"sent", "failed", "dead"}``. Call outside a transaction."""
    counts = {"sent": 0, "failed": 0, "dead": 0}
    hold_in_quiet_hours(at=now)
    messages = claim(at=now, limit=limit)
    if not messages:
        return counts
    connection = get_connection()
    try:
        for message in messages:
            counts[_deliver(message, connection, at=now)] += 1
    finally:
        connection.close()
    return counts


def _deliver(message: OutboxMessage, connection: BaseEmailBackend, *, at: datetime) -> str:
    if why := _withheld(message):
        give_up([message], why, at=at)
        return "dead"
    try:
        connection.open()  # a no-op while the connection of the message before is still there
        mail = compose(message)
        mail.connection = connection
        mail.send()
    except (OSError, SMTPException, ValueError) as error:
        return _failed(message, error, at=at)
    _mark_sent(message, at=at)
    return "sent"


def _withheld(message: OutboxMessage) -> str:
    """Why its files are not for whom it goes to any more. SECURITY: asked last, also of one that is tried again."""
    rule = settings.MAIL_WITHHELD.get(message.kind) if message.files and message.user else None
    return str(import_string(rule)(message.user)) if rule else ""


def _mark_sent(message: OutboxMessage, *, at: datetime) -> None:
    """Sent, whoever sent it last: a worker whose lease ran out has sent it as well."""
    OutboxMessage.objects.filter(pk=message.pk, dead_at=None).update(sent_at=at, lease_until=None, last_error="")


def _failed(message: OutboxMessage, error: Exception, *, at: datetime) -> str:
    """Keep the error and set the next attempt, or give the message up."""
    dead = message.attempts >= MAX_ATTEMPTS
    OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).update(
        lease_until=None,
        last_error=f"{type(error).__name__}: {error}"[:500],
        dead_at=at if dead else None,
        not_before=at if dead else at + BACKOFF[message.attempts - 1],
    )
    return "dead" if dead else "failed"
