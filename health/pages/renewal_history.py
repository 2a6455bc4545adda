"""What was said at each checkpoint of an account's renewals, and the days at which it is asked."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.models import Account
from accounts.policy import requires
from health.actions.renewals import set_checkpoints
from health.models import RenewalPlan
from health.pages.renewals import TONES
from health.queries.renewals import checkpoints_in_use, history_of
from health.renewal_forms import CheckpointsForm


@requires(GET="accounts.view")
def account_renewals(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Each term's checkpoints with both signals and what became of it; htmx gets the panel of the Contracts tab."""
    user: Any = request.user
    account = get_object_or_404(Account.objects.visible_to(user), pk=account_id)
    today = timezone.localdate()
    rows = [
        {
            "review": review,
            "is_shown": review.is_open_to_all(today),
            "tones": {name: TONES.get(getattr(review, name), "risk") for name in ("signal", "call", "state")},
        }
        for review in history_of(account)
    ]
    terms = [list(found) for _term, found in groupby(rows, key=_term_of)]
    template = "health/_renewal_history.html" if request.htmx else "health/renewal_history.html"  # type: ignore[attr-defined]
    level = 3 if request.htmx else 2  # type: ignore[attr-defined]
    response = render(request, template, {"account": account, "terms": terms, "level": level})
    response["Vary"] = "HX-Request, Cookie"
    return response


def _term_of(row: dict[str, Any]) -> tuple[Any, Any]:
    return row["review"].contract_id, row["review"].ends_on


@requires(GET="health.configure", POST="health.configure")
def renewal_checkpoints(request: HttpRequest) -> HttpResponse:
    """At which days before a renewal the signals are taken."""
    own = RenewalPlan.objects.filter(pack="").values_list("checkpoints", flat=True).first() or []
    form = CheckpointsForm(request.POST or None, initial={"days": ", ".join(map(str, own))})
    if request.method == "POST" and form.is_valid():
        given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
        if form.run(lambda: set_checkpoints(form.cleaned_data["days"], **given)):
            messages.success(request, "Saved. The next night takes signals by it; what was recorded stays.")
            return redirect("health:renewal-list")
    context = {"form": form, "checkpoints": checkpoints_in_use()}
    return render(request, "health/renewal_checkpoints.html", context, status=422 if form.errors else 200)
