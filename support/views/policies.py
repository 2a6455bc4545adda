"""Service levels: which there are and what they promise, their editor, versions, and open deadlines counted again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actions.keys import free_key
from accounts.errors import RuleViolated
from accounts.models import WorkCalendar
from accounts.policy import may, requires
from support import actions, tasks
from support.actions.policies import content_of
from support.choices import Channel
from support.forms.policies import ClockSettingsForm, PolicyForm, initial_of
from support.models import SlaPolicy
from support.queries import service_levels as queries
from support.queries.preview import Preview
from support.trying import preview_policy

CLOCK_SETTINGS = (
    "pause_on_customer", "pause_on_vendor", "reopen_days", "close_after_days", "remind_after_days", "solve_after_days",
    "warn_at", "customers_see_deadlines",
)  # fmt: skip
# Words of addresses that stand where a service level's key does.
RESERVED = {"new", "matrix", "recounts", "settings", "try", "clocks"}
FOLLOWS = "Open deadlines are being counted again."


@requires(GET="tickets.view")
def policy_list(request: HttpRequest) -> HttpResponse:
    """Every service level with what it promises for each severity; the workspace's own apart from packs'."""
    policies = list(queries.policies_shown())
    context = {
        "groups": queries.grouped(policies),
        "any": bool(policies),
        "run": next(iter(queries.recounts(1)), None),
        "may_configure": may(request.user, "support.configure"),
    }
    return render(request, "support/policy_list.html", context)


@requires(GET="tickets.view")
def policy_detail(request: HttpRequest, key: str) -> HttpResponse:
    """One service level: for whom, what it promises, what it promised before, and how many tickets it holds for."""
    policy = _policy(key)
    context = {
        "policy": policy,
        "versions": policy.versions.all(),
        "may_configure": may(request.user, "support.configure"),
    }
    return render(request, "support/policy.html", context)


@requires(GET="support.configure", POST="support.configure")
def policy_create(request: HttpRequest) -> HttpResponse:
    """Write a service level of the workspace's own, perhaps beginning with another's promises (``?copy=key``)."""
    copied = queries.policy_called(request.GET.get("copy", "")[:80])
    content = content_of(copied.versions.all()[0]) if copied else None
    more = [rule["severity"] for rule in content["rules"]] if content else []
    form = PolicyForm(request.POST or None, more=more)
    if content:
        form.initial = initial_of(content, list(form.severities)) | {"name": copied.name, "tiers": copied.tier_keys}
    else:
        form.initial = {"calendar": WorkCalendar.objects.values_list("key", flat=True).first()}
    if form.is_bound and form.is_valid():
        values, given = form.values(), {"actor": request.user, "at": timezone.now()}
        made: list[SlaPolicy] = []
        key = free_key(SlaPolicy.objects, values["name"], limit=70, otherwise="service-level", reserved=RESERVED)
        if _run(form, lambda: made.append(actions.create_policy(key=key, **values, **given))):
            messages.success(request, f"{made[0].name} is saved. It holds for tickets opened from now on.")
            return redirect("support:policy-detail", made[0].key)
    return _editor(request, form, copied=copied)


@requires(GET="support.configure", POST="support.configure")
def policy_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a service level; first look at which open deadlines would move, then apply."""
    policy = _own(key)
    content = content_of(policy.versions.all()[0])
    form = PolicyForm(request.POST or None, more=[rule["severity"] for rule in content["rules"]])
    form.initial = initial_of(content, list(form.severities)) | {
        "name": policy.name, "position": policy.position, "tiers": policy.tier_keys, "channels": policy.channels,
    }  # fmt: skip
    looked: list[Preview] = []
    if form.is_bound and form.is_valid():
        values = form.values()
        values["rules"] = _kept_actions(values["rules"], content["rules"])
        if request.POST.get("step") == "preview":
            _run(form, lambda: looked.append(preview_policy(policy, values, at=timezone.now())))
        elif _run(form, lambda: _change(request, policy, **values)):
            messages.success(request, f"{policy.name} is saved. {FOLLOWS}")
            return redirect("support:policy-detail", policy.key)
    return _editor(request, form, policy=policy, preview=looked[0] if looked else None)


def _editor(request: HttpRequest, form: PolicyForm, **context: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "support/policy_form.html", {"form": form, **context}, status=status)


