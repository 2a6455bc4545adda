"""A review's life: planned by a methodology, started, worked off, closed with what was learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import Account, User
from accounts.queries.workspace import workspace_day
from engagement.actions import notify
from engagement.choices import Kind
from health.cards import compiled_by_id
from health.choices import Rag, ReviewKind
from health.models import AccountHealth, HealthReview, ReviewItem, ReviewPlan
from health.queries.reviews import asked_for, not_started
from health.reviews import ASKS, dated, detail_of, looks_at, span
from tenants.copying import copy_in

if TYPE_CHECKING:
    from uuid import UUID


def install_review(parts: Mapping[str, Any], *, pack: str) -> ReviewPlan:
    """Keep what a pack says on reviews (its section health_review). Returns the plan."""
    cadence = parts.get("cadence") or {}
    values = {
        "is_weekly": "weekly" in cadence,
        "is_monthly": parts.get("frequency") == "monthly" or "monthly" in cadence,
        "steps": parts.get("steps") or [],
    }
    return ReviewPlan.objects.update_or_create(pack=pack, defaults=values)[0]


def start_due_reviews(*, at: datetime) -> list[HealthReview]:
    """Start this week's and this month's review where a methodology asks for one and it was not started.

    Returns those it started.
    """
    missing = not_started(workspace_day(at))
    return [start_review(kind, actor=None, at=at) for kind in asked_for() if kind in missing]


@transaction.atomic
def start_review(kind: str, *, actor: User | None, at: datetime) -> HealthReview:
    """Start the review of the week or month of ``at`` with an item for each account it looks at.

    Every owner is told once. Eight statements and four an owner, whatever the number of accounts. Raises RuleViolated
    for a kind that is none and a review that was started.
    """
    if kind not in ReviewKind.values:
        raise RuleViolated("choice", f"One of {', '.join(ReviewKind.values)}.", "kind")
    first_on, last_on = span(kind, workspace_day(at))
    steps: list[dict[str, Any]] = next((plan.steps for plan in ReviewPlan.objects.order_by("pack") if plan.steps), [])
    review = HealthReview(
        kind=kind, first_on=first_on, last_on=last_on, started_at=at, started_by=actor,
        steps=dated(steps, first_on) if kind == ReviewKind.MONTH else [],
    )  # fmt: skip
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError as error:
        if "health_review_once" not in str(error):
            raise
        raise RuleViolated("review.started", "This review was started already.", "kind") from error
    items = list(_items(review))
    copy_in(items)
    _tell(review, items, at)
    record("review.started", review, actor=actor, at=at, after={"kind": kind, "accounts": len(items)})
    return review


@transaction.atomic
def tick_step(review: HealthReview, seq: int, *, done: bool, actor: User, at: datetime) -> HealthReview:
    """Note that a step was done, or was not after all. Raises RuleViolated for an unknown step or a closed review."""
    review = _open(review)
    step = next((step for step in review.steps if step["seq"] == seq), None)
    if step is None:
        raise RuleViolated("unknown", "There is no such step.", "step")
    step["done_at"], step["done_by"] = (at.isoformat(), str(actor)) if done else (None, "")
    review.save(update_fields=["steps"])
    record("review.step", review, actor=actor, at=at, after={"step": step["name"], "done": done})
    return review


@transaction.atomic
def settle_item(item: ReviewItem, *, done: bool, note: str | None = None, actor: User, at: datetime) -> ReviewItem:
    """Note that what was asked for an account is done, with a word on it, or is open again. Returns the item.

    Without ``note`` what was noted stays. Raises RuleViolated for a closed review.
    """
    _open(item.review)
    item.done_at, item.done_by = (at, actor) if done else (None, None)
    if note is not None:
        item.note = note.strip()[:500]
    item.save(update_fields=["done_at", "done_by", "note"])
    after = {"ask": item.ask, "done": done, "note": item.note}
    record("review.item", item, actor=actor, at=at, after=after, account=item.account_id)
    return item


@transaction.atomic
def close_review(review: HealthReview, *, trends: str, actor: User, at: datetime) -> HealthReview:
    """Close the run with what it showed; what is not done stays listed as open. Raises RuleViolated without trends."""
    review = _open(review)
    if not trends.strip():
        raise RuleViolated("review.trends", "Note the trends: a review closes with what it showed.", "trends")
    review.trends, review.closed_at, review.closed_by = trends.strip()[:5000], at, actor
    review.save(update_fields=["trends", "closed_at", "closed_by"])
    record("review.closed", review, actor=actor, at=at, after={"trends": review.trends})
    return review


def _open(review: HealthReview) -> HealthReview:
    review = HealthReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
    if review.closed_at is not None:
        raise RuleViolated("review.closed", "This review is closed; it stays as it was.")
    return review


def _items(review: HealthReview) -> Iterator[ReviewItem]:
    scores = {row.account_id: row for row in AccountHealth.objects.defer("values", "observed_at", "sources")}
    cards = compiled_by_id({row.version_id for row in scores.values()})
    bands: dict[UUID, dict[str, Mapping[str, Any]]] = {
        key: {band["key"]: band for band in card.definition["bands"]} for key, card in cards.items()
    }
    for account in Account.objects.live().only("pk", "owner_id").order_by("pk"):
        row = scores.get(account.pk)
        rag = row.current_rag if row else Rag.NONE.value
        if not looks_at(review.kind, rag):
            continue
        band = bands[row.version_id].get(row.current_band, {}) if row else {}
        ask = ASKS[Rag(rag)]
        yield ReviewItem(
            review=review, account_id=account.pk, owner_id=account.owner_id, rag=rag, ask=ask.title,
            with_lead=ask.with_lead, detail=detail_of(band), band_name=str(band.get("name", ""))[:120],
            shown=row.shown if row else None, change=row.change_30d if row else None,
        )  # fmt: skip


def _tell(review: HealthReview, items: list[ReviewItem], at: datetime) -> None:
    counts = Counter(item.owner_id for item in items if item.owner_id)
    for owner in User.objects.active().filter(pk__in=counts).order_by("pk"):
        number = counts[owner.pk]
        title = f"{review}: {number} account{'' if number == 1 else 's'} of yours"
        url = f"/health/reviews/{review.pk}/?owner=me"
        notify([owner], kind=Kind.TASK_DUE, title=title, url=url, at=at, dedupe_key=f"review:{review.pk}")
