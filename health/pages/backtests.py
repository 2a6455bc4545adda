"""The backtest lab: ask for a replay, watch it, read what it found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.forms.base import DateInput
from accounts.policy import requires
from health.actions.backtests import cancel_backtest, delete_backtest, start_backtest
from health.book.keeping import kept_while_unchanged, seen_as
from health.choices import BacktestState, Basis, Step
from health.models import Backtest
from health.pages import lab_report
from health.queries.lab import names_of, newest_backtests, versions_to_test
from health.queries.usage import segments_in_use

HORIZONS = ((30, "30 days"), (60, "60 days"), (90, "90 days"), (180, "180 days"), (365, "a year"))
MONTHS = ((3, "3 months"), (6, "6 months"), (12, "12 months"), (18, "18 months"), (24, "24 months"))


class BacktestForm(forms.Form):
    """What to replay, over what, and against what."""

    version = forms.ChoiceField(label="Champion")
    challenger = forms.ChoiceField(label="Challenger", required=False)
    months = forms.TypedChoiceField(label="Over", choices=MONTHS, coerce=int, initial=12)
    step = forms.ChoiceField(label="Scored", choices=Step.choices)
    horizon_days = forms.TypedChoiceField(label="Foresees a loss within", choices=HORIZONS, coerce=int, initial=90)
    basis = forms.ChoiceField(
        label="What was known",
        choices=Basis.choices,
        help_text="History that was imported in one go was recorded on the day of the import: choose the dated one "
        "for it, and mind that it may contain hindsight.",
    )
    segment = forms.ChoiceField(label="Segment", required=False)
    until = forms.DateField(
        label="Until", required=False, widget=DateInput, help_text="Empty: today. For history that ends earlier."
    )

    def __init__(self, *args: Any, versions: dict[str, Any], segments: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.versions = versions
        named = [(key, label_of(version)) for key, version in versions.items()]
        self.fields["version"].choices = named  # type: ignore[attr-defined]
        self.fields["challenger"].choices = [("", "None"), *named]  # type: ignore[attr-defined]
        self.fields["segment"].choices = [("", "All customers"), *segments]  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        """The cleaned values as the action takes them."""
        data = dict(self.cleaned_data)
        data["version"] = self.versions[data["version"]]
        data["challenger"] = self.versions.get(data["challenger"])
        return data


def label_of(version: Any) -> str:
    """A version in a list: its card, number and state."""
    return f"{version.scorecard.name}, version {version.number} ({version.get_state_display().lower()})"


@requires(GET="health.configure", POST="health.configure")
def backtest_list(request: HttpRequest) -> HttpResponse:
    """Backtests so far, and the form for another; ``?version=`` fills it in."""
    versions = {str(version.pk): version for version in versions_to_test()}
    segments = [(one.name, one.name) for one in segments_in_use()]
    initial = {name: request.GET[name] for name in ("version", "challenger") if request.GET.get(name) in versions}
    form = BacktestForm(request.POST or None, versions=versions, segments=segments, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            backtest = start_backtest(**form.asked(), actor=request.user, at=timezone.now())
        except RuleViolated as broken:
            form.add_error(broken.field if broken.field in form.fields else None, str(broken))
        else:
            return redirect("health:backtest-detail", backtest.pk)
    context = {"form": form, "backtests": newest_backtests(), "versions": versions}
    return render(request, "health/backtest_list.html", context, status=422 if form.errors else 200)


@requires(GET="health.configure", POST="health.configure")
def backtest_detail(request: HttpRequest, backtest_id: UUID) -> HttpResponse:
    """What a backtest found, or how far it is; POST cancels or deletes it."""
    backtest = _backtest(backtest_id)
    if request.method == "POST":
        return _act(request, backtest)
    return render(request, "health/backtest_detail.html", _context(request, backtest))


@requires(GET="health.configure")
def backtest_progress(request: HttpRequest, backtest_id: UUID) -> HttpResponse:
    """The part of the page that changes while a worker is at it; the whole page is loaded again at the end."""
    backtest = _backtest(backtest_id)
    answer = render(request, "health/_backtest_progress.html", {"backtest": backtest})
    if not backtest.is_working:
        answer["HX-Refresh"] = "true"
    return answer


def _backtest(backtest_id: UUID) -> Backtest:
    """The backtest; what it found is read when it is asked for."""
    rows = Backtest.objects.select_related("version__scorecard", "challenger__scorecard", "created_by")
    return get_object_or_404(rows.defer("result", "rows"), pk=backtest_id)


def _act(request: HttpRequest, backtest: Backtest) -> HttpResponse:
    act = {"cancel": cancel_backtest, "delete": delete_backtest}.get(request.POST.get("do", ""))
    if act is None:
        raise Http404
    try:
        act(backtest, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return redirect("health:backtest-detail", backtest.pk)
    if act is delete_backtest:
        messages.success(request, "The backtest is deleted.")
        return redirect("health:backtest-list")
    return redirect("health:backtest-detail", backtest.pk)


def _context(request: HttpRequest, backtest: Backtest) -> dict[str, Any]:
    context: dict[str, Any] = {
        "backtest": backtest,
        "changed_since": backtest.definition != backtest.version.definition,
    }
    if backtest.state != BacktestState.DONE:
        return context
    warn = lab_report.warn_from(request.GET.get("warn", ""), backtest.definition)
    asked = ("backtest", backtest.pk, seen_as(request.user), warn)
    return {**context, **kept_while_unchanged(asked, lambda: _report(request, backtest, warn))}


def _report(request: HttpRequest, backtest: Backtest, warn: str) -> dict[str, Any]:
    names = names_of(request.user, lab_report.accounts_named(backtest.rows, warn))
    return lab_report.report(backtest, warn, names)


@requires(GET="health.configure")
def backtest_losses_csv(request: HttpRequest, backtest_id: UUID) -> HttpResponse:
    """Every loss with what the score said of it."""
    backtest = _backtest(backtest_id)
    rows = _rows(backtest, "losses", request)
    headings = (
        "Account", "Lost on", "ARR lost", "Score 30 days before", "Colour 30 days before", "Last score", "Last colour",
        "Days warned",
    )  # fmt: skip
    return csv_response(f"losses-{backtest.today}.csv", headings, _losses(rows, request))


def _losses(rows: list[dict[str, Any]], request: HttpRequest) -> Iterator[tuple[Any, ...]]:
    names = names_of(request.user, [row["account"] for row in rows])
    for row in rows:
        if row["account"] in names:
            yield (
                names[row["account"]].name, date.fromordinal(row["on"]), row["arr"], row["score_in_time"],
                row["colour_in_time"], row["score_last"], row["colour_last"], row["lead_days"],
            )  # fmt: skip


@requires(GET="health.configure")
def backtest_warnings_csv(request: HttpRequest, backtest_id: UUID) -> HttpResponse:
    """Every warning that stands, the longest first; 500 at most."""
    backtest = _backtest(backtest_id)
    rows = _rows(backtest, "standing", request)
    names = names_of(request.user, [row["account"] for row in rows])
    lines = (
        (names[row["account"]].name, names[row["account"]].arr, row["score"], row["colour"], row["days"])
        for row in rows
        if row["account"] in names
    )
    return csv_response(f"warnings-{backtest.today}.csv", ("Account", "ARR", "Score", "Colour", "Days warned"), lines)


def _rows(backtest: Backtest, kind: str, request: HttpRequest) -> list[dict[str, Any]]:
    if backtest.rows is None:
        raise Http404
    return list(backtest.rows[kind][lab_report.warn_from(request.GET.get("warn", ""), backtest.definition)])
