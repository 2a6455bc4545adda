"""Reads of the triggers' runs and of what they fired."""

from __future__ import annotations

from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from accounts.models import User
from health.models import Trigger, TriggerFiring, TriggerRun

PAGE = 50
# An account and a version of a trigger hold more than their names.
SHOWN = (
    "evidence", "handled_at", "outcome", "due_at", "cta_id", "account__name", "version__trigger__name",
)  # fmt: skip


def log_page(*, everything: bool, before: str) -> tuple[list[TriggerRun], str]:
    """(runs, newest first, and the address of the next page or nothing). One query.

    Without ``everything`` runs in which nothing fired or was held back are left out.
    """
    rows = TriggerRun.objects.all() if everything else TriggerRun.objects.filter(Q(fired__gt=0) | Q(held__gt=0))
    moment = _moment(before)
    if moment is not None:
        rows = rows.filter(at__lt=moment)
    found = list(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].at.isoformat() if len(found) > PAGE else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def firings_of(rows: QuerySet[TriggerFiring], page: str) -> Page[TriggerFiring]:
    """A page of these firings with account and trigger, as they fired. Two queries."""
    shown = rows.select_related("account", "version__trigger").only(*SHOWN).order_by("id")
    return Paginator(shown, PAGE).get_page(page)


def names_of_people() -> dict[str, str]:
    """Mail address to name of everybody. One query."""
    return {user.email: str(user) for user in User.objects.all()}


def clean_day(text: str, days: int) -> int | None:
    """A day of a dry run from an address; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < days else None


def trigger_names() -> dict[str, str]:
    """The name of every trigger by its key, in the order of names. One query."""
    return dict(Trigger.objects.order_by("name", "key").values_list("key", "name"))
