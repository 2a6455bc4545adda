"""The team page: who has which book, what is open, how soon it is answered."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.policy import requires
from health.book.choices import scope_choices
from health.book.scope import Scope
from health.book.team import Member, team
from health.pages.figures import chips
from health.pages.portfolio import navigation
from health.pages.portfolio_words import figure_url, page_url
from ui import formats
from ui.charts import bullet


@requires(GET="portfolio.view")
def team_page(request: HttpRequest) -> HttpResponse:
    """A line an owner: book, capacity, health, CTAs, response, touches; and what waits for an owner."""
    now = timezone.now()
    scope = _today(request)
    currency, choices = request.user.workspace_settings.currency, scope_choices(request.user)
    found = team(request.user, scope, currency, choices, at=now)
    context = {
        "scope": scope,
        "rows": [_row(member, scope, currency) for member in found.members if member.owner_id is not None],
        "nobody": found.nobody and _row(found.nobody, scope, currency),
        "back": page_url("", scope),
        "chips": chips(scope, choices),
        "parameters": scope.parameters(),
        **navigation(scope, choices),
    }
    return render(request, "health/portfolio_team.html", context)


@requires(GET="accounts.export")
def team_export(request: HttpRequest) -> HttpResponse:
    """The lines of the page as CSV."""
    scope = _today(request)
    currency, choices = request.user.workspace_settings.currency, scope_choices(request.user)
    found = team(request.user, scope, currency, choices, at=timezone.now())
    heads = (
        "owner", "accounts", "arr", "accounts_at_risk", "arr_at_risk", "average_score", "capacity_used_pct",
        "ctas_open", "ctas_overdue", "ctas_snoozed", "ctas_opened_90_days", "ctas_answered",
        "median_hours_to_first_action", "touches_30_days", "accounts_touched_30_days",
    )  # fmt: skip
    return csv_response(f"team-{scope.on}.csv", heads, [_cells(member) for member in found.members])


def _today(request: HttpRequest) -> Scope:
    """The scope without its days: CTAs and touches are those of now."""
    today = timezone.localdate()
    return Scope.read({**request.GET.dict(), "on": "", "since": ""}, today)


def _cells(member: Member) -> list[Any]:
    load, work = member.load, member.work
    return [
        member.name, load.book.accounts, load.book.arr, load.at_risk.accounts, load.at_risk.arr,
        None if load.score is None else round(load.score, 1), round(load.used * 100), work.open, work.overdue,
        work.snoozed, work.opened, work.answered, None if work.hours is None else round(work.hours, 1),
        member.touches, member.touched,
    ]  # fmt: skip


def _row(member: Member, scope: Scope, currency: str) -> dict[str, Any]:
    load, work = member.load, member.work
    used = float(load.used) * 100
    limited = load.book.accounts > load.unlimited
    owner = str(member.owner_id or "none")
    return {
        "name": member.name,
        "accounts": load.book.accounts,
        "url": figure_url("arr", scope, owner=owner),
        "arr": formats.money(load.book.arr, currency, compact=True),
        "risk": load.at_risk.accounts,
        "risk_url": figure_url("risk", scope, owner=owner),
        "risk_arr": formats.money(load.at_risk.arr, currency, compact=True),
        "score": formats.number(load.score, 1),
        "used": formats.percent(used) if limited else "no limit set",
        "over": limited and used > 100,
        "bar": bullet(used, 100, "risk" if used > 100 else "c1", width=120, top=150) if limited else "",
        "open": work.open,
        "overdue": work.overdue,
        "snoozed": work.snoozed,
        "response": hours_in_words(work.hours),
        "answered": f"{work.answered:,} of {work.opened:,}" if work.opened else "",
        "touches": member.touches,
        "touched": member.touched,
        "ctas_url": f"/ctas/?owner={owner}",
    }


def hours_in_words(hours: float | None) -> str:
    """``40 min``, ``3.1 h``, ``4.5 days``; a dash for None."""
    if hours is None:
        return formats.DASH
    if hours < 1:
        return f"{max(round(hours * 60), 1)} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
