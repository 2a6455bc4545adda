"""The support reports: promises, the desk's figures, channels, volume, escalations, and what is behind a number."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.models import Account
from accounts.policy import requires
from support.queries.reports import desk, escalations
from support.queries.reports.behind import PAGE_SIZE, Asked, account_of, rows_behind
from support.queries.reports.period import PERIODS, Period, following
from support.queries.reports.promises import DIMENSIONS, kept_by, whole
from support.views import report_tables as tables
from support.views.report_tables import BY, Table
from ui.charts import Line, Series, stacked_bars
from ui.formats import percent

TABS = (
    ("support:report-promises", "Promises"),
    ("support:report-desk", "Figures"),
    ("support:report-channels", "Channels"),
    ("support:report-volume", "Volume"),
    ("support:report-escalations", "Escalations"),
)
MOST_PAGES = 10_000
MOST_EXPORTED = 20_000


@requires(GET="tickets.view")
def promises(request: HttpRequest) -> HttpResponse:
    """Share of promises kept, by tier, severity, team, agent, customer or month."""
    period, by = _period(request), _by(request)
    table = _promises(request, period, by)
    chart = _kept_chart(request, period)
    links = [
        {"label": label, "url": f"?{urlencode({**period.parameters(), 'by': key})}", "current": key == by}
        for key, label in BY.items()
    ]
    return _page(request, period, [table], charts=[chart], by=by, links=links)


@requires(GET="tickets.view")
def figures(request: HttpRequest) -> HttpResponse:
    """The KPIs of the desk and its backlog (FMEA-14.5, FMEA-15.4)."""
    period = _period(request)
    return _page(request, period, [_figures(request, period), _backlog(request, period)])


@requires(GET="tickets.view")
def channels(request: HttpRequest) -> HttpResponse:
    """Each channel beside what the methodology expects of it (BIS-2.5)."""
    period = _period(request)
    shown = [_channels(request, period), _averages(request, period)]
    return _page(request, period, [table for table in shown if table.rows or table.key == "channels"])


@requires(GET="tickets.view")
def volume(request: HttpRequest) -> HttpResponse:
    """Tickets a month, of everybody or since an account's launch; how-to tickets round a course (FLEET-4.12, 5.8)."""
    period, account_id = _period(request), account_of(request.GET)
    account = Account.objects.visible_to(request.user).filter(pk=account_id).first() if account_id else None
    if account_id and account is None:
        raise Http404
    launch = desk.launched_on(request.user, account_id)
    if launch and not request.GET.get("since"):
        period = Period(max(launch, period.until - timedelta(days=1826)), period.until)
    rows = desk.of_account(desk.opened_in(request.user, period), account_id)
    counts = desk.by_month(rows, period)
    whole_months = counts[:-1] if following(period.until.replace(day=1)) > timezone.localdate() else counts
    course = _course(request)
    how_to = desk.by_month(desk.how_to(request.user, period, account_id), period)
    return _page(
        request, period, [_rising(request, period)] if account is None else [], account=account,
        charts=[
            _month_chart("Tickets opened", period, counts, _mark(period, launch, "Launch")),
            _month_chart("How-to tickets", period, how_to, _mark(period, course, "Course")),
        ],
        act=account is not None and desk.rising(whole_months), course=course, before=_around(period, course, how_to),
    )  # fmt: skip


@requires(GET="escalations.view")
def escalation_report(request: HttpRequest) -> HttpResponse:
    """Volume, time, satisfaction, patterns and outcome of escalations (FLEET-9.14)."""
    period = _period(request)
    return _page(request, period, _escalations(request, period))


