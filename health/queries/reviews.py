"""Reviews and what they ask for, as one person sees them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, Q, QuerySet, Value, When

from accounts.choices import Role
from accounts.models import Account
from health.choices import ReviewKind
from health.models import HealthReview, ReviewItem, ReviewPlan
from health.reviews import ORDER, span

if TYPE_CHECKING:
    from accounts.models import User

MINE = "me"


def reviews_for(user: User) -> QuerySet[HealthReview]:
    """Every review, newest first, with ``accounts`` and ``done`` of what ``user`` may see. One query."""
    seen = Q(items__account__in=Account.objects.visible_to(user))
    rows = HealthReview.objects.select_related("started_by", "closed_by").annotate(
        accounts=Count("items", filter=seen), done=Count("items", filter=seen & Q(items__done_at__isnull=False))
    )
    return rows.order_by("-first_on", "kind")


def items_of(review: HealthReview, user: User, *, owner: str = "", state: str = "") -> QuerySet[Any]:
    """What the review asks for of accounts ``user`` may see, red first; ``owner`` me, ``state`` open or done."""
    rank = Case(*(When(rag=rag, then=Value(at)) for at, rag in enumerate(ORDER)))
    rows = ReviewItem.objects.visible_to(user).filter(review=review).select_related("account", "owner", "done_by")
    if owner == MINE:
        rows = rows.filter(owner=user)
    if state in {"open", "done"}:
        rows = rows.filter(done_at__isnull=state == "open")
    return rows.annotate(rank=rank).order_by("rank", "-account__arr", "account__name", "pk")


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
