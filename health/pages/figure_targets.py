"""The targets of the portfolio's figures, on one form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.people_forms import RuleForm
from accounts.policy import requires
from health.actions.figure_targets import set_targets
from health.book.choices import scope_choices
from health.book.figures import FIGURES, TARGETED, Figure
from health.book.keeping import kept
from health.book.portfolio import Figures, figures_of
from health.book.scope import Scope
from health.pages.portfolio_words import said

SIDES = {"up": "At least", "down": "At most"}


class TargetsForm(RuleForm):
    """A field a figure; empty takes the target away."""

    def __init__(self, *args: Any, currency: str, data_of_day: Figures, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = {"percent": "%", "money": currency, "points": "points", "count": "accounts"}
        for key in TARGETED:
            figure = FIGURES[key]
            self.fields[key] = forms.DecimalField(
                label=f"{figure.label}: {SIDES[figure.good].lower()} … {units[figure.unit]}",
                required=False,
                max_digits=18,
                decimal_places=2,
                help_text=_now(figure, data_of_day.value(key), currency),
            )


def _now(figure: Figure, value: Decimal | None, currency: str) -> str:
    return "" if value is None else f"{said(figure, value, currency)} today."


@requires(GET="portfolio.targets", POST="portfolio.targets")
def targets_page(request: HttpRequest) -> HttpResponse:
    """What each figure of the whole portfolio is meant to be."""
    user, scope = request.user, Scope.read({}, timezone.localdate())
    currency = user.workspace_settings.currency
    data = kept("figures", user, scope, lambda: figures_of(user, scope, currency))
    form = TargetsForm(request.POST or None, currency=currency, data_of_day=data, initial=scope_choices(user).targets)
    if request.method == "POST" and form.is_valid():
        values = {key: form.cleaned_data[key] for key in TARGETED}
        if form.run(lambda: set_targets(values, actor=user, at=timezone.now())):
            messages.success(request, "The targets are set. What they were before is in the audit log.")
            return redirect("accounts:portfolio")
    return render(request, "health/portfolio_targets.html", {"form": form}, status=422 if form.errors else 200)
