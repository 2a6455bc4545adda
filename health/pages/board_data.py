"""What a board pack says, frozen: every figure, list and chart of the portfolio as plain data.

Words and numbers are as they were when it was ordered, and charts as drawn, so that the document can be written
again from them alone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from health.book.choices import ScopeChoices, scope_choices
from health.book.compare import RISK, Bridge, compare
from health.book.figures import FIGURES
from health.book.portfolio import Portfolio, portfolio
from health.book.scope import SPLITS, Scope, is_whole
from health.book.split import split
from health.pages import portfolio_charts as charts
from health.pages.compare import sentences_of
from health.pages.figures import chips
from health.pages.portfolio import quarters_of
from health.pages.portfolio_split import split_rows
from health.pages.portfolio_words import definition, headline, list_rows, moved_in_words, ranked, said, target_of
from ui import formats
from ui.brand import shades
from ui.charts import Chart

MOST_MOVED, MOST_LOADS = 12, 20
STRIP = ("nrr", "grr", "churn", "arr", "risk", "renewing")
QUALITY = ("accounts", "scored", "coverage", "fresh", "score")


def board_data(user: Any, scope: Scope, *, at: datetime) -> dict[str, Any]:
    """The data of a board pack of ``scope`` as ``user`` sees it. Nine queries."""
    workspace = user.workspace_settings
    currency = workspace.currency
    data, choices = portfolio(user, scope, currency), scope_choices(user)
    names = choices.bands
    targets = choices.targets if is_whole(user, scope) else {}
    found = compare(user, scope, currency)
    first = headline(data, scope, currency)
    return {
        "workspace": workspace.name,
        "accent": shades(workspace.accent)["accent"][0] if workspace.accent else "",
        "maker": str(user),
        "made_at": at.isoformat(timespec="minutes"),
        "made_at_in_words": f"{formats.moment(at)} ({workspace.timezone})",
        "on": scope.on.isoformat(),
        "since": scope.since.isoformat(),
        "on_in_words": formats.day(scope.on),
        "since_in_words": formats.day(scope.since),
        "currency": currency,
        "filters": [list(chip) for chip in chips(scope, choices)],
        "headline": {key: value for key, value in first.items() if key != "url"},
        "figures": [_figure(key, data, targets, currency) for key in STRIP],
        "quality": [_figure(key, data, targets, currency) for key in QUALITY],
        "charts": _charts(data, names, currency),
        "lists": _lists(data, scope, currency),
        "bridges": [
            _bridge("ARR", found.arr, scope, currency),
            _bridge("ARR at risk", found.risk, scope, currency),
        ],
        "quarters": [
            {name: row[name] for name in ("name", "accounts", "due", "risk", "at_risk", "share")}
            for row in quarters_of(data.now, scope, currency)
        ],
        "known": found.known,
        "sentences": sentences_of(found, currency),
        "loads": _loads(data, choices, currency),
        "split": {
            "by": SPLITS[scope.split].label,
            "parts": [_part(row) for row in split_rows(split(data.parts, scope, choices), scope, currency)],
        },
    }


def _part(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("name", "accounts", "arr", "at_risk", "risk", "share", "score")}


def _figure(key: str, data: Portfolio, targets: dict[str, Decimal], currency: str) -> dict[str, Any]:
    """A figure exactly, in words, on the day compared with, and against its target."""
    figure = FIGURES[key]
    now, then = data.value(key), data.value_before(key)
    target = target_of(figure, now, targets, currency)
    return {
        "key": key,
        "label": figure.label,
        "exact": None if now is None else format(now, "f"),
        "value": said(figure, now, currency),
        "before": said(figure, then, currency),
        "change": moved_in_words(figure, now, then),
        "target": target.words if target else "",
        "missed": bool(target) and target.is_met is False,
        "definition": definition(figure, data, currency),
    }


def _charts(data: Portfolio, names: dict[str, str], currency: str) -> dict[str, str]:
    drawn = {
        "bands": charts.bands(data.history, names, currency),
        "due": charts.renewals(data.now, names, currency),
        "cohorts": charts.cohort_map(data.cohorts),
    }
    found = {name: chart.middle for name, chart in drawn.items() if isinstance(chart, Chart)}
    if drawn["due"] is not None:
        # Half a page wide; the pie beside it names the colours.
        found["due"] = drawn["due"].narrow
    pie = charts.pie(data.now, names, currency)
    return {**found, "pie": str(pie)} if pie else found


def _lists(data: Portfolio, scope: Scope, currency: str) -> dict[str, list[dict[str, str]]]:
    return {name: [_list_row(row) for row in rows] for name, rows in list_rows(data, scope, currency).items()}


def _list_row(row: dict[str, Any]) -> dict[str, str]:
    keep = ("name", "shown", "arr", "owner", "renews", "band", "reason")
    change = row["change"]
    return {key: "" if row[key] is None else str(row[key]) for key in keep} | {
        "change": "" if change is None else formats.signed(change, 1)
    }


def _bridge(title: str, found: Bridge, scope: Scope, currency: str) -> dict[str, Any]:
    labels = {step.key: step.label for step in found.steps}
    days = (formats.day(scope.since), formats.day(scope.on))
    chart = charts.bridge_chart(title, found, days, currency, down_is_good=found.key == RISK)
    return {
        "title": title,
        "before": formats.money(found.before, currency),
        "after": formats.money(found.after, currency),
        "change": ("+" if found.change > 0 else "") + formats.money(found.change, currency),
        "chart": chart.middle if found.steps else "",
        "moved": [
            {
                "name": move.name,
                "owner": move.owner or "Nobody",
                "why": labels[move.why],
                "change": ("+" if move.change > 0 else "") + formats.money(move.change, currency),
            }
            for move in found.moved[:MOST_MOVED]
        ],
        "more": max(len(found.moved) - MOST_MOVED, 0),
    }


def _loads(data: Portfolio, choices: ScopeChoices, currency: str) -> list[dict[str, Any]]:
    return [
        {
            "name": choices.owner(load.owner_id),
            "accounts": load.book.accounts,
            "arr": formats.money(load.book.arr, currency, compact=True),
            "at_risk": formats.money(load.at_risk.arr, currency, compact=True),
            "used": formats.percent(load.used * 100) if load.owner_id and load.book.accounts > load.unlimited else "–",
        }
        for load in ranked(data.now)[:MOST_LOADS]
    ]
