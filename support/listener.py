"""A small mail server for development: it takes mail for the workspaces here and hands it to the mail room.

It knows nobody but those who reach it, so it listens on loopback and adds no verdict about senders.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connections
from django.utils import timezone

from support.intake import MOST_BYTES, NoWorkspace, take
from support.queries.addresses import tenant_of


class Desk:
    """What happens at each step of a delivery, in the answers of RFC 5321."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether somebody lives there."""
        if not await asyncio.to_thread(_in_thread, _lives_here, address):
            return "550 5.1.1 No workspace is at this address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Stored in each workspace it is for before the sender hears that it is ours."""
        raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        return await asyncio.to_thread(_in_thread, _store, raw, list(envelope.rcpt_tos))


def listener(host: str, port: int) -> Controller:
    """The server, not started yet."""
    return Controller(Desk(), hostname=host, port=port, data_size_limit=MOST_BYTES, ident="Tenure")


def _lives_here(address: str) -> bool:
    return tenant_of([address]) is not None


def _store(raw: bytes, recipients: list[str]) -> str:
    try:
        for recipient in recipients:
            take(raw, source="smtp", recipients=[recipient], at=timezone.now())
    except NoWorkspace:
        return "550 5.1.1 No workspace is at this address"
    except Exception:
        # Whatever is wrong here, the sender keeps the mail and tries again.
        return "451 4.3.0 Not now; try again"
    return "250 2.0.0 Taken"


def _in_thread(act: Any, *given: Any) -> Any:
    """``act`` with a connection of the thread's own, closed afterwards."""
    try:
        return act(*given)
    finally:
        connections.close_all()
