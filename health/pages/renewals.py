"""Renewals: what comes up, the two signals of each, the call and the decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Role
from accounts.csv_out import csv_response
from accounts.keys import is_key
from accounts.models import Account
from accounts.policy import requires
from health.actions.renewals import decide_renewal, give_call
from health.book.choices import ScopeChoices, scope_choices
from health.book.filters import MINE, NOBODY
from health.choices import RenewalSignal, RenewalState
from health.models import RenewalReview
from health.pages.renewal_rows import TONES, renewal_rows
from health.queries.renewals import (
    PEOPLE,
    RenewalFilters,
    StateSum,
    checkpoints_in_use,
    renewals_ahead,
    state_sums,
    total_of,
    track_record,
)
from health.renewal_forms import CallForm, DecisionForm
from health.renewals import LEAST
from ui import formats

PER_PAGE = 50
EVERYBODY = "all"
HEADINGS = (
    "Account", "Owner", "Contract", "Renewal", "Days left", "ARR", "Currency", "Checkpoint", "System", "Because",
    "Call", "Why", "Called by", "Called at", "State", "Counts", "Decided because", "Decided by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for. ``owner`` all, me, none or a key; a CSM begins with their own."""

    owner: str
    first: str
    tier: str = ""
    quarter: str = ""
    state: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], user: Any) -> Asked:
        """What means nothing is dropped, as if it were not there."""
        first = MINE if user.role == Role.CSM else EVERYBODY
        owner, tier, state = (query.get(name, "") for name in ("owner", "tier", "state"))
        return cls(
            owner=owner if owner in {EVERYBODY, MINE, NOBODY} or is_key(owner) else first,
            first=first,
            tier=tier if is_key(tier) else "",
            quarter=query.get("quarter", "") if _quarter(query.get("quarter", "")) else "",
            state=state if state in RenewalState.values else "",
        )

    def parameters(self) -> dict[str, str]:
        """As they stand in an address; what is not set is left out."""
        values = {
            "owner": self.owner if self.owner != self.first else "",
            "tier": self.tier,
            "quarter": self.quarter,
            "state": self.state,
        }
        return {name: value for name, value in values.items() if value}

    def filters(self) -> RenewalFilters:
        """The same for the database."""
        begin = _quarter(self.quarter)
        return RenewalFilters(
            owner="" if self.owner == EVERYBODY else self.owner,
            tier=self.tier,
            state=self.state,
            from_on=begin,
            until_on=begin + relativedelta(months=3, days=-1) if begin else None,
        )


@requires(GET="accounts.view")
def renewal_list(request: HttpRequest) -> HttpResponse:
    """Renewals ahead that came to their first checkpoint, the nearest first, with ARR by state. Seven queries."""
    user: Any = request.user
    today, asked = timezone.localdate(), Asked.read(request.GET, user)
    choices, checkpoints = scope_choices(user), checkpoints_in_use()
    sums = state_sums(user, asked.filters(), today)
    paginator = Paginator(renewals_ahead(user, asked.filters(), today), PER_PAGE)
    paginator.count = sums[asked.state].number if asked.state else total_of(sums).number
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": renewal_rows(user, page.object_list, today),
        "tabs": _tabs(asked, sums),
        "selects": _selects(asked, choices, today, checkpoints[0]),
        "asked": asked,
        "parameters": asked.parameters(),
        "checkpoints": checkpoints,
        "export": f"{reverse('health:renewal-export')}?{urlencode(asked.parameters())}",
        "records": track_record(user),
        "least": LEAST,
    }
    return render(request, "health/renewal_list.html", context)


@requires(GET="accounts.export")
def renewal_export(request: HttpRequest) -> HttpResponse:
    """What the list shows for the same address, every page of it."""
    today, asked = timezone.localdate(), Asked.read(request.GET, request.user)
    found = renewals_ahead(request.user, asked.filters(), today)  # type: ignore[arg-type]
    return csv_response(f"renewals-{today}.csv", HEADINGS, _lines(found, today))


@requires(GET="accounts.edit", POST="accounts.edit")
def renewal_call(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """The call on a renewal, before the system's signal is seen. htmx gets the form and the row in place."""
    review = _review(request, review_id)
    if not Account.objects.editable_by(request.user).filter(pk=review.account_id).exists():
        raise PermissionDenied("accounts.edit")
    today = timezone.localdate()
    form = CallForm(request.POST or None, review=review, days_left=(review.ends_on - today).days)
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "actor": request.user, "at": timezone.now()}
        if form.run(lambda: give_call(review, **given)):
            return _called(request, review.pk, today)
    template = "health/_renewal_call.html" if request.htmx else "health/renewal_call.html"  # type: ignore[attr-defined]
    context = {"review": review, "form": form, "days_left": (review.ends_on - today).days, "today": today}
    response = render(request, template, context, status=422 if form.errors else 200)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _called(request: HttpRequest, review_id: UUID, today: date) -> HttpResponse:
    review = _review(request, review_id)
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, f"{review.account.name}: {review.get_call_display().lower()}. {_compared(review)}")  # type: ignore[attr-defined]
        return redirect(f"{reverse('health:renewal-list')}#r-{review.pk}")
    response = HttpResponse(renewal_rows(request.user, [review], today))
    response["HX-Trigger-After-Settle"] = json.dumps({"focusOn": f"c-{review.pk}", "toast": _compared(review)})
    return response


