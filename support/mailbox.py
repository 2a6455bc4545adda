"""Fetches mail from a mailbox over IMAP. What was stored is marked as read; nothing is ever deleted there."""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from support.intake import MOST_BYTES, NoWorkspace, take

log = logging.getLogger(__name__)
TIMEOUT = 30  # seconds
MOST_AT_ONCE = 100


class MailboxFailed(OSError):
    """The mailbox cannot be reached, or does not let us in. Mail waits there."""


@dataclass
class Fetched:
    """How many mails were stored, and how many were left flagged for whoever keeps the mailbox."""

    stored: int = 0
    left: int = 0


def fetch(box: dict[str, Any], *, at: datetime, most: int = MOST_AT_ONCE) -> Fetched:
    """Store the unread mail of ``box`` (``config.env.mailbox``), each before it is marked as read.

    One that is for no workspace or too large stays unread and is flagged. A break in between brings a mail twice,
    which is taken once. Raises MailboxFailed.
    """
    done = Fetched()
    try:
        with _opened(box) as session:
            for uid in _ask(session, "SEARCH", None, "UNSEEN UNFLAGGED")[0].split()[:most]:
                _take(session, uid.decode(), done, at=at)
    except (OSError, imaplib.IMAP4.error) as problem:
        raise MailboxFailed(f"The mailbox at {box['host']} failed: {problem}") from problem
    return done


def _take(session: imaplib.IMAP4, uid: str, done: Fetched, *, at: datetime) -> None:
    try:
        sized = _ask(session, "FETCH", uid, "(RFC822.SIZE)")
        found = re.search(rb"RFC822\.SIZE (\d+)", b"".join(part for part in sized if isinstance(part, bytes)))
        if found and int(found.group(1)) > MOST_BYTES:
            raise NoWorkspace(f"It is larger than {MOST_BYTES // 1024**2} MB.")
        # Peeking: reading it must not mark it as read before it is stored.
        parts = _ask(session, "FETCH", uid, "(BODY.PEEK[])")
        raw = next(part[1] for part in parts if isinstance(part, tuple))
        take(raw, source="mailbox", at=at)
    except NoWorkspace as nobody:
        log.warning("mail %s stays in the mailbox: %s", uid, nobody)
        _ask(session, "STORE", uid, "+FLAGS", r"(\Flagged)")
        done.left += 1
    else:
        _ask(session, "STORE", uid, "+FLAGS", r"(\Seen)")
        done.stored += 1


def _ask(session: imaplib.IMAP4, verb: str, *words: Any) -> list[Any]:
    status, answer = session.uid(verb, *words)
    if status != "OK":
        raise MailboxFailed(f"{verb} was answered with {status}")
    return [part for part in answer if part is not None] or [b""]


@contextmanager
def _opened(box: dict[str, Any]) -> Iterator[imaplib.IMAP4]:
    secure = ssl.create_default_context()
    if box["ssl"]:
        session: imaplib.IMAP4 = imaplib.IMAP4_SSL(box["host"], box["port"], ssl_context=secure, timeout=TIMEOUT)
    else:
        session = imaplib.IMAP4(box["host"], box["port"], timeout=TIMEOUT)
    try:
        if box["tls"]:
            session.starttls(secure)
        session.login(box["user"], box["password"])
        status, answer = session.select(box["folder"])
        if status != "OK":
            raise MailboxFailed(f"there is no folder {box['folder']}: {answer!r}")
        yield session
    finally:
        session.logout()
