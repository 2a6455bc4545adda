"""What a scorecard finds measured, and a draft that scores from less."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from health.actions import draft_with_least_coverage
from health.book.keeping import kept_while_unchanged
from health.models import Scorecard
from health.pages.scorecards import version_of
from health.queries.coverage import LOWEST, Coverage, coverage_of


class LeastForm(forms.Form):
    """From how much measured an account is scored."""

    least = forms.IntegerField(
        min_value=LOWEST, max_value=100, label="Score from, in per cent of the card measured",
        help_text=f"{LOWEST} to 100. The rest of the weights are rescaled, and every score says how much is measured.",
    )  # fmt: skip


@requires(GET="health.view", POST="health.configure")
def scorecard_coverage(request: HttpRequest, key: str) -> HttpResponse:
    """Which measures have figures, for how many accounts; POST drafts a version that scores from ``least`` per cent."""
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    now = timezone.now()
    asked = ("coverage", version.pk, version.definition, timezone.localdate(now))
    coverage = kept_while_unchanged(asked, lambda: coverage_of(version, at=now))
    form = LeastForm(request.POST or None, initial={"least": coverage.suggested or int(coverage.least)})
    if request.method == "POST" and form.is_valid():
        try:
            draft = draft_with_least_coverage(version, form.cleaned_data["least"], actor=request.user, at=now)
        except RuleViolated as broken:
            form.add_error("least", str(broken))
        else:
            messages.success(request, f"Version {draft.number} is a draft. Look at what it would do, then activate it.")
            return redirect(f"/health/scorecards/{card.key}/preview/?version={draft.number}")
    context = {
        "card": card,
        "version": version,
        "coverage": coverage,
        "dimensions": _by_dimension(coverage),
        "form": form,
        "may_configure": may(request.user, "health.configure"),
    }
    return render(request, "health/scorecard_coverage.html", context, status=422 if form.errors else 200)


def _by_dimension(coverage: Coverage) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in coverage.measures:
        found.setdefault(one.dimension, []).append(one)
    return found
