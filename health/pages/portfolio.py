"""The portfolio page: the leader's home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.choices import ListPage
from accounts.models import User
from accounts.policy import requires
from accounts.queries.saved_views import views_of
from health.book.choices import ScopeChoices, scope_choices
from health.book.figures import FIGURES
from health.book.filters import MINE, NOBODY
from health.book.keeping import kept
from health.book.portfolio import Portfolio, portfolio
from health.book.retention import quarter_name
from health.book.scope import PERIODS, SPLITS, Scope, is_whole
from health.book.split import split
from health.book.sums import Sums, quarters_due
from health.pages import portfolio_charts as charts
from health.pages.list_views import view_state
from health.pages.portfolio_split import split_rows, split_tabs
from health.pages.portfolio_views import PORTFOLIO
from health.pages.portfolio_words import headline, kpis, list_rows, loads, page_url
from ui import formats


@requires(GET="portfolio.view")
def portfolio_page(request: HttpRequest) -> HttpResponse:
    """The portfolio of the filters and days in the address; without any it opens with the reader's default view."""
    user: User = request.user  # type: ignore[assignment]
    views = views_of(ListPage.PORTFOLIO, user)
    if not request.GET and (chosen := next((view for view in views if view.is_default), None)):
        return redirect(PORTFOLIO.url(PORTFOLIO.canonical(chosen.query), chosen))
    scope = Scope.read(request.GET, timezone.localdate())
    parts = written(user, scope)
    context = {
        "scope": scope,
        "parameters": scope.parameters(),
        "written": parts,
        "tabs": [(view, PORTFOLIO.url(PORTFOLIO.canonical(view.query), view)) for view in views],
        **view_state(PORTFOLIO, views, request.GET.get("view", ""), scope.canonical(), user),
        **navigation(scope, parts.choices),
    }
    return render(request, "health/portfolio.html", context)


@dataclass(frozen=True, slots=True)
class Written:
    """The parts of the page that follow from the data, ready to send, and what its filters offer."""

    headline: SafeString
    body: SafeString
    computed_at: Any
    choices: ScopeChoices


def written(user: Any, scope: Scope) -> Written:
    """The page's figures, drawn once for everybody who sees the same accounts, until any of the data changes.

    One query tells the state of the data; drawing takes seven more and 95 % of the time.
    """
    return kept("portfolio", user, scope, lambda: _write(user, scope))


def _write(user: Any, scope: Scope) -> Written:
    currency = user.workspace_settings.currency
    data, choices = portfolio(user, scope, currency), scope_choices(user)
    names = choices.bands
    targets = choices.targets if is_whole(user, scope) else {}
    context = {
        "scope": scope,
        "data": data,
        "kpis": kpis(data, scope, currency, ("nrr", "grr", "churn", "arr", "risk", "renewing"), targets),
        "quality": kpis(data, scope, currency, ("accounts", "scored", "coverage", "fresh", "score"), targets),
        "few_scored": data.now.scored * 2 < data.now.whole.accounts,
        "bands": charts.bands(data.history, names, currency),
        "pie": charts.pie(data.now, names, currency, legend=False),
        "parts": parts_of_band(data, names, scope, currency),
        "due": charts.renewals(data.now, names, currency),
        "months": months_due_links(scope),
        "quarters": quarters_of(data.now, scope, currency),
        "cohorts": charts.cohort_map(data.cohorts),
        "cohort_links": cohort_links(data, scope),
        "loads": loads(data.now, choices, scope, currency),
        "limited": any(load.used for load in data.now.loads.values()),
        "lists": list_rows(data, scope, currency),
        "parts_of": split_tabs(scope),
        "split_by": SPLITS[scope.split].label,
        "split": split_rows(split(data.parts, scope, choices), scope, currency),
        "compare_url": page_url("compare", scope),
        "team_url": page_url("team", scope),
        "reconcile_url": page_url("reconcile", scope),
    }
    said = {"headline": headline(data, scope, currency)}
    return Written(
        headline=render_to_string("health/_headline.html", said),
        body=render_to_string("health/_portfolio_body.html", context),
        computed_at=data.now.computed_at,
        choices=choices,
    )


def parts_of_band(data: Portfolio, names: dict[str, str], scope: Scope, currency: str) -> list[dict[str, Any]]:
    """Each colour with its money, and where its accounts are listed."""
    return [
        {
            "label": names[colour],
            "tone": charts.tone(colour),
            "money": charts.short(currency)(float(part.arr)),
            "accounts": part.accounts,
            "share": formats.percent(part.arr * 100 / data.now.whole.arr) if data.now.whole.arr else "",
            "url": page_url("figure", scope, "band", part=colour),
        }
        for colour, part in reversed(data.now.by_colour.items())
        if part.accounts
    ]


def months_due_links(scope: Scope) -> list[tuple[str, str]]:
    """(name, address) of the lists behind the bars of renewals."""
    return [
        (f"{month:%b}", page_url("figure", scope, "due", part=f"{month:%Y-%m}")) for month in charts.months(scope.on)
    ]


def quarters_of(now: Sums, scope: Scope, currency: str) -> list[dict[str, Any]]:
    """The forecast of renewals: what ends in each quarter, the part at risk, and where their accounts are listed."""
    rows = []
    for quarter in quarters_due(now.day):
        whole, risky = now.due_in(quarter)
        part = quarter_name(quarter)
        rows.append(
            {
                "name": charts.quarter_label(quarter),
                "accounts": whole.accounts,
                "due": formats.money(whole.arr, currency, compact=True),
                "url": page_url("figure", scope, "due", part=part),
                "risk": formats.money(risky.arr, currency, compact=True),
                "at_risk": risky.accounts,
                "risk_url": page_url("figure", scope, "due_risk", part=part),
                "share": formats.percent(risky.arr * 100 / whole.arr) if whole.arr else formats.DASH,
            }
        )
    return rows


def cohort_links(data: Portfolio, scope: Scope) -> list[tuple[str, str]]:
    """(name, address) of the accounts behind the latest figure of each cohort."""
    return [
        (
            charts.quarter_label(cohort.quarter),
            page_url("figure", scope, "cohort", part=f"{cohort.quarter.isoformat()}.{len(cohort.shares) - 1}"),
        )
        for cohort in data.cohorts
    ]


def navigation(scope: Scope, choices: ScopeChoices) -> dict[str, Any]:
    """What the form of filters and periods needs, shared by the portfolio's pages."""
    owners = [(MINE, "Me"), (NOBODY, "Nobody"), *choices.owners]
    listed = [
        ("owner", "Owner", owners, scope.owner),
        ("tier", "Tier", choices.tiers, scope.tier),
        ("segment", "Segment", choices.segments, scope.segment),
    ]
    if len(choices.cards) > 1 or scope.card:
        listed.append(("card", "Scorecard", choices.cards, scope.card))
    periods = list(PERIODS.items())
    if scope.period == "custom":
        periods.append(("custom", "Between two days"))
    return {
        "selects": [(name, label, options, chosen) for name, label, options, chosen in listed if options],
        "periods": periods,
        "figures": FIGURES,
    }
