"""The portfolio page: the leader's home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.policy import requires
from health.book.cells import AccountCells, band_name, tone
from health.book.filters import MINE, AccountFilters
from health.book.listing import filter_choices
from health.book.portfolio import (
    COMPARE_DAYS,
    ORDER,
    Month,
    Mover,
    Portfolio,
    arr_before,
    portfolio,
    sees_own_book_only,
    state_of_data,
)
from health.choices import Rag
from health.queries.inputs import active_cards
from ui import atoms, formats
from ui.charts import Chart, Series, donut, spark, split_bar, stacked_bars

AT_RISK = (Rag.RED, Rag.ORANGE)
KEPT_SECONDS = 600
NBSP = "\N{NO-BREAK SPACE}"
_FALLBACK = {Rag.RED: "Red", Rag.ORANGE: "Orange", Rag.YELLOW: "Yellow", Rag.GREEN: "Green", Rag.NONE: "No data"}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of the strip: what it is, how it moved, what it means and the rows behind it."""

    key: str
    label: str
    value: str
    sub: str
    definition: str
    url: str
    delta: SafeString | str = ""
    spark: SafeString | str = ""


@requires(GET="portfolio.view")
def portfolio_page(request: HttpRequest) -> HttpResponse:
    """The portfolio of the filters in the address."""
    today = timezone.localdate()
    filters = AccountFilters.read(request.GET)
    context = {
        "parameters": filters.parameters(),
        "selects": _selects(filters, request.user),
        "written": written(request.user, filters, today),
    }
    return render(request, "health/portfolio.html", context)


@dataclass(frozen=True, slots=True)
class Written:
    """The parts of the page that follow from the data, ready to send."""

    headline: SafeString
    body: SafeString
    computed_at: Any


def written(user: Any, filters: AccountFilters, today: date) -> Written:
    """The page's figures, drawn once for everybody who sees the same accounts, until any of the data changes.

    One query tells the state of the data; drawing takes about twenty more and 95 % of the time.
    """
    seen_as = user.pk if filters.owner == MINE or sees_own_book_only(user) else "all"
    key = ("portfolio", seen_as, tuple(sorted(filters.parameters().items())), today, *state_of_data())
    name = sha256(repr(key).encode()).hexdigest()
    known: Written | None = cache.get(name)
    if known is None:
        known = _write(user, filters, today)
        cache.set(name, known, KEPT_SECONDS)
    return known


def _write(user: Any, filters: AccountFilters, today: date) -> Written:
    currency = user.workspace_settings.currency
    data = portfolio(user, filters, currency, today)
    before = arr_before(user, filters, currency, today - timedelta(days=COMPARE_DAYS))
    names = band_names()
    context = {
        "filters": filters,
        "data": data,
        "kpis": kpis(data, before, filters, currency),
        "bands": bands_chart(data.history, names, currency),
        "pie": pie(data, names, currency),
        "movers": [_mover(mover, today) for mover in data.movers],
        "at_risk": [_at_risk(row, today) for row in data.at_risk],
        "growth": [_growing(row, today) for row in data.growth],
        "loads": _loads(data, filters, currency),
        "risk_url": _list_url(filters, band="risk"),
        "green_url": _list_url(filters, band="green", sort="-change"),
        "change_url": _list_url(filters, sort="change"),
    }
    said = {"headline": headline(data, before, currency, today)}
    return Written(
        headline=render_to_string("health/_headline.html", said),
        body=render_to_string("health/_portfolio_body.html", context),
        computed_at=data.totals.computed_at,
    )


def band_names() -> dict[str, str]:
    """The words of the default scorecard for each colour; bands that share one are joined."""
    card = active_cards().default
    names: dict[str, list[str]] = {}
    for band in card.definition["bands"] if card else ():
        names.setdefault(band["rag"], []).append(band["name"])
    return {colour: " / ".join(names.get(colour, [_FALLBACK[colour]])) for colour in ORDER}


def _list_url(filters: AccountFilters, **changes: str) -> str:
    parameters = {**filters.parameters(), **changes}
    return (
        f"{reverse('accounts:account-list')}?{urlencode(parameters)}"
        if parameters
        else reverse("accounts:account-list")
    )


def _selects(filters: AccountFilters, user: User) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    choices = filter_choices(user)
    owners = [("me", "Me"), ("none", "Nobody"), *choices.owners]
    listed = [("owner", "Owner", owners), ("tier", "Tier", choices.tiers), ("segment", "Segment", choices.segments)]
    return [(name, label, options, getattr(filters, name)) for name, label, options in listed if options]


