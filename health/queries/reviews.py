"""Reviews and what they ask for, as one person sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from accounts.choices import Role
from health.choices import ReviewKind
from health.models import HealthReview, ReviewItem, ReviewPlan
from health.reviews import ORDER, span

if TYPE_CHECKING:
    from accounts.models import User

MINE = "me"
# Of accounts and people their names: whole rows of them would be sorted along.
SHOWN = (
    "review", "rag", "band_name", "shown", "change", "ask", "detail", "with_lead", "note", "done_at",
    "account__name", "owner__name", "owner__email", "done_by__name", "done_by__email",
)  # fmt: skip


def reviews_for(user: User) -> QuerySet[HealthReview]:
    """Every review, newest first, with ``accounts`` and ``done`` of what ``user`` may see. One query."""
    seen = ReviewItem.objects.visible_to(user).filter(review=OuterRef("pk")).order_by().values("review")
    accounts, done = (
        Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)
        for rows in (seen, seen.filter(done_at__isnull=False))
    )
    rows = HealthReview.objects.select_related("started_by", "closed_by").annotate(accounts=accounts, done=done)
    return rows.order_by("-first_on", "kind")


def items_of(review: HealthReview, user: User, *, owner: str = "", state: str = "") -> QuerySet[Any]:
    """What the review asks for of accounts ``user`` may see, red first; ``owner`` me, ``state`` open or done."""
    rank = Case(*(When(rag=rag, then=Value(at)) for at, rag in enumerate(ORDER)))
    rows = ReviewItem.objects.visible_to(user).filter(review=review).select_related("account", "owner", "done_by")
    rows = rows.only(*SHOWN)
    if owner == MINE:
        rows = rows.filter(owner=user)
    if state in {"open", "done"}:
        rows = rows.filter(done_at__isnull=state == "open")
    return rows.annotate(rank=rank).order_by("rank", "-account__arr", "account__name", "pk")


def items_between(rows: QuerySet[Any], totals: Mapping[str, int], first: int, last: int) -> list[ReviewItem]:
    """Of ``items_of`` those from place ``first`` (from 0) up to before ``last``; ``totals``: how many of each colour.

    One query. Only the colours in that stretch are sorted, and only its rows are joined with people.
    """
    wanted, passed, before = [], 0, 0
    for rag in ORDER:
        after = before + totals.get(rag, 0)
        if after <= first:
            passed = after
        elif before < last:
            wanted.append(rag)
        before = after
    stretch = rows.filter(rag__in=wanted).values("pk")[first - passed : last - passed]
    return list(rows.filter(pk__in=stretch))


def not_started(today: date) -> list[str]:
    """The kinds of review that no one has started for the week or month of ``today``. One query."""
    there = set(HealthReview.objects.filter(last_on__gte=today).values_list("kind", "first_on"))
    return [kind for kind in ReviewKind.values if (kind, span(kind, today)[0]) not in there]


def asked_for() -> list[str]:
    """The kinds of review that a methodology asks for. One query."""
    plans = list(ReviewPlan.objects.all())
    wanted = {
        ReviewKind.WEEK: any(plan.is_weekly for plan in plans),
        ReviewKind.MONTH: any(plan.is_monthly for plan in plans),
    }
    return [kind for kind, asked in wanted.items() if asked]


def first_owner_view(user: User) -> str:
    """Whose accounts a person looks at first: a CSM's own, everybody's for who leads."""
    return MINE if user.role == Role.CSM else ""
