"""The doors through which mail comes in: each stores it in its workspace and only then says that it has it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email import message_from_bytes, policy
from email.utils import getaddresses

from django_tenants.utils import tenant_context

from support.actions import receive
from support.mail.parse import TO_US
from support.models import IncomingMail
from support.queries.addresses import tenant_of

MOST_HEADERS = 200
# More than any mail server lets through; beyond it the sender or the mailbox keeps the mail.
MOST_BYTES = 60 * 1024 * 1024


class NoWorkspace(LookupError):
    """No workspace of this installation is at any of the addresses."""


def take(raw: bytes, *, source: str, recipients: Iterable[str] = (), at: datetime) -> IncomingMail:
    """Store ``raw`` in the workspace it is for; the envelope's ``recipients`` count before what its headers say.

    Returns the row. Raises NoWorkspace, and then nothing was stored: whoever brought it has to keep it.
    """
    addresses = [*recipients] or _addressed(raw)
    tenant = tenant_of(addresses)
    if tenant is None:
        raise NoWorkspace(f"No workspace is at {', '.join(addresses)[:200] or 'any address of this mail'}.")
    hosts = set(tenant.domains.values_list("domain", flat=True))
    recipient = next(address for address in addresses if address.rpartition("@")[2].lower() in hosts)
    with tenant_context(tenant):
        return receive(raw, source=source, recipient=recipient, at=at)


def _addressed(raw: bytes) -> list[str]:
    """Addresses in the headers, those that a delivery adds first. Whatever the bytes are."""
    headers = message_from_bytes(raw.partition(b"\n\n")[0][:200_000] + b"\n\n", policy=policy.compat32)
    values = [str(value) for name in TO_US for value in headers.get_all(name, [])[:MOST_HEADERS]]
    return [address.lower() for _name, address in getaddresses(values) if "@" in address]
