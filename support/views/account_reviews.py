"""Reviews of an account's service: one that was held, and the day of the next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.frame import editable_account_or_404
from accounts.policy import requires
from accounts.queries.workspace import workspace_day
from support import actions
from support.forms.account_reviews import ServiceReviewForm
from support.queries.account_reviews import next_review
from support.views.incidents import seen_version


@requires(GET="accounts.edit", POST="accounts.edit")
def review_edit(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Agree the day of the next review, or note one that was held."""
    account, at = editable_account_or_404(request, account_id), timezone.now()
    review = next_review(account, today=workspace_day(at))
    initial = {"next_on": review.on if review.is_agreed else None}
    form = ServiceReviewForm(request.POST or None, initial=initial)
    given: dict[str, Any] = {"actor": request.user, "at": at, "expected_version": seen_version(request)}
    if form.is_bound and form.is_valid() and form.run(
        lambda: actions.keep_review(account, **form.cleaned_data, **given)
    ):  # fmt: skip
        messages.success(request, "The review is noted.")
        return redirect("support:account-tickets", account.pk)
    context = {"form": form, "account": account, "review": review}
    return render(request, "support/account_review.html", context, status=422 if form.is_bound else 200)
