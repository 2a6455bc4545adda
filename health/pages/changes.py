"""The Changes tab: an account on two days, and everything that happened between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.forms.base import DateInput
from accounts.frame import account_or_404, frame
from accounts.policy import requires
from health.book.between import Changes, Money, Scores, Silence, changes_between
from health.book.cells import tone
from health.cards import CompiledCard, compiled
from health.models import HealthScore
from health.pages.charts import waterfall_between
from ui import charts, formats

TAB = "accounts:account-changes"
DEFAULT_DAYS = 30
PRESETS = (7, 30, 90, 365)


class PeriodForm(forms.Form):
    """Two days in order, neither ahead."""

    since = forms.DateField(required=False, widget=DateInput, label="From the end of")
    until = forms.DateField(required=False, widget=DateInput, label="To the end of")

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        self.today = today

    def clean_until(self) -> date:
        """The second day; today when left out."""
        until: date = self.cleaned_data["until"] or self.today
        if until > self.today:
            raise forms.ValidationError("This lies ahead: choose today or an earlier day.")
        return until

    def clean(self) -> dict[str, Any]:
        """Both days; the first 30 days before the second when left out."""
        data = super().clean() or {}
        if "since" in data and "until" in data:
            data["since"] = data["since"] or data["until"] - timedelta(days=DEFAULT_DAYS)
            if data["since"] >= data["until"]:
                self.add_error("since", "The first day must come before the second.")
        return data

    def period(self) -> tuple[date, date]:
        """The days asked for, or the last 30 where they cannot be read."""
        if not self.is_valid():
            return self.today - timedelta(days=DEFAULT_DAYS), self.today
        return self.cleaned_data["since"], self.cleaned_data["until"]


@requires(GET="health.view")
def changes_page(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The score, the money, the people, the silence and the CTAs of two days. Seven queries beside the frame's."""
    account = account_or_404(request, account_id)
    today = timezone.localdate()
    form = PeriodForm(request.GET, today=today)
    found = changes_between(request.user, account, *form.period())
    context = {
        "form": form,
        "found": found,
        "score": _score(found.scores, today),
        "money": _money(found.money),
        "quiet": [("Touches", "Nobody was in touch", found.touches), ("Usage", "Nobody used it", found.usage)],
        "presets": [(days, f"{today - timedelta(days=days)}") for days in PRESETS],
        "headline": headline(found),
        "today": today,
    }
    status = 422 if form.errors else 200
    return render(request, "health/account_changes.html", frame(request, account, TAB, **context), status=status)


@requires(GET="accounts.export")
def changes_export(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Everything the page shows, one row a change."""
    account = account_or_404(request, account_id)
    form = PeriodForm(request.GET, today=timezone.localdate())
    found = changes_between(request.user, account, *form.period())
    heads = ("part", "what", "on", "before", "after", "detail", "by")
    return csv_response(f"changes-{found.since}-{found.until}.csv", heads, _rows(found))


def headline(found: Changes) -> str:
    """The change in one sentence: score, ARR, people, silence; only what there is."""
    parts = []
    if found.scores.change is not None:
        moved = found.scores.change.after - found.scores.change.before
        parts.append(f"score {formats.signed(round(moved, 1), 1)}" if round(moved, 1) else "score unchanged")
    if found.money.change:
        sign = "+" if found.money.change > 0 else ""
        parts.append(f"ARR {sign}{formats.money(found.money.change, found.money.currency)}")
    parts.append(_count(len(found.people), "change among people", "changes among people"))
    parts.append(_count(found.touches.days, "day with a touch", "days with a touch"))
    parts.append(_count(len(found.ctas.opened), "CTA opened", "CTAs opened"))
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _count(number: int, one: str, many: str) -> str:
    return f"{number or 'no'} {one if number == 1 else many}"


def _score(scores: Scores, today: date) -> dict[str, Any]:
    """Both scores as the page shows them, with the waterfall where one version made both."""
    change, before, after = scores.change, scores.before, scores.after
    chart: charts.Chart | None = None
    if change is not None and before is not None and after is not None:
        end = formats.day(after.computed_on, today=today)
        chart = waterfall_between(before, after, change, compiled(after.version), today, end)
    return {
        "before": _standing(before),
        "after": _standing(after),
        "moved": None if change is None else change.after - change.before,
        "chart": chart,
        "words": change.words if change else [],
        "other_version": change is not None and not change.same_version,
    }


def _standing(row: HealthScore | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"shown": row.shown, "tone": tone(row.rag), "band": _band(row, compiled(row.version)), "on": row.computed_on}


def _band(row: HealthScore, card: CompiledCard) -> str:
    return next((band.name for band in card.card.bands if band.key == row.band), "Not enough data")


def _money(money: Money) -> dict[str, Any]:
    """Three lines, before and after, and the moves."""
    before, after, sign = money.before, money.after, "+" if money.change > 0 else ""
    seats = (after.seats or 0) - (before.seats or 0)
    contracts = after.contracts - before.contracts
    arr = (formats.money(before.arr, money.currency), formats.money(after.arr, money.currency))
    return {
        "lines": [
            ("ARR", *arr, f"{sign}{formats.money(money.change, money.currency)}" if money.change else formats.DASH),
            (
                "Seats",
                formats.number(before.seats),
                formats.number(after.seats),
                formats.signed(seats) if seats else "–",
            ),
            ("Contracts in force", before.contracts, after.contracts, formats.signed(contracts) if contracts else "–"),
        ],
        "moves": money.moves,
    }


def _signed(change: int) -> str:
    return formats.signed(change) if change else formats.DASH


def _rows(found: Changes) -> Iterator[tuple[Any, ...]]:
    scores, money = found.scores, found.money
    yield ("score", "Score", found.until, *(row and row.shown for row in (scores.before, scores.after)), "", "")
    for effect in scores.change.effects if scores.change else []:
        yield "score", effect.name, found.until, "", effect.points, "points of the change", ""
    yield "money", f"ARR in {money.currency}", found.until, money.before.arr, money.after.arr, "", ""
    yield "money", "Seats", found.until, money.before.seats, money.after.seats, "", ""
    yield "money", "Contracts in force", found.until, money.before.contracts, money.after.contracts, "", ""
    for part, noted in (("money", money.moves), ("people", found.people)):
        for line in noted:
            yield part, line.what, line.on, "", "", line.detail, line.by
    yield from _quiet_rows("touches", found.touches)
    if found.usage is not None:
        yield from _quiet_rows("usage", found.usage)
    for word, ctas, moment in (("opened", found.ctas.opened, "opened_at"), ("closed", found.ctas.closed, "closed_at")):
        for cta in ctas:
            day = timezone.localtime(getattr(cta, moment)).date()
            yield f"cta {word}", cta.title, day, "", "", cta.get_outcome_display() if word == "closed" else "", ""


def _quiet_rows(part: str, silence: Silence) -> Iterator[tuple[Any, ...]]:
    yield part, "Days with one", silence.last or "", "", silence.days, "the day is the latest", ""
    yield part, "Longest silence in days", silence.longest_from or "", "", silence.longest, "the day is its first", ""
