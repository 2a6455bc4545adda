"""Scorecards, triggers and their simulators."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Account
from accounts.policy import may, requires
from health.actions import activate_version, draft_version, enable_trigger, record_event
from health.cards import compiled
from health.choices import VersionState
from health.conditions import in_words, metrics_of
from health.errors import DefinitionRefused
from health.forms import FactsForm, ScorecardInputsForm, VersionForm
from health.models import Scorecard, ScorecardVersion, Trigger, TriggerState
from health.queries.risks import risk_list
from health.scoring import decimal, millionths
from health.simulation import InputsRefused, simulate_scorecard, simulate_trigger


@requires(GET="health.view")
def scorecard_list(request: HttpRequest) -> HttpResponse:
    """Every scorecard with its running version and how many accounts it scores. Three queries."""
    cards = Scorecard.objects.annotate(
        active=Max("versions__number", filter=Q(versions__state=VersionState.ACTIVE)),
        drafts=Count("versions", filter=Q(versions__state=VersionState.DRAFT)),
    ).order_by("-is_default", "name")
    return render(request, "health/scorecard_list.html", {"cards": cards})


@requires(GET="health.view", POST="health.configure")
def scorecard_detail(request: HttpRequest, key: str) -> HttpResponse:
    """One version of a scorecard, the running one unless ``?version=`` says another; POST activates a draft."""
    card = get_object_or_404(Scorecard, key=key)
    version = _version_of(card, request.GET.get("version", ""))
    if request.method == "POST":
        try:
            activate_version(version, actor=request.user, at=timezone.now())
        except RuleViolated as broken:
            messages.error(request, str(broken))
        else:
            messages.success(request, f"Version {version.number} scores from the next run on.")
        return redirect("health:scorecard-detail", key)
    context = {
        "card": card,
        "version": version,
        "dimensions": _dimensions(version),
        "bands": _bands(version),
        "flags": [(flag["key"], in_words(flag["condition"])) for flag in version.definition.get("red_flags", [])],
        "versions": card.versions.select_related("created_by"),
        "may_configure": may(request.user, "health.configure"),
    }
    return render(request, "health/scorecard_detail.html", context)


def _version_of(card: Scorecard, wanted: str) -> ScorecardVersion:
    """The version asked for, else the running one, else the newest. Raises Http404."""
    versions = card.versions.select_related("scorecard")
    if wanted:
        if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 6:
            raise Http404
        return get_object_or_404(versions, number=int(wanted))
    found = versions.filter(state=VersionState.ACTIVE).first() or versions.first()
    if found is None:
        raise Http404
    return found


def _dimensions(version: ScorecardVersion) -> list[dict[str, Any]]:
    """Dimensions with their weights in per cent and each measure with its formula in words."""
    card = compiled(version).card
    whole = sum(part.weight for part in card.dimensions)
    return [
        {
            "name": part.name,
            "percent": decimal(millionths(part.weight * 100 / whole)),
            "measures": [
                {
                    "name": card.measures[at].name,
                    "most": decimal(millionths(card.measures[at].max_points)),
                    "formula": card.measures[at].formula,
                    "inputs": card.measures[at].inputs,
                    "weight": decimal(millionths(card.measures[at].weight)),
                }
                for at in part.measures
            ],
        }
        for part in card.dimensions
    ]


def _bands(version: ScorecardVersion) -> list[dict[str, Any]]:
    """Bands with both edges: each begins at its lower edge and ends before the next better one's."""
    above = None
    bands = []
    for item in version.definition["bands"]:
        span = f"{item['min']} and over" if above is None else f"{item['min']} to under {above}"
        bands.append({**item, "span": span})
        above = item["min"]
    return bands


