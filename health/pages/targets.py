"""Targets: an account's KPIs, and the report of success metrics over a book of accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.frame import account_or_404, frame
from accounts.models import Account
from accounts.policy import requires
from health.queries.targets import Figure, categories, figures, standings
from ui.formats import number, signed

TAB = "health:account-targets"
# The means of a book move once a day; reading them over all its accounts for each look is most of the page.
KEPT_SECONDS = 60
PERIODS = {"30": "30 days", "90": "90 days", "365": "12 months"}
OPERATORS = {"<": "under", "<=": "at most", ">": "over", ">=": "at least"}
# Units whose key is no word for people; the others are.
UNITS = {"percent": "%", "mean_0_10": "of 10", "count": ""}
HEADINGS = ["Category", "Metric", "Accounts", "Average", "Change", "Target", "Met"]


@requires(GET="health.view")
def account_targets(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The KPIs that have a reading here, each with its target and, where missed, what the methodology does."""
    account = account_or_404(request, account_id)
    rows = [
        {"item": item, "target": _target(item.reading.kpi), "kpi": item.reading.kpi}
        for item in standings(account.pk, on=timezone.localdate())
    ]
    return render(request, "health/account_targets.html", frame(request, account, TAB, rows=rows))


@requires(GET="health.view")
def metric_report(request: HttpRequest) -> HttpResponse:
    """Success metrics by category, account or segment, and period."""
    chosen, rows = _report(request)
    accounts = Account.objects.visible_to(request.user).live().order_by("name")
    context = {
        **chosen,
        "rows": rows,
        "is_measured": any(row[2] != "0" for row in rows),
        "headings": HEADINGS,
        "periods": PERIODS.items(),
        "categories": categories(),
        "segments": list(accounts.exclude(segment="").order_by("segment").values_list("segment", flat=True).distinct()),
        "export": f"{reverse('health:metric-export')}?{urlencode(chosen)}",
    }
    return render(request, "health/metric_report.html", context)


@requires(GET="accounts.export")
def metric_export(request: HttpRequest) -> HttpResponse:
    """The table of the report as CSV, cell by cell as on the screen."""
    _chosen, rows = _report(request)
    return csv_response(f"success-metrics-{timezone.localdate()}.csv", HEADINGS, rows)


def _report(request: HttpRequest) -> tuple[dict[str, str], list[list[str]]]:
    """What was asked for, and the rows, at most a minute old.

    An unknown period is 90 days; an account is named, any part of its name.
    """
    chosen = {
        name: request.GET.get(name, "").replace("\x00", "").strip()[:100] for name in ("category", "segment", "q")
    }
    period = request.GET.get("period", "")
    chosen["period"] = period if period in PERIODS else "90"
    accounts = Account.objects.visible_to(request.user).live()
    if chosen["segment"]:
        accounts = accounts.filter(segment=chosen["segment"])
    if chosen["q"]:
        accounts = accounts.filter(name__icontains=chosen["q"])
    today = timezone.localdate()
    since = today - timedelta(days=int(chosen["period"]))

    def read() -> list[list[str]]:
        keys = list(accounts.order_by().values_list("pk", flat=True))
        return [_cells(each) for each in figures(keys, category=chosen["category"], on=today, since=since)]

    key = f"health.metric_report.{request.user.pk}.{today}.{urlencode(chosen)}"
    return chosen, cache.get_or_set(key, read, KEPT_SECONDS)


def _cells(figure: Figure) -> list[str]:
    met = "–" if figure.met is None or not figure.measured else f"{figure.met} of {figure.measured}"
    return [
        figure.kpi.category.replace("-", " ").capitalize(),
        figure.kpi.name,
        str(figure.measured),
        "–" if figure.mean is None else number(figure.mean, 1),
        "–" if figure.change is None else signed(figure.change, 1),
        _target(figure.kpi),
        met,
    ]


def _target(kpi: Any) -> str:
    """``at least 99.9 %``; a dash without a target."""
    unit = UNITS.get(kpi.unit, kpi.unit.replace("_", " "))
    return f"{OPERATORS[kpi.op]} {kpi.target.normalize():f} {unit}".rstrip() if kpi.op else "–"
