"""An account's use: its course, its key features, every metric with its history, and stating one by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.frame import account_or_404, frame
from accounts.models import Account
from accounts.policy import may, requires
from ui import formats
from ui.charts import Chart, Line
from usage import queries
from usage.actions import state_metric
from usage.forms import ValueForm
from usage.models import MetricDefinition

TAB = "accounts:account-usage"


@requires(GET="usage.view")
def account_usage(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The page, or the panel alone when another page asks for it."""
    account = account_or_404(request, account_id)
    on = queries.today()
    weeks = queries.weeks_of(account.pk, on)
    context = {
        "users_chart": users_chart(weeks),
        "features": queries.features_of(account.pk, on),
        "base": account.assigned_users or account.seats or max((week.active_users for week in weeks), default=0),
        "metrics": sorted(queries.metrics_of(account.pk, on), key=lambda metric: metric.seen is None),
        "may_state": may_state(request, account),
    }
    if request.htmx and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        response = render(request, "usage/_account_usage.html", {"account": account, **context})
    else:
        response = render(request, "usage/account_usage.html", frame(request, account, TAB, **context))
    response["Vary"] = "HX-Request, Cookie"
    return response


def users_chart(weeks: list[queries.Week]) -> Chart | None:
    """Different users by week, without the one that is not over; None before the first."""
    first = next((n for n, week in enumerate(weeks) if week.quantity), None)
    if first is None:
        return None
    shown = weeks[first:-1] or weeks[first:]
    title = "People who used the product, by week"
    return Line(
        title,
        f"From {shown[0].active_users} to {shown[-1].active_users} people a week.",
        [_short(week.starts_on) for week in shown],
        [float(week.active_users) for week in shown],
        lambda value: formats.number(value, 0),
        label="People",
        low=0,
        notes=[formats.number(week.quantity, 0) for week in shown],
        note_head="Actions",
    ).chart()


def _short(day: dt.date) -> str:
    """``8 Jun``: a half-year's course needs no years."""
    return formats.day(day, today=day)


def may_state(request: HttpRequest, account: Account) -> bool:
    """Whether the reader may state this account's metrics."""
    return (
        may(request.user, "usage.write") and Account.objects.editable_by(request.user).filter(pk=account.pk).exists()  # type: ignore[arg-type]
    )


@requires(GET="usage.view", POST="usage.write")
def metric_history(request: HttpRequest, account_id: UUID, key: str) -> HttpResponse:
    """Every value of one metric with who gave it, and the form to give another."""
    account = account_or_404(request, account_id)
    definition = get_object_or_404(MetricDefinition, key=key)
    allowed = may_state(request, account)
    if request.method == "POST" and not allowed:
        raise PermissionDenied
    form = ValueForm(definition, request.POST or None, today=queries.today())
    if request.method == "POST" and form.is_valid():
        state_metric(
            account, definition, on=form.cleaned_data["on"], value=form.cleaned_data["value"], actor=request.user,
            at=timezone.now(),
        )  # fmt: skip
        messages.success(request, f"{definition.name} recorded.")
        return redirect("usage:metric-history", account.pk, key)
    values = queries.history_of(account, key)
    context: dict[str, Any] = {
        "definition": definition,
        "values": values,
        "names": {option["key"]: option["name"] for option in definition.options},
        "chart": history_chart(definition, values),
        "form": form,
        "may_state": allowed,
    }
    status = 422 if form.is_bound else 200
    return render(request, "usage/metric_history.html", frame(request, account, TAB, **context), status=status)


def history_chart(definition: MetricDefinition, values: list[Any]) -> Chart | None:
    """The current values of a number over time; None with fewer than two."""
    current: dict[dt.date, float] = {
        value.on: float(value.number) for value in values if value.number is not None and value.superseded_at is None
    }
    if len(current) < 2:
        return None
    days = sorted(current)
    return Line(
        definition.name,
        f"{len(days)} values from {formats.day(days[0])} to {formats.day(days[-1])}.",
        [formats.day(day) for day in days],
        [current[day] for day in days],
        formats.number,
        label=definition.name,
    ).chart()
