"""Reads of the mail room: what waits for a person, and what became of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet

from accounts.models import Account, Contact
from support.choices import MailState
from support.models import IncomingMail, Ticket
from ui import keyset

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
COLUMNS = (
    "pk", "subject", "from_address", "from_name", "received_at", "state", "rule", "reason", "size", "ticket",
    "ticket__number", "ticket__subject", "decided_by__name",
)  # fmt: skip
# The tabs, and the states behind each.
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Quarantine", (MailState.QUARANTINED, MailState.FAILED)),
    "noted": ("Noted", (MailState.NOTED, MailState.BOUNCE, MailState.DUPLICATE)),
    "worked": ("In tickets", (MailState.OPENED, MailState.JOINED)),
    "discarded": ("Discarded", (MailState.DISCARDED,)),
    "waiting": ("Waiting", (MailState.WAITING,)),
}


@dataclass(frozen=True, slots=True)
class MailFilters:
    """A tab, and words in the subject, the sender or the reason."""

    state: str = ""
    q: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> MailFilters:
        state = query.get("state", "")
        return cls(state if state in TABS else "", query.get("q", "").replace("\x00", "").strip()[:100])

    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def mail_page(user: User, filters: MailFilters, cursor: str) -> keyset.Page:
    """A page of mail, newest first. One query, without the mails themselves."""
    rows = _searched(user, filters).filter(state__in=TABS[filters.state][1])
    field = IncomingMail._meta.get_field("received_at")
    return keyset.page(rows.values(*COLUMNS), keyset.Order("received_at", descending=True), field, cursor, PAGE_SIZE)


def mail_counts(user: User, filters: MailFilters) -> dict[str, int]:
    """How much mail each tab holds under the same words. One query."""
    return _searched(user, filters).aggregate(
        **{f"n_{key}": Count("pk", filter=Q(state__in=states)) for key, (_label, states) in TABS.items()}
    )


def waiting_mail(user: User) -> QuerySet[IncomingMail]:
    """Mails that wait for a person's decision: counted in the side bar, on an index."""
    return IncomingMail.objects.visible_to(user).filter(state__in=TABS[""][1])


def known_as(user: User, address: str) -> list[Contact]:
    """Contacts with that address that ``user`` may see. One query."""
    if not address:
        return []
    rows = Contact.objects.visible_to(user).filter(email__iexact=address, account__archived_at=None)
    return list(rows.select_related("account").order_by("account__name")[:20])


def likely_accounts(user: User, address: str) -> QuerySet[Account]:
    """Accounts whose people write from the same host, as a choice for an unknown sender. No query yet."""
    host = address.rpartition("@")[2]
    same = Contact.objects.filter(email__iendswith=f"@{host}").values("account") if host else Contact.objects.none()
    return Account.objects.visible_to(user).unarchived().filter(pk__in=same).order_by("name")


def open_tickets(user: User, account_ids: list[Any]) -> QuerySet[Ticket]:
    """Tickets of these accounts that a mail may join, newest first. No query yet."""
    return Ticket.objects.visible_to(user).filter(account__in=account_ids).order_by("-created_at")


def _searched(user: User, filters: MailFilters) -> QuerySet[IncomingMail]:
    rows = IncomingMail.objects.visible_to(user)
    if filters.q:
        words = Q(subject__icontains=filters.q) | Q(from_address__icontains=filters.q) | Q(reason__icontains=filters.q)
        rows = rows.filter(words)
    return rows
