"""The list behind a figure: what it is, how it is worked out, and every account that counts, to read and to keep."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.policy import requires
from health.actions import issue_receipts
from health.book.cells import band_name, tone
from health.book.choices import ScopeChoices, scope_choices
from health.book.figures import FORMULAS, STANDING, Figure
from health.book.retention import AGES
from health.book.rows import PAGE_SIZE, as_evidence, cohort_of, day_of, figure_of, rows_behind
from health.book.scope import Scope, is_whole
from health.pages.portfolio import navigation
from health.pages.portfolio_charts import quarter_label
from health.pages.portfolio_words import definition, page_url, said, target_of
from health.pages.receipts import receipt_response
from health.queries.figure_receipts import figure_receipt
from ui import atoms, formats
from ui.tables import Column, table

MOST_PAGES = 10_000
_MONTHS = "January February March April May June July August September October November December".split()


@requires(GET="portfolio.view", POST="portfolio.view")
def figure_page(request: HttpRequest, key: str) -> HttpResponse:
    """The rows behind the figure ``key`` (and ``?part=`` of it); POST gives its sealed receipt."""
    scope, part = Scope.read(request.GET, timezone.localdate()), request.GET.get("part", "")
    figure = figure_of(key, part)
    currency = request.user.workspace_settings.currency
    if request.method == "POST":
        return _receipt(request, scope, figure, part, currency)
    page = _page(request)
    behind = rows_behind(request.user, scope, figure, part, currency, page=page)
    if page > 1 and not behind.rows:
        raise Http404
    choices = scope_choices(request.user)
    targets = choices.targets if is_whole(request.user, scope) else {}
    context = {
        "scope": scope,
        "figure": figure,
        "title": title_of(figure, part, choices),
        "part": part,
        "value": said(figure, behind.value, currency, compact=False),
        "definition": definition(figure, None, currency),
        "target": target_of(figure, behind.value, targets, currency),
        "formula": FORMULAS[figure.formula].words,
        "day": day_of(scope, figure, part),
        "total": behind.total,
        "table": table(_columns(figure, currency), behind.rows, f"Accounts behind {figure.label}")
        if behind.rows
        else "",
        "page": _pager(scope, figure, part, page, behind.total),
        "query": urlencode({**scope.parameters(), **({"part": part} if part else {})}),
        "back": page_url("", scope),
        "chips": chips(scope, choices),
        **navigation(scope, choices),
    }
    return render(request, "health/portfolio_figure.html", context)


@requires(GET="accounts.export")
def figure_export(request: HttpRequest, key: str) -> HttpResponse:
    """Every row behind the figure as CSV, in the page's order."""
    scope, part = Scope.read(request.GET, timezone.localdate()), request.GET.get("part", "")
    figure = figure_of(key, part)
    rows = rows_behind(request.user, scope, figure, part, request.user.workspace_settings.currency).rows
    if figure.source == STANDING:
        names = ("account", "name", "owner", "arr", "currency", "rag", "band", "score", "coverage_pct", "renewal_on")
    else:
        names = ("account", "name", "owner", "then", "now")
    label = "-".join(filter(None, (key, part, scope.on.isoformat())))
    return csv_response(f"{label}.csv", names, ([row[name] for name in names] for row in rows))


def _receipt(request: HttpRequest, scope: Scope, figure: Figure, part: str, currency: str) -> HttpResponse:
    rows = rows_behind(request.user, scope, figure, part, currency).rows
    workspace = request.user.workspace_settings
    document = figure_receipt(scope, figure, part, currency, as_evidence(figure, rows), workspace.name)
    (sealed,) = issue_receipts([(workspace, document)], actor=request.user, at=timezone.now())
    return receipt_response("-".join(filter(None, ("receipt", figure.key, part, document["on"]))) + ".json", sealed)


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST_PAGES:
        raise Http404
    return int(text)


def title_of(figure: Figure, part: str, choices: ScopeChoices) -> str:
    """The figure's name with its part in words."""
    if figure.parts == "colour":
        return f"{figure.label}: {choices.bands[part]}"
    if figure.parts == "month":
        year, month = part.split("-")
        if month.startswith("Q"):
            return f"{figure.label} in {month} {year}"
        return f"{figure.label} in {_MONTHS[int(month) - 1]} {year}"
    if figure.parts == "cohort":
        quarter, age = cohort_of(part)
        return f"Net retention of {quarter_label(quarter)}, quarter {age + 1} of {AGES}"
    return figure.label


def chips(scope: Scope, choices: ScopeChoices) -> list[tuple[str, str]]:
    """The filters in words."""
    named = [
        ("Owner", scope.owner, [("me", "Me"), ("none", "Nobody"), *choices.owners]),
        ("Tier", scope.tier, choices.tiers),
        ("Segment", scope.segment, choices.segments),
        ("Scorecard", scope.card, choices.cards),
    ]
    return [(label, dict(options).get(chosen, chosen)) for label, chosen, options in named if chosen]


def _pager(scope: Scope, figure: Figure, part: str, page: int, total: int) -> dict[str, str]:
    def link(to: int) -> str:
        return page_url("figure", scope, figure.key, part=part, page=str(to) if to > 1 else "")

    first, last = (page - 1) * PAGE_SIZE + 1, min(page * PAGE_SIZE, total)
    return {
        "caption": f"{first:,}–{last:,} of {total:,}" if total else "",
        "previous": link(page - 1) if page > 1 else "",
        "next": link(page + 1) if last < total else "",
    }


def _columns(figure: Figure, currency: str) -> list[Column]:
    marker = "00000000-0000-7000-8000-000000000000"
    pattern = reverse("accounts:account-detail", args=[marker]).replace(marker, "%s")

    def name(row: Any) -> str:
        return (
            f'<span class="cell-name">{atoms.logo(row["name"])}<a href="{pattern % row["account"]}">'
            f"{escape(row['name'])}</a></span>"
        )

    def owner(row: Any) -> str:
        return f'<span class="dim nowrap">{escape(row["owner"] or "Nobody")}</span>'

    columns = [Column("Account", name, heading=True), Column("Owner", owner, css="c-p2")]
    return columns + (_of_standing() if figure.source == STANDING else _of_contracts(currency))


def _of_standing() -> list[Column]:
    def score(row: Any) -> str:
        shown = None if row["score"] is None else formats.number(row["score"], 1)
        return atoms.health(shown, tone(row["rag"]), band_name(row["band"]))

    return [
        Column("Health", score),
        Column("Coverage", lambda row: formats.percent(row["coverage_pct"]), css="n c-p3"),
        Column("Inputs", lambda row: "stale" if row["is_stale"] else "fresh" if row["score"] is not None else "–",
               css="c-p3"),
        Column("Renews", lambda row: formats.day(row["renewal_on"]), css="n c-p1"),
        Column("ARR", lambda row: formats.money(row["arr"], row["currency"]), css="n"),
    ]  # fmt: skip


def _of_contracts(currency: str) -> list[Column]:
    return [
        Column("ARR then", lambda row: formats.money(row["then"], currency), css="n c-p1"),
        Column("ARR now", lambda row: formats.money(row["now"], currency), css="n"),
        Column("Change", lambda row: formats.money(row["now"] - row["then"], currency), css="n"),
    ]