@requires(POST="support.configure")
def policy_switch(request: HttpRequest, key: str) -> HttpResponse:
    """Put a service level in force or out of it for tickets to come."""
    policy = _policy(key)
    wanted = request.POST.get("on") == "1"
    _change(request, policy, is_enabled=wanted)
    state = "in force" if wanted else "out of force; tickets that have it keep it"
    messages.success(request, f"{policy.name} is {state}.")
    return redirect("support:policy-detail", policy.key)


@requires(POST="support.configure")
def policy_restore(request: HttpRequest, key: str) -> HttpResponse:
    """Promise again what an earlier version did."""
    policy = _policy(key)
    number = request.POST.get("number", "")
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    try:
        actions.restore_policy(policy, int(number) if number.isdecimal() and len(number) < 6 else 0, **given)
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        follow()
        messages.success(request, f"Version {number} holds again, as a new version. {FOLLOWS}")
    return redirect("support:policy-detail", policy.key)


@requires(POST="support.configure")
def policy_retire(request: HttpRequest, key: str) -> HttpResponse:
    """Promise it to no new ticket any more."""
    policy = _policy(key)
    try:
        actions.retire_policy(policy, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return redirect("support:policy-detail", policy.key)
    messages.success(request, f"{policy.name} is promised to no new ticket. Those that have it keep it.")
    return redirect("support:policy-list")


@requires(GET="tickets.view")
def policy_matrix(request: HttpRequest) -> HttpResponse:
    """What a new ticket of each tier and severity is promised, by the way it reaches us."""
    channel = request.GET.get("channel", "")
    channel = channel if channel in Channel.values else Channel.EMAIL.value
    context = {"rows": queries.matrix(channel), "channel": channel, "channels": Channel.choices}
    return render(request, "support/policy_matrix.html", context)


@requires(GET="tickets.view")
def recounts(request: HttpRequest) -> HttpResponse:
    """How far open deadlines are counted again, and the last times; htmx gets the list alone while one runs."""
    runs = queries.recounts()
    context = {"runs": runs, "working": any(run.finished_at is None for run in runs[:1])}
    partial = request.htmx  # type: ignore[attr-defined]
    return render(request, "support/_recounts.html" if partial else "support/recounts.html", context)


@requires(GET="support.configure", POST="support.configure")
def clock_settings(request: HttpRequest) -> HttpResponse:
    """When clocks wait, go on, warn and end, where a service level says nothing else."""
    row = actions.settings_shown()
    form = ClockSettingsForm(request.POST or None, initial={name: getattr(row, name) for name in CLOCK_SETTINGS})
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if form.is_bound and form.is_valid() and form.run(lambda: actions.configure_clocks(form.cleaned_data, **given)):
        follow()
        messages.success(request, f"Saved. {FOLLOWS}")
        return redirect("support:clock-settings")
    return render(request, "support/clock_settings.html", {"form": form}, status=422 if form.is_bound else 200)


def _policy(key: str) -> SlaPolicy:
    policy = queries.policy_called(key)
    if policy is None:
        raise Http404
    return policy


def _own(key: str) -> SlaPolicy:
    """A service level of the workspace's own; a pack's is copied and not edited."""
    policy = _policy(key)
    if policy.pack or policy.retired_at:
        raise Http404
    return policy


def _change(request: HttpRequest, policy: SlaPolicy, **values: Any) -> None:
    user: Any = request.user
    actions.change_policy(policy, actor=user, at=timezone.now(), **values)
    follow()


def follow() -> None:
    """Count open deadlines again once this is committed; the beat would, some seconds later."""
    transaction.on_commit(tasks.follow_calendars.delay)


def _run(form: PolicyForm, act: Any) -> bool:
    """Call ``act``; what a rule refuses stands at the field of the promise it is about."""
    try:
        act()
    except RuleViolated as broken:
        name = form.field_of(broken.field)
        form.add_error(name if name in form.fields else None, str(broken))
        return False
    return True


def _kept_actions(rules: list[dict[str, Any]], before: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """``rules`` with promises of a first action, which the editor does not show, as they were."""
    kept = {rule["severity"]: rule.get("first_action") for rule in before}
    return [{**rule, "first_action": kept.get(rule["severity"])} for rule in rules]
