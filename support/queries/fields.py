"""Fields of the workspace's own on tickets, and what a ticket holds in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from support.models import TicketField


def ticket_fields(*, for_customer: bool = False) -> QuerySet[TicketField]:
    """Fields that are there, in order; for a customer those they may see. One query."""
    rows = TicketField.objects.filter(retired_at=None)
    return rows.filter(shown_to_customer=True) if for_customer else rows


def custom_shown(custom: Mapping[str, Any], labels: Iterable[Mapping[str, str]]) -> list[tuple[str, str]]:
    """(label, value in words) of what a ticket holds in the fields of ``labels``. No query."""
    return [(each["label"], _in_words(custom[each["key"]])) for each in labels if each["key"] in custom]


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
