"""The accounts list: one page of rows, its total and the choices of its filters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q

from accounts.choices import STAFF_ROLES, Role
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.models.account import AccountQuerySet
from health.book.filters import AccountFilters
from health.models import AccountHealth
from ui import keyset

PAGE_SIZE = 50
SORTS = {
    "health": ("health__score", False),
    "-health": ("health__score", True),
    "change": ("health__change_30d", False),
    "-change": ("health__change_30d", True),
    "name": ("name", False),
    "-name": ("name", True),
    "arr": ("arr", False),
    "-arr": ("arr", True),
    "renewal": ("renewal_on", False),
    "-renewal": ("renewal_on", True),
}
DEFAULT_SORT = "health"
COLUMNS = (
    "pk",
    "name",
    "segment",
    "status",
    "arr",
    "currency",
    "renewal_on",
    "country",
    "tier__name",
    "stage__name",
    "owner__name",
    "owner__email",
    "health__score",
    "health__shown",
    "health__current_band",
    "health__current_rag",
    "health__change_30d",
    "health__coverage_pct",
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows and how many match in all."""

    page: keyset.Page
    total: int
    sort: str


def account_list(user: Any, filters: AccountFilters, sort: str, cursor: str, today: date) -> Listing:
    """One page of accounts with their current health: two queries, whatever the number of rows."""
    sort = sort if sort in SORTS else DEFAULT_SORT
    path, descending = SORTS[sort]
    rows = filters.accounts(user, today)
    model = AccountHealth if path.startswith("health__") else Account
    field = model._meta.get_field(path.removeprefix("health__"))
    page = keyset.page(rows.values(*COLUMNS), keyset.Order(path, descending), field, cursor, PAGE_SIZE)
    total = len(page.rows) if not (page.next or page.previous) else rows.order_by().count()
    return Listing(page, total, sort)


def all_rows(user: Any, filters: AccountFilters, sort: str, today: date) -> list[dict[str, Any]]:
    """Every matching row in order, for the CSV: one query."""
    path, descending = SORTS.get(sort, SORTS[DEFAULT_SORT])
    order = keyset.Order(path, descending)
    return list(filters.accounts(user, today).values(*COLUMNS).order_by(*order.expressions(backwards=False)))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, as (value, label) pairs."""

    owners: list[tuple[str, str]]
    tiers: list[tuple[str, str]]
    stages: list[tuple[str, str]]
    segments: list[tuple[str, str]]


CHOICES_KEPT = 60


def filter_choices(user: User) -> Choices:
    """Owners, tiers, stages and segments in use, at most a minute old: one look-up, else four small queries.

    A CSM who reads only their own book is offered the segments of that book, by one query more.
    """
    choices = cache.get_or_set("health.book.choices", _filter_choices, CHOICES_KEPT)
    if user.role != Role.CSM or user.workspace_settings.csm_reads_all_accounts:
        return choices
    return replace(choices, segments=_segments(Account.objects.visible_to(user)))


def _filter_choices() -> Choices:
    owning = Exists(Account.objects.filter(owner=OuterRef("pk")))
    people = User.objects.filter(Q(is_active=True) | owning, role__in=STAFF_ROLES)
    owners = people.order_by("name", "email").values_list("pk", "name", "email")
    return Choices(
        owners=[(str(pk), name or email) for pk, name, email in owners],
        tiers=[(str(pk), name) for pk, name in Tier.objects.values_list("pk", "name")],
        stages=[(str(pk), name) for pk, name in LifecycleStage.objects.values_list("pk", "name")],
        segments=_segments(Account.objects.all()),
    )


def _segments(accounts: AccountQuerySet) -> list[tuple[str, str]]:
    used = accounts.unarchived().exclude(segment="").order_by("segment").values_list("segment", flat=True).distinct()
    return [(name, name) for name in used[:60]]