def kpis(data: Portfolio, before: dict[str, Decimal], filters: AccountFilters, currency: str) -> list[Kpi]:
    """The six figures of the strip."""
    totals, now, then = data.totals, data.retention, data.retention_before
    arr_then = sum(before.values(), Decimal(0))
    risk_then = sum((before.get(colour, Decimal(0)) for colour in AT_RISK), Decimal(0))
    arr_line = [float(sum(month.arr.values(), Decimal(0))) for month in data.history]
    risk_line = [float(sum((month.arr[colour] for colour in AT_RISK), Decimal(0))) for month in data.history]
    in_currency = f" Only contracts in {currency}." if totals.other_currencies else ""
    share = totals.scored * 100 / totals.accounts if totals.accounts else None
    return [
        Kpi(
            "nrr", "Net revenue retention", _share(now.nrr_pct), f"{now.customers} customers then",
            "ARR that today's contracts of the customers of twelve months ago bring, growth included, divided by their "
            f"ARR then.{in_currency}",
            _list_url(filters, status="active", sort="-arr"), _points(now.nrr_pct, then.nrr_pct),
        ),
        Kpi(
            "grr", "Gross retention", _share(now.grr_pct), f"{now.customers - now.kept} of {now.customers} left",
            "As net revenue retention, but no customer counts for more than their ARR then: what was kept, without "
            f"growth.{in_currency}",
            _list_url(filters, status="churned"), _points(now.grr_pct, then.grr_pct),
        ),
        Kpi(
            "arr", "ARR", formats.money(totals.arr, currency, compact=True), f"{totals.accounts:,} accounts",
            f"Yearly recurring revenue of live accounts, from their contracts in force.{in_currency}",
            _list_url(filters, sort="-arr"), _growth(totals.arr, arr_then, "up"), spark(arr_line, width=56),
        ),
        Kpi(
            "risk", "ARR at risk", formats.money(totals.at_risk.arr, currency, compact=True),
            f"{totals.at_risk.accounts:,} accounts",
            "ARR of accounts whose current band is orange or red.",
            _list_url(filters, band="risk", sort="-arr"), _growth(totals.at_risk.arr, risk_then, "down"),
            spark(risk_line, "c3", width=56),
        ),
        Kpi(
            "renewing", "Renewing in 90 days", formats.money(totals.renewing.arr, currency, compact=True),
            f"{totals.renewing.accounts:,} accounts, {totals.renewing_at_risk.accounts:,} at risk",
            "ARR of accounts whose contract ends within 90 days from today.",
            _list_url(filters, renewal="90", sort="renewal"),
        ),
        Kpi(
            "scored", "Accounts scored", formats.percent(share),
            f"{totals.scored:,} of {totals.accounts:,}, average {formats.number(totals.average, 1)}",
            "Accounts with enough fresh data for a score: half of the scorecard's weight or more.",
            _list_url(filters, band="none"),
        ),
    ]  # fmt: skip


def _share(value: Decimal | None) -> str:
    return formats.percent(value, 1)


def _points(now: Decimal | None, then: Decimal | None) -> SafeString | str:
    if now is None or then is None:
        return ""
    return atoms.delta(round(now - then, 1), " pt", period=f"in {COMPARE_DAYS} days", places=1)


def _growth(now: Decimal, then: Decimal, good: str) -> SafeString | str:
    if not then:
        return ""
    return atoms.delta(round((now - then) * 100 / then, 1), "%", good, f"in {COMPARE_DAYS} days", places=1)


def headline(data: Portfolio, before: dict[str, Decimal], currency: str, today: date) -> dict[str, Any]:
    """What changed, in a sentence: the move of ARR at risk and the account that fell furthest."""
    now = data.totals.at_risk.arr
    then = sum((before.get(colour, Decimal(0)) for colour in AT_RISK), Decimal(0))
    fallen = next((mover for mover in data.movers if (mover.row["health__change_30d"] or 0) < 0), None)
    cells = AccountCells(today)
    moved = now - then if before else None
    return {
        "direction": "" if moved is None else "rose" if moved > 0 else "fell" if moved < 0 else "did not change",
        "amount": formats.money(abs(moved or 0), currency, compact=True),
        "now": formats.money(now, currency, compact=True),
        "name": fallen.row["name"] if fallen else "",
        "url": cells.url(fallen.row) if fallen else "",
        "points": formats.number(abs(fallen.row["health__change_30d"]), 1) if fallen else "",
        "reason": fallen.change.sentence(1) if fallen and fallen.change else "",
    }


