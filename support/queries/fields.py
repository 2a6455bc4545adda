"""Fields of the workspace's own on tickets, and what a ticket holds in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from support.models import TicketField


def ticket_fields(*, for_customer: bool = False) -> QuerySet[TicketField]:
    """Fields that are there, in order; for a customer those they may see. One query."""
    rows = TicketField.objects.filter(retired_at=None)
    return rows.filter(shown_to_customer=True) if for_customer else rows


def custom_shown(custom: Mapping[str, Any], *, for_customer: bool = False) -> list[tuple[str, str]]:
    """(label, value in words) of what a ticket holds. One query; none where it holds nothing."""
    if not custom:
        return []
    fields = ticket_fields(for_customer=for_customer)
    return [(field.label, _in_words(custom[field.key])) for field in fields if field.key in custom]


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
