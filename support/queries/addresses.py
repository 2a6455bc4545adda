"""The desk's own mail addresses: which workspace one belongs to, which ticket one answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import formataddr
from urllib.parse import urlsplit

from accounts.links import absolute
from accounts.models import Workspace
from support.models import SupportSettings, Ticket
from tenants import signing
from tenants.models import Domain, Tenant, TenantStatus

PURPOSE = "ticket-reply"
_REPLY = re.compile(r"reply\+(\d{1,18})\.([a-z2-7]{20})", re.IGNORECASE)


class ForgedReply(ValueError):
    """A reply address that nobody here gave out."""


def host() -> str:
    """The host of the selected workspace. One query."""
    return urlsplit(absolute("/")).hostname or ""


def reply_address(ticket: Ticket, at_host: str) -> str:
    """Where an answer to ``ticket`` goes. Its seal is worth nothing in another workspace or for another ticket."""
    number = str(ticket.number)
    return f"reply+{number}.{signing.seal(number, purpose=PURPOSE)}@{at_host}"


def answered(addresses: Iterable[str], at_host: str) -> Ticket | None:
    """The ticket one of ``addresses`` stands for, None where none is a reply address. Raises ForgedReply.

    SECURITY: the number counts only with its seal. What a subject says is never looked at.
    """
    for address in addresses:
        local, _at, domain = address.partition("@")
        if not local.lower().startswith("reply+") or domain.lower() != at_host:
            continue
        found = _REPLY.fullmatch(local)
        if not found or not signing.is_sealed(found.group(1), found.group(2), purpose=PURPOSE):
            raise ForgedReply("The reply address was not given out here.")
        ticket = Ticket.objects.select_related("account", "merged_into").filter(number=int(found.group(1))).first()
        if ticket is None:
            raise ForgedReply("The reply address is of a ticket that is gone.")
        return ticket.merged_into or ticket
    return None


def support_address(settings: SupportSettings, at_host: str) -> str:
    """What customers write to."""
    return settings.support_address or f"support@{at_host}"


def sender(settings: SupportSettings, at_host: str) -> str:
    """What answers say they are from: the workspace by name, at its support address. One query."""
    name = Workspace.objects.values_list("name", flat=True).first() or "Support"
    return formataddr((f"{name} Support", support_address(settings, at_host)))


def tenant_of(addresses: Iterable[str]) -> Tenant | None:
    """The served workspace at the host of the first address that has one; None where no address has. One query.

    The public schema's tables are read from any schema.
    """
    hosts = [address.rpartition("@")[2].lower() for address in addresses]
    rows = Domain.objects.filter(domain__in=hosts, tenant__status=TenantStatus.READY).exclude(
        tenant__schema_name="public"
    )
    found = {row.domain: row.tenant for row in rows.select_related("tenant")}
    return next((found[name] for name in hosts if name in found), None)
