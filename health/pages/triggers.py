"""Triggers: what they say and where they stand, the checker's findings, drafts, and what holds for all of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from health.actions import (
    activate_draft,
    change_policy,
    discard_draft_of,
    enable_trigger,
    reset_trigger,
)
from health.automation.checker import about
from health.models import Trigger, TriggerPolicy, TriggerState
from health.pages.automation import asked_for
from health.queries.vocabulary import Vocabulary, checked, vocabulary
from health.wording import Names, event_in_words, in_words
from playbooks.choices import CtaKind, Priority


@requires(GET="health.view")
def trigger_list(request: HttpRequest) -> HttpResponse:
    """Every trigger in words, on how many visible accounts it stands, and what the checker says. Eight queries."""
    triggers = list(Trigger.objects.prefetch_related("versions"))
    standing = dict(
        TriggerState.objects.visible_to(request.user)
        .filter(is_active=True)
        .order_by()
        .values_list("trigger")
        .annotate(n=Count("pk"))
    )
    words = vocabulary()
    found = checked(words)
    rows = [
        {
            "trigger": trigger,
            "words": _condition(trigger, words.names),
            "standing": standing.get(trigger.pk, 0),
            "findings": len(about(trigger.key, found)),
        }
        for trigger in triggers
    ]
    context = {"rows": rows, "findings": found, "may_configure": may(request.user, "health.configure")}
    return render(request, "health/trigger_list.html", context)


def _condition(trigger: Trigger, names: Names) -> str:
    versions = list(trigger.versions.all())
    definition = versions[0].definition if versions else trigger.draft
    return in_words(definition["condition"], names) if definition else ""


@requires(GET="health.view", POST="health.configure")
def trigger_detail(request: HttpRequest, key: str) -> HttpResponse:
    """A trigger: its condition, what it opens, where it stands, its draft, versions and findings; POST acts."""
    trigger = get_object_or_404(Trigger.objects.select_related("draft_by"), key=key)
    if request.method == "POST":
        return _act(request, trigger)
    versions = list(trigger.versions.select_related("created_by"))
    version = versions[0] if versions else None
    definition = version.definition if version else trigger.draft
    if definition is None:
        raise Http404
    words = vocabulary()
    context = {
        "trigger": trigger,
        "version": version,
        "words": in_words(definition["condition"], words.names),
        "does": facts_of(definition, words),
        "definition": definition,
        "draft_words": in_words(trigger.draft["condition"], words.names) if trigger.draft else "",
        "draft_does": facts_of(trigger.draft, words) if trigger.draft else (),
        "findings": about(key, checked(words, draft_of=trigger)),
        "standing": TriggerState.objects.visible_to(request.user)
        .filter(trigger=trigger, is_active=True)
        .select_related("account")
        .order_by("-fired_at", "pk")[:50],
        "versions": versions,
        "can_reset": bool(
            version and not version.origin and (trigger.shipped or any(each.origin for each in versions))
        ),
        "may_configure": may(request.user, "health.configure"),
    }
    return render(request, "health/trigger_detail.html", context)


def facts_of(definition: Any, words: Vocabulary) -> list[tuple[str, str]]:
    """What a definition says besides its condition, as terms and words."""
    kinds, priorities = dict(CtaKind.choices), dict(Priority.choices)
    pairs = [
        ("Released when", in_words(definition["release"], words.names) if definition.get("release") else ""),
        ("Held for", _days(definition.get("hold_days"))),
        ("At most", _cap(definition)),
        ("Kind", kinds.get(definition.get("cta_kind"), "")),
        ("Priority", priorities.get(definition.get("priority"), "")),
        ("Playbook", words.playbooks.get(definition.get("playbook"), definition.get("playbook") or "")),
        ("Owner", words.people.get(definition.get("owner"), definition.get("owner") or "")),
        ("Due in", _days(definition.get("due_days"))),
        ("Duplicate key", definition.get("duplicate_key") or ""),
        ("Records the event", event_in_words(definition.get("raises") or "", words.names)),
        ("Quiet hours", "Does not keep them" if definition.get("ignores_quiet_hours") else ""),
    ]
    return [(term, str(told)) for term, told in pairs if told]


def _days(number: int | None) -> str:
    return f"{number} day{'' if number == 1 else 's'}" if number else ""


def _cap(definition: Any) -> str:
    if not definition.get("reentry_max"):
        return ""
    return f"{definition['reentry_max']} in {_days(definition['reentry_days'])}"


def _act(request: HttpRequest, trigger: Trigger) -> HttpResponse:
    """Switch a trigger, put its draft in force or through a dry run, throw it away, or go back to the methodology's."""
    do, now, actor = request.POST.get("do", ""), timezone.now(), request.user
    if do == "dry-run":
        return asked_for(request, trigger)
    try:
        if do in {"on", "off"}:
            enable_trigger(trigger, is_enabled=do == "on", actor=actor, at=now)
            messages.success(
                request, "The trigger is on." if do == "on" else "The trigger rests. What it opened stays."
            )
        elif do == "activate":
            version = activate_draft(trigger, actor=actor, at=now)
            messages.success(request, f"Version {version.number} is in force from the next run.")
        elif do == "discard":
            if not discard_draft_of(trigger, actor=actor, at=now):
                messages.success(request, "The draft is gone, and the trigger with it: it had never been in force.")
                return redirect("health:trigger-list")
            messages.success(request, "The draft is gone.")
        elif do == "reset":
            reset_trigger(trigger, actor=actor, at=now)
            messages.success(request, "It is what the methodology brought. Its upgrades come in again.")
        else:
            raise Http404
    except RuleViolated as broken:
        messages.error(request, str(broken))
    return redirect("health:trigger-detail", trigger.key)


class PolicyForm(forms.ModelForm):
    """Quiet hours and caps."""

    class Meta:
        model = TriggerPolicy
        fields = ("quiet_from", "quiet_until", "quiet_weekends", "account_max", "account_days")
        labels = {
            "quiet_from": "Quiet from",
            "quiet_until": "Quiet until",
            "quiet_weekends": "Saturday and Sunday are quiet",
            "account_max": "CTAs of triggers per account",
            "account_days": "in so many days",
        }
        help_texts = {
            "quiet_from": "In the workspace's time zone. Empty: no quiet hours.",
            "quiet_until": "Earlier than the beginning: the next morning.",
            "account_max": "Over all triggers. Empty: no cap. The most pressing priority goes first.",
            "account_days": "",
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def _post_clean(self) -> None:
        """The rules between fields are the action's: it names the field."""


@requires(GET="health.configure", POST="health.configure")
def policy(request: HttpRequest) -> HttpResponse:
    """Quiet hours and caps of the workspace."""
    kept = TriggerPolicy.objects.first() or TriggerPolicy()
    form = PolicyForm(request.POST or None, instance=kept)
    if request.method == "POST" and form.is_valid():
        try:
            change_policy(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except RuleViolated as broken:
            form.add_error(broken.field if broken.field in form.fields else None, str(broken))
        else:
            messages.success(request, "Quiet hours and caps are kept from the next run on.")
            return redirect("health:automation-limits")
    return render(request, "health/trigger_limits.html", {"form": form}, status=422 if form.errors else 200)
