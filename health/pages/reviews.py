"""Portfolio reviews: the weeks and months, one run with its steps, and what it asks for on each account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.models import Account
from accounts.policy import may, requires
from health.actions.reviews import close_review, settle_item, start_review, tick_step
from health.choices import Rag, ReviewKind
from health.models import HealthReview, ReviewItem
from health.queries.reviews import asked_for, first_owner_view, items_between, items_of, not_started, reviews_for
from health.reviews import ORDER
from ui.tokens import tone_of

PER_PAGE = 50
HEADINGS = ("Account", "Owner", "Band", "Score", "Change in 30 days", "To do", "With the VP", "Done", "Note")


@requires(GET="health.view", POST="health.configure")
def review_list(request: HttpRequest) -> HttpResponse:
    """Every review with how far it is; POST starts this week's or month's (``kind``)."""
    if request.method == "POST":
        try:
            review = start_review(request.POST.get("kind", ""), actor=request.user, at=timezone.now())
        except RuleViolated as broken:
            messages.error(request, str(broken))
            return redirect("health:review-list")
        messages.success(request, "It has begun. Every owner is told of their accounts.")
        return redirect("health:review-detail", review.pk)
    page = Paginator(reviews_for(request.user), 50).get_page(request.GET.get("page"))
    today = timezone.localdate()
    context = {
        "page": page,
        "today": today,
        "late": {review.pk for review in page if review.is_late(today)},
        "startable": [(kind, ReviewKind(kind).label) for kind in not_started(today)],
        "asked_for": [ReviewKind(kind).label for kind in asked_for()],
        "may_configure": may(request.user, "health.configure"),
    }
    return render(request, "health/review_list.html", context)


@requires(GET="health.view", POST="health.configure")
def review_detail(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """A run: steps with their days, accounts red first (``?owner=me``, ``?state=open``); POST ticks or closes."""
    review = get_object_or_404(reviews_for(request.user), pk=review_id)
    if request.method == "POST":
        return _act(request, review)
    wanted = _wanted(request)
    rows = items_of(review, request.user, **wanted)
    totals = dict(rows.order_by().values_list("rag").annotate(Count("pk")))
    page = Paginator(range(sum(totals.values())), PER_PAGE).get_page(request.GET.get("page"))
    items = items_between(rows, totals, page.start_index() - 1, page.end_index()) if totals else []
    context = {
        "review": review,
        "page": page,
        "groups": _groups(items, totals),
        **wanted,
        "steps": [step | {name: _day(step[name]) for name in ("from_on", "until_on")} for step in review.steps],
        "is_late": review.is_late(timezone.localdate()),
        "editable": _editable(request, items) if review.closed_at is None else set(),
        "may_configure": may(request.user, "health.configure") and review.closed_at is None,
    }
    return render(request, "health/review_detail.html", context)


def _editable(request: HttpRequest, items: Sequence[ReviewItem]) -> set[UUID]:
    """The accounts of the page whose items the reader may settle."""
    if not may(request.user, "health.override"):
        return set()
    shown = [item.account_id for item in items]
    return set(Account.objects.editable_by(request.user).filter(pk__in=shown).values_list("pk", flat=True))


def _wanted(request: HttpRequest) -> dict[str, str]:
    """Whose accounts and in which state, as the address says; without a word a CSM's own."""
    owner = request.GET.get("owner", first_owner_view(request.user))
    return {"owner": owner, "state": request.GET.get("state", "")}


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _groups(items: Any, totals: Mapping[str, int]) -> list[tuple[str, str, list[ReviewItem], int]]:
    """(colour, tone, items of this page, items of all) in the order in which they are looked at."""
    found: dict[str, list[ReviewItem]] = {}
    for item in items:
        found.setdefault(item.rag, []).append(item)
    return [
        (Rag(rag).label, "nodata" if rag == Rag.NONE else tone_of(rag), found[rag], totals[rag])
        for rag in ORDER
        if rag in found
    ]


def _act(request: HttpRequest, review: HealthReview) -> HttpResponse:
    command, now = request.POST.get("do", ""), timezone.now()
    try:
        if command == "close":
            close_review(review, trends=request.POST.get("trends", ""), actor=request.user, at=now)
            messages.success(request, "The review is closed.")
        elif command in {"done", "open"}:
            step = request.POST.get("step", "")
            seq = int(step) if step.isascii() and step.isdigit() and len(step) < 4 else 0
            tick_step(review, seq, done=command == "done", actor=request.user, at=now)
        else:
            raise Http404
    except RuleViolated as broken:
        messages.error(request, str(broken))
    return redirect("health:review-detail", review.pk)


@requires(POST="health.override")
def review_item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Tick what was asked for an account (``done``), with a ``note``; of accounts the person may change."""
    rows = ReviewItem.objects.visible_to(request.user).select_related("review", "account")
    item = get_object_or_404(rows, pk=item_id)
    if not Account.objects.editable_by(request.user).filter(pk=item.account_id).exists():
        raise PermissionDenied("health.override")
    done = request.POST.get("done", "") == "1"
    try:
        settle_item(item, done=done, note=request.POST.get("note"), actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
    return redirect(f"/health/reviews/{item.review_id}/#i-{item.pk}")


@requires(GET="accounts.export")
def review_csv(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """The accounts that the page lists, all of them, with what the review asks for on each."""
    review = get_object_or_404(HealthReview, pk=review_id)
    rows = items_of(review, request.user, **_wanted(request))
    return csv_response(f"review-{review.kind}-{review.first_on}.csv", HEADINGS, _lines(rows))


def _lines(rows: Any) -> Iterator[tuple[Any, ...]]:
    for item in rows:
        yield (
            item.account.name, item.owner or "", item.band_name or Rag(item.rag).label, item.shown, item.change,
            item.ask, "yes" if item.with_lead else "", item.done_at, item.note,
        )  # fmt: skip