@requires(GET="health.configure", POST="health.configure")
def scorecard_draft(request: HttpRequest, key: str) -> HttpResponse:
    """Write a new version of a scorecard, beginning with the present one; it scores nothing until it is activated."""
    card = get_object_or_404(Scorecard, key=key)
    version = _version_of(card, "")
    initial = {"definition": json.dumps(version.definition, indent=1, ensure_ascii=False)}
    form = VersionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            draft = draft_version(
                card, definition=data["definition"], note=data["note"], actor=request.user, at=timezone.now()
            )
        except DefinitionRefused as refused:
            for problem in refused.problems[:20]:
                form.add_error("definition", f"{problem.pointer or '/'}: {problem.detail}")
        except RuleViolated as broken:
            form.add_error(None, str(broken))
        else:
            messages.success(request, f"Version {draft.number} is a draft. Try it, then activate it.")
            return redirect(f"{request.path.removesuffix('draft/')}?version={draft.number}")
    context = {"card": card, "form": form}
    return render(request, "health/scorecard_draft.html", context, status=422 if form.errors else 200)


@requires(GET="health.view", POST="health.view")
def scorecard_simulator(request: HttpRequest, key: str) -> HttpResponse:
    """Try a scorecard on figures typed in. Nothing is stored."""
    card = get_object_or_404(Scorecard, key=key)
    version = _version_of(card, request.GET.get("version", ""))
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
def trigger_list(request: HttpRequest) -> HttpResponse:
    """Every trigger with its condition in words and on how many visible accounts it stands. Three queries."""
    triggers = list(Trigger.objects.prefetch_related("versions"))
    standing = dict(
        TriggerState.objects.visible_to(request.user)
        .filter(is_active=True)
        .order_by()
        .values_list("trigger")
        .annotate(n=Count("pk"))
    )
    rows = [
        {"trigger": trigger, "words": _condition(trigger), "standing": standing.get(trigger.pk, 0)}
        for trigger in triggers
    ]
    return render(request, "health/trigger_list.html", {"rows": rows})


def _condition(trigger: Trigger) -> str:
    versions = list(trigger.versions.all())
    return in_words(versions[0].definition["condition"]) if versions else ""


@requires(GET="health.view")
def risk_list_page(request: HttpRequest) -> HttpResponse:
    """Accounts on which a trigger stands, with time and reason, the most pressing first."""
    return render(request, "health/risk_list.html", {"risks": risk_list(request.user, on=timezone.localdate())})


@requires(GET="health.view", POST="health.configure")
def trigger_detail(request: HttpRequest, key: str) -> HttpResponse:
    """A trigger: its condition, actions, where it stands and its versions; POST switches it on or off."""
    trigger = get_object_or_404(Trigger, key=key)
    if request.method == "POST":
        is_enabled = request.POST.get("enabled") == "1"
        enable_trigger(trigger, is_enabled=is_enabled, actor=request.user, at=timezone.now())
        messages.success(request, "The trigger is on." if is_enabled else "The trigger rests. What it opened stays.")
        return redirect("health:trigger-detail", key)
    version = trigger.versions.first()
    if version is None:
        raise Http404
    standing = (
        TriggerState.objects.visible_to(request.user)
        .filter(trigger=trigger, is_active=True)
        .select_related("account")
        .order_by("-fired_at", "pk")[:50]
    )
    context = {
        "trigger": trigger,
        "version": version,
        "words": in_words(version.definition["condition"]),
        "standing": standing,
        "versions": trigger.versions.select_related("created_by"),
        "may_configure": may(request.user, "health.configure"),
    }
    return render(request, "health/trigger_detail.html", context)


@requires(GET="health.view", POST="health.view")
def trigger_simulator(request: HttpRequest, key: str) -> HttpResponse:
    """Try a trigger on facts typed in. Nothing is stored."""
    trigger = get_object_or_404(Trigger, key=key)
    version = trigger.versions.first()
    if version is None:
        raise Http404
    condition = version.definition["condition"]
    form = FactsForm(request.POST or None, condition=condition)
    answer: dict[str, Any] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer = simulate_trigger(version.definition, form.figures())
        except InputsRefused as refused:
            form.refuse(refused.refusals)
    context = {"trigger": trigger, "words": in_words(condition), "form": form, "answer": answer}
    return render(request, "health/trigger_simulator.html", context, status=422 if form.errors else 200)


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
