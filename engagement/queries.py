"""Reads of a person's notices and of the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet

from accounts.queries.day import lines
from engagement.choices import Kind, default_channels, kinds_for
from engagement.models import Notification, NotificationPreference, OutboxMessage
from ui import keyset

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
STATES = {"waiting": "Waiting", "retrying": "Trying again", "sent": "Sent", "dead": "Given up", "bundled": "Bundled"}
NOTICE_COLUMNS = ("pk", "kind", "title", "body", "url", "created_at", "read_at", "account", "account__name")
MESSAGE_COLUMNS = (
    "pk", "to", "kind", "title", "created_at", "not_before", "attempts", "sent_at", "dead_at", "last_error",
    "lease_until", "bundled_in",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InboxFilters:
    """``unread`` only, and of one ``kind``."""

    unread: str = ""
    kind: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> InboxFilters:
        kind = query.get("kind", "")
        return cls("1" if query.get("unread") == "1" else "", kind if kind in Kind.values else "")

    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def inbox(user: User, filters: InboxFilters, cursor: str) -> keyset.Page:
    """A page of ``user``'s notices, newest first. One query."""
    rows = Notification.objects.of(user)
    if filters.unread:
        rows = rows.unread()
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    order = keyset.Order("created_at", descending=True)
    return keyset.page(rows.values(*NOTICE_COLUMNS), order, _created(Notification), cursor, PAGE_SIZE)


def unread(user: User) -> QuerySet[Notification]:
    """Unread notices of ``user``: counted in the side bar, on a partial index."""
    return Notification.objects.of(user).unread()


# What a row of its own shows on the page of the day already: the CTA itself, or the one that the trigger opened.
SHOWN_OTHERWISE = frozenset({Kind.CTA_OPENED, Kind.CTA_ASSIGNED, Kind.CTA_WOKE, Kind.TASK_DUE, Kind.HEALTH_TRIGGER})


def day_notices(user: User) -> QuerySet[Any]:
    """Unread notices of ``user`` that no row of its own shows, the newest first, as ``accounts.queries.day.Line``."""
    rows = Notification.objects.of(user).unread().exclude(kind__in=SHOWN_OTHERWISE)
    fields = {"title": "title", "note": "body", "moment": "created_at", "priority": "kind", "ref": "url"}
    return lines(rows, "notice", "-created_at", pk="pk", account="account", **fields)


def notice_title(user: User, notice: Any) -> str | None:
    """The title of one notice of ``user``; None where it is not theirs. One query."""
    return Notification.objects.of(user).filter(pk=notice).values_list("title", flat=True).first()


def preferences_of(user: User) -> list[tuple[Kind, bool, bool]]:
    """(kind, in the app, by mail) for every kind that can reach the person, their wish or the default. One query."""
    chosen = {row.kind: (row.in_app, row.by_mail) for row in NotificationPreference.objects.filter(user=user)}
    return [(kind, *chosen.get(kind, default_channels(kind))) for kind in kinds_for(is_portal=user.is_portal)]


def outbox(state: str, cursor: str) -> keyset.Page:
    """A page of outgoing mail, newest first, in one state or all. One query."""
    rows = _in_state(OutboxMessage.objects.all(), state)
    order = keyset.Order("created_at", descending=True)
    return keyset.page(rows.values(*MESSAGE_COLUMNS), order, _created(OutboxMessage), cursor, PAGE_SIZE)


def letters(keys: Iterable[str]) -> dict[str, Any]:
    """Letters by their keys, with ``sent_at``, ``dead_at`` and ``last_error``. One query."""
    rows = OutboxMessage.objects.filter(is_letter=True, dedupe_key__in=list(keys))
    return {row.dedupe_key: row for row in rows.only("dedupe_key", "sent_at", "dead_at", "last_error")}


def mails_of(dedupe_key: str) -> dict[Any, str]:
    """The state of the mail about one fact, by the person it went to: ``waiting``, ``sent``, … One query."""
    rows = OutboxMessage.objects.filter(dedupe_key=dedupe_key).exclude(user=None)
    return {row.user_id: row.state for row in rows.only("user", "sent_at", "dead_at", "bundled_in", "attempts")}


def outbox_counts() -> dict[str, int]:
    """How many messages stand in each state. One query."""
    return OutboxMessage.objects.aggregate(**{state: Count("pk", filter=_STATES[state]) for state in STATES})


_OPEN = Q(sent_at=None, dead_at=None, bundled_in=None)
_STATES = {
    "waiting": _OPEN & Q(attempts=0),
    "retrying": _OPEN & Q(attempts__gt=0),
    "sent": Q(sent_at__isnull=False),
    "dead": Q(dead_at__isnull=False),
    "bundled": Q(bundled_in__isnull=False),
}


def state_of(row: Mapping[str, Any]) -> str:
    """The state of a row of ``outbox``."""
    if row["sent_at"]:
        return "sent"
    if row["dead_at"]:
        return "dead"
    if row["bundled_in"]:
        return "bundled"
    return "retrying" if row["attempts"] else "waiting"


def _in_state(rows: QuerySet[OutboxMessage], state: str) -> QuerySet[OutboxMessage]:
    return rows.filter(_STATES[state]) if state in _STATES else rows


def _created(model: Any) -> Any:
    return model._meta.get_field("created_at")
