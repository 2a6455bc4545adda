"""Account 360: the Overview, Health and Usage tabs, and setting a band by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.asof import Asked, asked_day, read_day
from accounts.errors import RuleViolated
from accounts.forms.base import DateInput
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account, Activity
from accounts.policy import may, requires
from accounts.queries.past import Past
from accounts.queries.people import People, people_of
from accounts.views.timeline import COLUMNS as TIMELINE_COLUMNS
from accounts.views.timeline import days_of
from health.actions import clear_override, set_override
from health.book import account as book
from health.book import past as past_book
from health.book.cells import tone
from health.book.facts import key_facts
from health.book.own import own_facts
from health.book.warning import Facts, warning
from health.choices import Rag
from health.pages import charts
from playbooks.choices import CtaKind, CtaStatus
from playbooks.queries import ctas_as_of, ctas_of_account
from ui.formats import day

OVERVIEW, HEALTH, USAGE = "accounts:account-detail", "accounts:account-health", "accounts:account-usage"
RECENT = 8
STEPS = TASKS = 4
SHOWN_METRICS = 2


@requires(GET="accounts.view")
def overview(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The page one opens before a call: what is wrong, the score and why, what is to do, who is who, what happened.

    Seven queries beside the frame's. The metrics' charts are fetched by the page, as ``usage`` for htmx. A past day
    is shown as it was, with nothing to do on it.
    """
    asked = asked_day(request)
    account = account_or_404(request, account_id, asked.past, **key_facts(request.user))
    today, past = asked.today, getattr(account, "past", None)
    score = _score_of(account, asked)
    recent, pinned, steps = _activities(request, account, past)
    people = people_of(account, today, past)
    ctas = ctas_as_of(request.user, account, past) if past else ctas_of_account(request.user, account.pk)
    own, others = own_facts(account.custom, account.own_fields, today)  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "own": own,
        "other_own": others,
        "score": _score(score, asked),
        "warning": warning(_facts(account, score, people, ctas, today)),
        "play": next((cta for cta in ctas if cta.kind == CtaKind.RISK and cta.status == CtaStatus.OPEN), None),
        "days": days_of(recent, past),
        "pinned": pinned,
        "steps": steps,
        "todo": _todo(ctas),
        "contacts": [*people.present, *people.left][:5],
        "may_override": past is None and may(request.user, "health.override"),
        "may_work": past is None and may(request.user, "ctas.work"),
        "today": today,
    }
    page = frame(request, account, OVERVIEW, asked, **context)
    return render(request, "health/account_overview.html", page, status=asked.status)


def _score_of(account: Account, asked: Asked) -> book.AccountScore | None:
    """The score now, or the one that stood on the past day. Two queries, one for the past."""
    return past_book.score_as_of(account, asked.past) if asked.past else book.score_of(account, asked.today)