def _compared(review: RenewalReview) -> str:
    """How the two compare, for who has just made the call."""
    said = RenewalSignal(review.signal).label.lower()
    if review.state == RenewalState.DISAGREED:
        return f"The system says {said}: a leader decides."
    return f"The system says {said}."


@requires(GET="renewals.decide", POST="renewals.decide")
def renewal_decision(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Two signals that disagree, side by side, and which of them counts."""
    review = _review(request, review_id)
    form = DecisionForm(request.POST or None, review=review)
    if request.method == "POST" and form.is_valid():
        given = {**form.cleaned_data, "actor": request.user, "at": timezone.now()}
        if form.run(lambda: decide_renewal(review, **given)):
            messages.success(request, f"{review.account.name}: decided.")
            return redirect("health:renewal-list")
    today = timezone.localdate()
    context = {
        "review": review, "form": form, "days_left": (review.ends_on - today).days, "tones": TONES,
        "is_shown": review.is_open_to_all(today), "is_open": review.state == RenewalState.DISAGREED,
    }  # fmt: skip
    return render(request, "health/renewal_decision.html", context, status=422 if form.errors else 200)


def _review(request: HttpRequest, review_id: UUID) -> RenewalReview:
    rows: Any = RenewalReview.objects.visible_to(request.user).select_related(*PEOPLE)  # type: ignore[arg-type]
    return get_object_or_404(rows, pk=review_id)


def _tabs(asked: Asked, sums: Mapping[str, StateSum]) -> list[dict[str, Any]]:
    """A tab a state with its renewals and their ARR, and one for all."""
    each = [("", "All", total_of(sums)), *((state.value, state.label, sums[state]) for state in RenewalState)]
    return [
        {
            "url": f"?{urlencode(replace(asked, state=state).parameters())}",
            "label": label,
            "count": found.number,
            "arr": " + ".join(formats.money(amount, currency, compact=True) for currency, amount in found.arr.items()),
            "current": state == asked.state,
        }
        for state, label, found in each
    ]


def _selects(asked: Asked, choices: ScopeChoices, today: date, farthest: int) -> list[tuple[str, str, Any, str]]:
    owners = [(EVERYBODY, "All owners"), (MINE, "Mine"), (NOBODY, "Nobody"), *choices.owners]
    return [
        ("quarter", "Quarter", [("", "All quarters"), *_quarters(today, farthest)], asked.quarter),
        ("owner", "Owner", owners, asked.owner),
        ("tier", "Tier", [("", "All tiers"), *choices.tiers], asked.tier),
    ]


def _quarters(today: date, farthest: int) -> list[tuple[str, str]]:
    """(``2026-Q4``, words) of each quarter from today's to the one that the first checkpoint reaches into."""
    begin = date(today.year, today.month - (today.month - 1) % 3, 1)
    found = []
    while begin <= today + timedelta(days=farthest):
        number = (begin.month + 2) // 3
        found.append((f"{begin.year}-Q{number}", f"Q{number} {begin.year}"))
        begin += relativedelta(months=3)
    return found


def _quarter(text: str) -> date | None:
    """The first day of ``2026-Q4``; None for anything else."""
    year, _, number = text.partition("-Q")
    if not (year.isascii() and year.isdigit() and len(year) == 4 and number in {"1", "2", "3", "4"} and year > "1999"):
        return None
    return date(int(year), int(number) * 3 - 2, 1)


def _lines(reviews: Any, today: date) -> Iterator[tuple[Any, ...]]:
    for review in reviews:
        is_shown, contract = review.is_open_to_all(today), review.contract
        yield (
            review.account.name, review.account.owner or "", contract.number, review.ends_on,
            (review.ends_on - today).days, contract.arr, contract.currency, review.days_before,
            review.get_signal_display() if is_shown else "", " ".join(review.reasons) if is_shown else "",
            review.get_call_display(), review.call_reason, review.called_by or "", review.called_at,
            RenewalState(review.state).label, review.get_side_display(), review.side_reason, review.decided_by or "",
        )  # fmt: skip
