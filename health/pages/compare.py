"""Two days of the portfolio side by side, with the accounts that made the difference."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.policy import requires
from health.book.choices import scope_choices
from health.book.compare import ARR, RISK, Bridge, Comparison, compare
from health.book.figures import FIGURES
from health.book.keeping import kept
from health.book.portfolio import Figures, figures_of
from health.book.scope import Scope
from health.book.sentences import sentence
from health.pages.figures import chips
from health.pages.portfolio import navigation
from health.pages.portfolio_charts import bridge_chart
from health.pages.portfolio_words import NO_CHANGE, account_url, figure_url, moved, page_url, said
from ui import formats

MOST_ROWS = 50
KEYS = ("nrr", "grr", "churn", "arr", "risk", "renewing", "accounts", "scored", "coverage", "fresh", "score")


@requires(GET="portfolio.view")
def compare_page(request: HttpRequest) -> HttpResponse:
    """Every figure on both days, and what ARR and ARR at risk came from, account by account."""
    scope, currency = Scope.read(request.GET, timezone.localdate()), request.user.workspace_settings.currency
    choices = scope_choices(request.user)
    context = {
        "scope": scope,
        **kept("compare", request.user, scope, lambda: _compared(request.user, scope, currency)),
        "back": page_url("", scope),
        "earlier": page_url("compare", scope.before()),
        "chips": chips(scope, choices),
        "parameters": scope.parameters(),
        "yesterday": scope.today - timedelta(days=1),
        **navigation(scope, choices),
    }
    return render(request, "health/portfolio_compare.html", context)


def _compared(user: Any, scope: Scope, currency: str) -> dict[str, Any]:
    """What the page says of the data."""
    data, found = figures_of(user, scope, currency), compare(user, scope, currency)
    return {
        "figure_rows": [_line(key, data, scope, currency) for key in KEYS],
        "known": found.known,
        "sentences": sentences_of(found, currency),
        "bridges": [
            _bridge("ARR", found.arr, scope, currency),
            _bridge("ARR at risk", found.risk, scope, currency),
        ],
    }


def sentences_of(found: Comparison, currency: str) -> list[str]:
    """What changed, in words; empty where nothing was recorded of the earlier day."""
    if not found.known:
        return []

    def write(amount: Decimal) -> str:
        return formats.money(amount, currency, compact=True)

    return [sentence("ARR", found.arr, write), sentence("ARR at risk", found.risk, write)]


@requires(GET="accounts.export")
def compare_export(request: HttpRequest) -> HttpResponse:
    """The accounts that made the difference, as CSV: those of ARR and those of ARR at risk."""
    scope, currency = Scope.read(request.GET, timezone.localdate()), request.user.workspace_settings.currency
    found = compare(request.user, scope, currency)
    rows = [
        [bridge.key, move.account_id, move.name, move.owner, move.before, move.after, move.change, move.why]
        for bridge in (found.arr, found.risk)
        for move in bridge.moved
    ]
    heads = ("figure", "account", "name", "owner", "before", "after", "change", "why")
    return csv_response(f"compare-{scope.since}-{scope.on}.csv", heads, rows)


def _line(key: str, data: Figures, scope: Scope, currency: str) -> dict[str, Any]:
    figure = FIGURES[key]
    now, then = data.value(key), data.value_before(key)
    on_that_day = Scope.read({**scope.parameters(), "on": scope.since.isoformat(), "since": ""}, scope.today)
    return {
        "label": figure.label,
        "before": said(figure, then, currency),
        "now": said(figure, now, currency),
        "change": moved(figure, now, then, scope, none=NO_CHANGE),
        "before_url": figure_url(key, on_that_day),
        "now_url": figure_url(key, scope),
    }


def _bridge(title: str, found: Bridge, scope: Scope, currency: str) -> dict[str, Any]:
    names = {step.key: step.label for step in found.steps}
    days = (formats.day(scope.since), formats.day(scope.on))
    return {
        "key": found.key,
        "title": title,
        "before": formats.money(found.before, currency),
        "after": formats.money(found.after, currency),
        "change": ("+" if found.change > 0 else "") + formats.money(found.change, currency),
        "chart": bridge_chart(title, found, days, currency, down_is_good=found.key == RISK) if found.steps else None,
        "rows": [
            {
                "name": move.name,
                "url": account_url({"account_id": move.account_id}),
                "owner": move.owner or "Nobody",
                "why": names[move.why],
                "before": formats.money(move.before, currency),
                "after": formats.money(move.after, currency),
                "change": move.change,
                "money": ("+" if move.change > 0 else "") + formats.money(move.change, currency),
                "good": (move.change > 0) == (found.key == ARR),
            }
            for move in found.moved[:MOST_ROWS]
        ],
        "total": len(found.moved),
        "more": max(len(found.moved) - MOST_ROWS, 0),
    }
