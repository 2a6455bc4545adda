"""Account 360: the Overview, Health and Usage tabs, and setting a band by hand."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.forms.base import DateInput
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account, Activity
from accounts.policy import may, requires
from accounts.views.timeline import COLUMNS as TIMELINE_COLUMNS
from accounts.views.timeline import days_of
from health.actions import clear_override, set_override
from health.book import account as book
from health.book.cells import tone
from health.pages import charts

OVERVIEW, HEALTH, USAGE = "accounts:account-detail", "accounts:account-health", "accounts:account-usage"
RECENT = 8
SHOWN_METRICS = 2


@requires(GET="accounts.view")
def overview(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The page one opens before a call: score and why, key facts, who is who, what is to do, what happened."""
    account = account_or_404(request, account_id)
    today = timezone.localdate()
    score = book.score_of(account, today)
    recent = Activity.objects.visible_to(request.user).filter(account=account)
    context: dict[str, Any] = {
        "score": _score(score, today),
        "metrics": _falling(score, account, today),
        "days": days_of(list(recent.order_by("-at", "-pk").values(*TIMELINE_COLUMNS)[:RECENT])),
        "contacts": account.contacts.present().order_by("-last_touch_at", "name")[:5],
        "children": account.children.visible_to(request.user).unarchived().order_by("name")[:10],
        "team": account.team.select_related("user", "role").order_by("role__name"),
        "may_override": may(request.user, "health.override"),
        "today": today,
    }
    return render(request, "health/account_overview.html", frame(request, account, OVERVIEW, **context))


def _score(score: book.AccountScore | None, today: Any) -> dict[str, Any] | None:
    """What the score card of a page needs."""
    if score is None:
        return None
    health = score.health
    return {
        "health": health,
        "version": health.version,
        "gauge": charts.gauge(score),
        "waterfall": charts.waterfall(score, today),
        "band": charts.current_band_name(score),
        "tone": tone(health.current_rag),
        "components": score.components,
        "change": health.change_30d,
        "to_next": _to_next(score),
        "stale": score.stale,
        "missing": score.missing,
        "words": score.change.words if score.change else [],
        "version_changed": bool(score.change and not score.change.same_version),
        "override": health.override,
        "flags": [flag["label"] if "label" in flag else flag["key"] for flag in score.card.card.red_flags
                  if flag["key"] in health.red_flags],
        "recommendations": score.card.card.recommendations_for(health.dimensions) if health.score is not None else [],
    }  # fmt: skip


def _to_next(score: book.AccountScore) -> str:
    """How far the score is from the next better band: ``17.3 below Healthy``; empty at the top or without score."""
    value = score.health.score
    if value is None:
        return ""
    better = [band for band in score.card.card.bands if band.minimum > value]
    if not better:
        return ""
    edge = min(better, key=lambda band: band.minimum)
    return f"{edge.minimum - value:.1f} below {edge.name}"


def _falling(score: book.AccountScore | None, account: Account, today: Any) -> list[dict[str, Any]]:
    """The metrics that moved most, as charts."""
    if score is None:
        return []
    metrics = [metric for metric in book.metrics(score, account, today) if metric.change]
    metrics.sort(
        key=lambda metric: -abs(metric.change or 0) / (max(map(abs, filter(None, metric.values)), default=1) or 1)
    )
    events = book.releases(account, today - timedelta(weeks=book.METRIC_WEEKS))
    drawn = [{"metric": metric, "chart": charts.metric_line(metric, events)} for metric in metrics[:SHOWN_METRICS]]
    return [item for item in drawn if item["chart"]]


class OverrideForm(forms.Form):
    """A judgement: which band, why, and until when."""

    band = forms.ChoiceField()
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    until = forms.DateField(widget=DateInput, label="Until", help_text="At most 180 days ahead")

    def __init__(self, *args: Any, bands: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["band"].choices = bands  # type: ignore[attr-defined]


@requires(GET="health.view", POST="health.override")
def health(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The score in full, with its evidence and its history; posting sets or ends an override."""
    account = (
        account_or_404(request, account_id) if request.method == "GET" else editable_account_or_404(request, account_id)
    )
    today = timezone.localdate()
    score = book.score_of(account, today)
    bands = [(band.key, band.name) for band in score.card.card.bands] if score else []
    form = OverrideForm(
        request.POST if request.method == "POST" and "clear" not in request.POST else None,
        bands=bands,
        initial={"until": today + timedelta(days=30)},
    )
    if request.method == "POST" and _overridden(request, account, form):
        return redirect(HEALTH, account.pk)
    context = {
        "score": _score(score, today),
        "history": charts.history_line(book.history(account, today)),
        "overrides": book.overrides(account),
        "form": form,
        "may_override": may(request.user, "health.override"),
    }
    status = 422 if form.errors else 200
    return render(request, "health/account_health.html", frame(request, account, HEALTH, **context), status=status)


def _overridden(request: HttpRequest, account: Account, form: OverrideForm) -> bool:
    """Carry out the posted override; False when the form must be shown again."""
    now = timezone.now()
    if "clear" in request.POST:
        clear_override(account, actor=request.user, at=now)
        messages.success(request, "The computed band counts again.")
        return True
    if not form.is_valid():
        return False
    data = form.cleaned_data
    until = timezone.make_aware(datetime.combine(data["until"], time(23, 59)))
    try:
        set_override(account, band=data["band"], reason=data["reason"], expires_at=until, actor=request.user, at=now)
    except RuleViolated as problem:
        field = "until" if problem.field == "expires_at" else problem.field
        form.add_error(field if field in form.fields else None, str(problem))
        return False
    messages.success(request, "The band was set. The computed score stays visible beside it.")
    return True


@requires(GET="usage.view")
def usage(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Every metric of the account's scorecard: its latest value, source and age, and its course."""
    account = account_or_404(request, account_id)
    today = timezone.localdate()
    score = book.score_of(account, today)
    metrics = book.metrics(score, account, today) if score else []
    events = book.releases(account, today - timedelta(weeks=book.METRIC_WEEKS)) if score else []
    drawn = [{"metric": metric, "chart": charts.metric_line(metric, events)} for metric in metrics]
    context = {
        "drawn": [item for item in drawn if item["chart"]],
        "flat": [item["metric"] for item in drawn if not item["chart"]],
    }
    return render(request, "health/account_usage.html", frame(request, account, USAGE, **context))