@requires(GET="tickets.view")
def behind(request: HttpRequest) -> HttpResponse:
    """The tickets, promises or escalations behind a number."""
    period, asked = _period(request), Asked.read(request.GET)
    rows = rows_behind(request.user, period, asked, at=timezone.now())
    total, page = rows.count(), _number(request.GET.get("page", ""))
    shown = list(rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    if page > 1 and not shown:
        raise Http404
    given = {name: value for name, value in request.GET.items() if name != "page"}
    last = -(-total // PAGE_SIZE) or 1
    context = {
        "period": period,
        "table": tables.behind_table(shown),
        "total": total,
        "what": asked.what.replace("_", " "),
        "page": page,
        "last": last,
        "newer": f"?{urlencode({**given, 'page': page - 1})}" if page > 1 else "",
        "older": f"?{urlencode({**given, 'page': page + 1})}" if page < last else "",
        "export": f"{reverse('support:report-export')}?{urlencode({**given, 'report': 'rows'})}",
        "back": f"{reverse('support:report-promises')}?{urlencode(period.parameters())}",
    }
    return render(request, "support/report_rows.html", context)


@requires(GET="accounts.export")
def export(request: HttpRequest) -> HttpResponse:
    """A table of the reports as CSV, cell by cell as on the screen."""
    period, name = _period(request), request.GET.get("report") or "promises"
    if name == "rows":
        rows = rows_behind(request.user, period, Asked.read(request.GET), at=timezone.now())
        table = tables.behind_table(rows[:MOST_EXPORTED])
    else:
        table = _table(request, period, name)
    file = f"support-{table.key}-{period.since}-{period.until}.csv"
    return csv_response(file, table.heads, ([cell.text for cell in row] for row in table.rows))


def _table(request: HttpRequest, period: Period, name: str) -> Table:
    makers: dict[str, Any] = {
        "promises": lambda: _promises(request, period, _by(request)),
        "figures": lambda: _figures(request, period),
        "backlog": lambda: _backlog(request, period),
        "channels": lambda: _channels(request, period),
        "averages": lambda: _averages(request, period),
        "rising": lambda: _rising(request, period),
    }
    if name in makers:
        found: Table = makers[name]()
        return found
    table = next((each for each in _escalations(request, period) if each.key == name), None)
    if table is None:
        raise Http404
    return table


def _promises(request: HttpRequest, period: Period, by: str) -> Table:
    lines = kept_by(request.user, period, by)
    return tables.kept_table(lines, whole(lines), period, by)


def _figures(request: HttpRequest, period: Period) -> Table:
    return tables.figures_table(desk.figures(request.user, period), period)


def _backlog(request: HttpRequest, period: Period) -> Table:
    return tables.backlog_table(desk.backlog(request.user, timezone.now()), period)


def _channels(request: HttpRequest, period: Period) -> Table:
    return tables.channel_table(desk.by_channel(request.user, period), desk.channel_guides(), period)


def _averages(request: HttpRequest, period: Period) -> Table:
    return tables.average_table(desk.averages(desk.by_channel(request.user, period)), period)


def _rising(request: HttpRequest, period: Period) -> Table:
    rows = desk.rising_accounts(request.user, timezone.localdate())
    return tables.rising_table(rows, urlencode({"until": period.until.isoformat()}))


def _escalations(request: HttpRequest, period: Period) -> list[Table]:
    user = request.user
    return [
        tables.level_table(escalations.by_level(user, period), period),
        tables.type_table(escalations.by_type(user, period)),
        tables.outcome_table(escalations.by_outcome(user, period), period),
        tables.pattern_table(escalations.patterns(user, period)),
    ]


def _page(request: HttpRequest, period: Period, listed: list[Table], **more: Any) -> HttpResponse:
    name = request.resolver_match.view_name
    kept = period.parameters()
    context = {
        "period": period,
        "periods": PERIODS.items(),
        "tables": [(table, f"{reverse('support:report-export')}?{_query(request, period, table)}") for table in listed],
        "tabs": [
            {"label": label, "url": f"{reverse(url)}?{urlencode(kept)}", "current": url == name} for url, label in TABS
        ],
        "heading": dict(TABS)[name],
        **more,
    }
    return render(request, "support/report.html", context)


def _query(request: HttpRequest, period: Period, table: Table) -> str:
    by = {"by": _by(request)} if table.key == "promises" else {}
    return urlencode({**period.parameters(), **by, "report": table.key})


def _period(request: HttpRequest) -> Period:
    return Period.read(request.GET, timezone.localdate())


def _by(request: HttpRequest) -> str:
    by = request.GET.get("by", "")
    return by if by in DIMENSIONS else "tier"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= MOST_PAGES else 1


def _course(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("course", ""))
    except ValueError:
        return None


def _kept_chart(request: HttpRequest, period: Period) -> Any:
    lines = kept_by(request.user, period, "month")
    values = [line.pct() for line in lines]
    if len(lines) < 2 or not any(value is not None for value in values):
        return None
    names = [f"{month:%b %y}" for month in period.months]
    desc = "Share of promises kept, month by month."
    return Line("Promises kept", desc, names, values, percent, label="Kept", low=0, high=100).chart()


def _month_chart(title: str, period: Period, counts: list[int], events: list[tuple[int, str]]) -> Any:
    if not any(counts):
        return None
    names = [(f"{month:%b}", f"{month:%B %Y}") for month in period.months]
    for place, word in events:
        short, long = names[place]
        names[place] = (short, f"{long} ({word.lower()})")
    desc = f"Bars, one a month; {counts[-1]:,} in the last."
    return stacked_bars(f"{title} by month", desc, names, [Series("c1", title, counts)], "{:,.0f}".format)


def _mark(period: Period, day: date | None, word: str) -> list[tuple[int, str]]:
    month = day.replace(day=1) if day else None
    return [(period.months.index(month), word)] if month in period.months else []


def _around(period: Period, course: date | None, counts: list[int]) -> tuple[str, str] | None:
    """Mean how-to tickets a month before the course's month and after it; None without both."""
    place = next((at for at, _word in _mark(period, course, "")), None)
    if place is None:
        return None
    before, after = counts[:place], counts[place + 1 :]
    mean = [f"{sum(part) / len(part):.1f}" if part else tables.DASH for part in (before, after)]
    return mean[0], mean[1]