def bands_chart(history: list[Month], names: dict[str, str], currency: str) -> Chart | None:
    """ARR by colour, month by month; None before the first recompute."""
    if not history:
        return None

    def short(value: float) -> str:
        return formats.money(Decimal(str(round(value, 2))), currency, compact=True)

    used = [colour for colour in ORDER if any(month.arr[colour] for month in history)]
    series = [Series(tone(colour), names[colour], [float(month.arr[colour]) for month in history]) for colour in used]
    categories = [(f"{month.day:%b}", formats.day(month.day)) for month in history]
    last = history[-1]
    parts = ", ".join(f"{names[colour]} {short(float(last.arr[colour]))}" for colour in used)
    desc = f"Stacked bars, one a month. On {formats.day(last.day)}: {parts}."
    return stacked_bars("ARR by health band, last 12 months", desc, categories, series, short)


def pie(data: Portfolio, names: dict[str, str], currency: str) -> SafeString | None:
    """The colour pie (FLEET-7.19): ARR by colour, or accounts where no ARR is known."""
    colours = [colour for colour in reversed(ORDER) if data.totals.by_colour[colour].accounts]
    if not colours:
        return None
    slices = data.totals.by_colour
    by_money = bool(data.totals.arr)
    parts = [
        (tone(colour), names[colour], float(slices[colour].arr if by_money else slices[colour].accounts))
        for colour in colours
    ]

    def write(value: float) -> str:
        return formats.money(Decimal(str(value)), currency, compact=True) if by_money else f"{value:,.0f}"

    counts = ", ".join(f"{names[colour]} {slices[colour].accounts}" for colour in colours)
    total = write(sum(value for _key, _label, value in parts))
    return donut(
        "Share of ARR by band", f"Accounts: {counts}.", parts, write, (total, "ARR" if by_money else "accounts")
    )


def _row(row: dict[str, Any], today: date) -> dict[str, Any]:
    """A row of a list card, written."""
    cells = AccountCells(today)
    days = (row["renewal_on"] - today).days if row["renewal_on"] else None
    renews = (
        "no renewal date"
        if days is None
        else f"renews in{NBSP}{days}{NBSP}d"
        if days >= 0
        else f"{-days}{NBSP}d overdue"
    )
    owner = row["owner__name"] or row["owner__email"] or "nobody"
    return {
        "name": row["name"],
        "url": cells.url(row),
        "health": atoms.html(cells.health(row)),
        "arr": formats.money(row["arr"], row["currency"], compact=True),
        "owner": owner,
        "renews": renews,
        "band": band_name(row["health__current_band"]),
    }


def _mover(mover: Mover, today: date) -> dict[str, Any]:
    row = _row(mover.row, today)
    reason = mover.change.sentence() if mover.change else "Not scored 30 days ago with the same card"
    return row | {"reason": reason or "Several small changes", "arr": ""}


def _at_risk(row: dict[str, Any], today: date) -> dict[str, Any]:
    written = _row(row, today)
    return written | {"reason": f"{written['owner']} · {written['renews']}"}


def _growing(row: dict[str, Any], today: date) -> dict[str, Any]:
    written = _row(row, today)
    return written | {"reason": f"{_growth_reason(row)} · {written['owner']}"}


def _growth_reason(row: dict[str, Any]) -> str:
    if row["full"]:
        return f"{row['assigned_users']:,} of {row['seats']:,} seats given out"
    change = row["health__change_30d"]
    if change and change > 0:
        return f"Up {formats.number(change, 1)} in 30 days"
    return "Steady in a green band"


def _loads(data: Portfolio, filters: AccountFilters, currency: str) -> list[dict[str, Any]]:
    """Each owner's book as a bar on one scale, the part at risk first."""
    most = max((load.arr for load in data.loads), default=Decimal(0)) or Decimal(1)
    return [
        {
            "name": load.name or "Nobody",
            "url": _list_url(filters, owner=str(load.owner_id or "none")),
            "accounts": load.accounts,
            "arr": formats.money(load.arr, currency, compact=True),
            "at_risk": load.at_risk,
            "bar": split_bar(float(load.arr_at_risk), float(load.arr), float(most)),
        }
        for load in data.loads[:12]
    ]
