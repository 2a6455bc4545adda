"""Accounts by part of their name, for a field in which one is chosen."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Window
from django.db.models.functions import Upper

from accounts.models.account import AccountQuerySet

MOST = 12


def suggested(accounts: AccountQuerySet, words: str) -> list[dict[str, Any]]:
    """Those of ``accounts`` whose name holds ``words``, by name, twelve at most, each with how many are called so.

    One query, none without words.
    """
    if not words:
        return []
    rows = accounts.unarchived().filter(name__icontains=words)
    rows = rows.annotate(namesakes=Window(Count("pk"), partition_by=[Upper("name")])).order_by("name", "pk")
    return list(rows.values("pk", "name", "tier__name", "owner__name", "namesakes")[:MOST])