def _activities(
    request: HttpRequest, account: Account, past: Past | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """The latest entries, those pinned above them, and the next steps still open, soonest first. One query.

    A past day knows no pins.
    """
    rows = Activity.objects.visible_to(request.user).filter(account=account)
    if past is not None:
        rows = rows.up_to(past.asked.end, as_known=past.asked.as_known)
    rows = rows.values(*TIMELINE_COLUMNS)
    latest = rows.order_by("-at", "-pk")[:RECENT]
    ahead = rows.with_open_step() if past is None else rows.with_step_open_at(past.asked.end)
    ahead = ahead.order_by("next_step_on", "next_step_at")[:STEPS]
    kept = rows.pinned() if past is None else rows.none()
    found = list(latest.union(ahead, kept))
    found.sort(key=lambda row: (row["at"], row["pk"]), reverse=True)
    days_of(found, past)
    open_steps = [row for row in found if row["next_step"] and row["next_step_done_at"] is None]
    open_steps.sort(
        key=lambda row: (row["next_step_on"], row["next_step_at"] is None, row["next_step_at"] or row["at"])
    )
    pinned = [row for row in found if row["pinned_at"] and past is None]
    return found[:RECENT], sorted(pinned, key=lambda row: row["pinned_at"], reverse=True), open_steps[:STEPS]


def _todo(ctas: list[Any]) -> list[dict[str, Any]]:
    """Open CTAs with their first tasks that are not done, soonest due first."""
    return [{"cta": cta, "tasks": _open_tasks(cta)[:TASKS]} for cta in ctas if cta.status == CtaStatus.OPEN]


def _open_tasks(cta: Any) -> list[Any]:
    """The tasks still to be done; a CTA of a past day brings those of then."""
    known = getattr(cta, "open_tasks", None)
    return [task for task in cta.tasks.all() if task.completed_at is None] if known is None else known


def _facts(account: Account, score: Any, people: People, ctas: list[Any], today: date) -> Facts:
    """What the warning is worked out from."""
    touched = [person.standing.last_touch_on for person in (*people.present, *people.left)]
    touches = [day for day in (*touched, account.touched_on) if day is not None]  # type: ignore[attr-defined]
    health = score.health if score else None
    return Facts(
        change=health.change_30d if health else None,
        why="; ".join(score.change.words[:2]) if score and score.change else "",
        is_red=bool(health and health.current_rag == Rag.RED),
        band=charts.current_band_name(score) if score else "",
        renewal_days=(account.renewal_on - today).days if account.renewal_on else None,
        silent_days=(today - max(touches)).days if touches else None,
        people=[finding.title for finding in people.findings if finding.key != "nobody"],
        risks=sum(cta.kind == CtaKind.RISK and cta.status == CtaStatus.OPEN for cta in ctas),
    )


def _score(score: book.AccountScore | None, asked: Asked) -> dict[str, Any] | None:
    """What the score card of a page needs."""
    if score is None:
        return None
    health, today = score.health, asked.today
    end = day(today) if asked.past else "Today"
    return {
        "health": health,
        "version": health.version,
        "gauge": charts.gauge(score),
        "waterfall": charts.waterfall(score, today, end),
        "band": charts.current_band_name(score),
        "computed_band": charts.computed_band_name(score),
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
    asked = asked_day(request) if request.method == "GET" else read_day({})
    account = (
        account_or_404(request, account_id, asked.past)
        if request.method == "GET"
        else editable_account_or_404(request, account_id)
    )
    today, past = asked.today, asked.past
    score = _score_of(account, asked)
    bands = [(band.key, band.name) for band in score.card.card.bands] if score else []
    form = OverrideForm(
        request.POST if request.method == "POST" and "clear" not in request.POST else None,
        bands=bands,
        initial={"until": today + timedelta(days=30)},
    )
    if request.method == "POST" and _overridden(request, account, form):
        return redirect(HEALTH, account.pk)
    context = {
        "score": _score(score, asked),
        "history": charts.history_line(book.history(account, today)),
        "overrides": past_book.overrides_until(account, past) if past else book.overrides(account),
        "form": form,
        "may_override": past is None and may(request.user, "health.override"),
    }
    page = frame(request, account, HEALTH, asked, **context)
    return render(request, "health/account_health.html", page, status=422 if form.errors else asked.status)


@requires(GET="health.view")
def hindsight(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The score of a past day worked out again with all we know by now; htmx gets the card alone.

    Without a past day there is nothing to look back at: the Health tab answers.
    """
    asked = asked_day(request)
    account = account_or_404(request, account_id, asked.past)
    if asked.past is None:
        return redirect(HEALTH, account.pk)
    stood = book.state_on(account, asked.past.day)
    looked = past_book.hindsight(account, stood, asked.past.day) if stood else None
    context = {"looked": looked, "tone": tone(looked.rag) if looked else "", "on": asked.past.day}
    template = "health/_hindsight.html" if request.htmx else "health/account_hindsight.html"  # type: ignore[attr-defined]
    response = render(request, template, frame(request, account, HEALTH, asked, **context))
    response["Vary"] = "HX-Request, Cookie"
    return response


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
    """Every metric of the scorecard: its latest value, source, age and course. htmx gets the two that moved most."""
    account = account_or_404(request, account_id)
    today = timezone.localdate()
    score = book.score_of(account, today)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"metrics": _falling(score, account, today), "account": account}
        response = render(request, "health/_moved_metrics.html", context)
        response["Vary"] = "HX-Request, Cookie"
        return response
    metrics = book.metrics(score, account, today) if score else []
    events = book.releases(account, today - timedelta(weeks=book.METRIC_WEEKS)) if score else []
    drawn = [{"metric": metric, "chart": charts.metric_line(metric, events)} for metric in metrics]
    context = {
        "drawn": [item for item in drawn if item["chart"]],
        "flat": [item["metric"] for item in drawn if not item["chart"]],
    }
    return render(request, "health/account_usage.html", frame(request, account, USAGE, **context))
