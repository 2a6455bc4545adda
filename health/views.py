"""Simulators, the risk list and events."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from accounts.policy import requires
from health.actions import record_event
from health.actions.explaining import why_on
from health.book.keeping import kept_while_unchanged, seen_as
from health.cards import compiled
from health.conditions import metrics_of
from health.forms import FactsForm, OnAccountForm, ScorecardInputsForm
from health.models import Scorecard, Trigger
from health.pages.scorecards import version_of
from health.queries.risks import at_risk, risks_of, standing_state
from health.simulation import InputsRefused, simulate_scorecard, simulate_trigger
from health.wording import in_words

RISKS_ON_PAGE = 50


@requires(GET="health.view", POST="health.view")
def scorecard_simulator(request: HttpRequest, key: str) -> HttpResponse:
    """Try a scorecard on figures typed in. Nothing is stored."""
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    scoring = compiled(version).card
    flag_metrics = sorted(
        set().union(*(metrics_of(flag["condition"]) for flag in scoring.red_flags)) - set(scoring.inputs)
    )
    form = ScorecardInputsForm(request.POST or None, card=scoring, flag_metrics=flag_metrics)
    answer: dict[str, Any] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer = simulate_scorecard(scoring, form.figures())
        except InputsRefused as refused:
            form.refuse(refused.refusals)
    context = {"card": card, "version": version, "form": form, "answer": answer, "lines": _lines(scoring, answer)}
    return render(request, "health/scorecard_simulator.html", context, status=422 if form.errors else 200)


def _lines(scoring: Any, answer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The answer's dimensions with their measures, for the table."""
    if answer is None:
        return []
    return [
        {
            "name": part.name,
            "score": answer["dimensions"][part.key],
            "most": scoring.most_of(part),
            "measures": [
                {"name": scoring.measures[at].name, **answer["measures"][f"{part.key}.{scoring.measures[at].key}"]}
                for at in part.measures
            ],
        }
        for part in scoring.dimensions
    ]


@requires(GET="health.view")
def risk_list_page(request: HttpRequest) -> HttpResponse:
    """Accounts on which a trigger stands, with time and reason, the most pressing first, fifty at a time."""
    user, today = request.user, timezone.localdate()
    rows, page = _page(user, today, request.GET.get("page", ""))
    risks = risks_of(user, {account: rank for account, rank, _total in rows}, on=today)
    return render(request, "health/risk_list.html", {"risks": risks, "page": page})


def _page(user: Any, today: date, asked: str) -> tuple[list[Any], Page[int]]:
    """The rows of the page asked for, which tell how many there are; those of the first where there is no such page.

    Every account is weighed for them, so they are kept until something they follow from changes.
    """
    number = max(int(asked), 1) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    start = (number - 1) * RISKS_ON_PAGE
    ranked = at_risk(user, on=today)[start : start + RISKS_ON_PAGE]
    rows = kept_while_unchanged(("risks", seen_as(user), today, number, *standing_state()), lambda: list(ranked))
    if start and not rows:
        return _page(user, today, "1")
    return rows, Paginator(range(rows[0][2] if rows else 0), RISKS_ON_PAGE).get_page(number)


@requires(GET="health.view", POST="health.view")
def trigger_simulator(request: HttpRequest, key: str) -> HttpResponse:
    """Try a trigger on an account as it is (``?account=``), or on facts typed in; ``?draft=1`` its draft."""
    trigger = get_object_or_404(Trigger, key=key)
    version = trigger.versions.first()
    definition = version.definition if version else trigger.draft
    if request.GET.get("draft") == "1" and trigger.draft:
        definition = trigger.draft
    if definition is None:
        raise Http404
    condition = definition["condition"]
    form = FactsForm(request.POST or None, condition=condition)
    answer: dict[str, Any] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer = simulate_trigger(definition, form.figures())
        except InputsRefused as refused:
            form.refuse(refused.refusals)
    asked = OnAccountForm(request.GET if "account" in request.GET else None, accounts=_accounts(request))
    context = {
        "trigger": trigger,
        "words": in_words(condition),
        "form": form,
        "answer": answer,
        "asked": asked,
        "why": None,
        "is_draft": definition is trigger.draft,
    }
    if asked.is_valid():
        account, zone = asked.cleaned_data["account"], request.user.workspace_settings.timezone
        why = why_on(trigger, definition, account, at=timezone.now(), zone=zone)
        context |= {"account": account, "why": why}
    return render(request, "health/trigger_simulator.html", context, status=422 if form.errors else 200)


def _accounts(request: HttpRequest) -> AccountQuerySet:
    return Account.objects.visible_to(request.user).unarchived()


@requires(POST="accounts.edit")
def event_record(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Note on an account that something happened which triggers wait for; back to where the form stood."""
    account = get_object_or_404(Account.objects.visible_to(request.user), pk=account_id)
    if not Account.objects.editable_by(request.user).filter(pk=account.pk).exists():
        return HttpResponse("You may see this account and not change it.", status=403, content_type="text/plain")
    note = request.POST.get("note", "").strip()[:500]
    try:
        record_event(
            account, request.POST.get("event", ""), timezone.now(), {"note": note} if note else {}, actor=request.user
        )
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, "Noted. Triggers look at it within a minute.")
    return redirect("accounts:account-health", account.pk)
