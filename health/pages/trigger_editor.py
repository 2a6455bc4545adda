"""The trigger editor: a rule as one form that works without JavaScript. It keeps a draft; nothing fires by it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import requires
from health.actions import draft_trigger
from health.actions.rules import STALE_DRAFT
from health.automation import editor
from health.automation.editor import CONDITION, JOINS, RELEASE, Form
from health.conditions import HEALTH_BAND, HEALTH_CHANGE, HEALTH_SCORE
from health.differences import fingerprint
from health.errors import DefinitionRefused
from health.models import Trigger
from health.pages.refusals import in_form_words
from health.queries.vocabulary import Vocabulary, vocabulary
from health.validation import Problem, trigger_problems
from health.wording import in_words, inside
from playbooks.choices import CtaKind, Priority

UNPROCESSABLE = 422
# What the form calls a field of the definition.
LABELS = {
    "name": "Name, which is the CTA's title",
    "hold_days": "Must hold for, days",
    "reentry_max": "At most, times",
    "reentry_days": "within, days",
    "duplicate_key": "Duplicate key",
    "cta_kind": "Kind",
    "priority": "Priority",
    "playbook": "Tasks",
    "owner": "Owner",
    "due_days": "Due in, days",
    "raises": "Records the event",
    "actions": "Steps, one a line",
    # Of a test.
    "metric": "What",
    "event": "Event",
    "absent": "Event",
    "segment": "Segment",
    "op": "How",
    "value": "Value",
    "days": "Days",
    "window_days": "Days",
}
_EMPTY: dict[str, Any] = {"actions": []}


@requires(GET="health.configure", POST="health.configure")
def trigger_new(request: HttpRequest) -> HttpResponse:
    """A trigger of the workspace's own: it is kept as a draft and rests until it is put in force."""
    return _editor(request, None, _EMPTY)


@requires(GET="health.configure", POST="health.configure")
def trigger_edit(request: HttpRequest, key: str) -> HttpResponse:
    """The draft of a trigger, which begins as the version in force."""
    trigger = get_object_or_404(Trigger, key=key)
    version = trigger.versions.first()
    return _editor(request, trigger, trigger.draft or (version.definition if version else _EMPTY))


def _editor(request: HttpRequest, trigger: Trigger | None, base: dict[str, Any]) -> HttpResponse:
    words = vocabulary()
    if request.method != "POST":
        form = editor.from_definition(base)
        if form is None:
            messages.error(request, "Its condition is nested deeper than the editor shows. Change it through the API.")
            return redirect("health:trigger-detail", trigger.key if trigger else "")
        return _draw(request, trigger, form, words, [], base=base)
    do = request.POST.get("do", "")
    form = editor.read(request.POST, dict(request.POST.lists()), words.metrics)
    form = editor.after(form, do)
    if do not in {"save", "check"}:
        return _draw(request, trigger, form, words, [], base=base)
    definition = editor.definition_of(form, base, words.segments)
    if trigger is not None:
        definition["key"] = trigger.key
    if do == "check":
        problems = trigger_problems({**definition, "key": definition.get("key", "new")})
        return _draw(request, trigger, form, words, problems, base=base, is_checked=not problems)
    try:
        if request.POST.get("seen", "") not in {"", fingerprint(base)}:
            raise RuleViolated("stale", STALE_DRAFT)
        kept = draft_trigger(trigger, definition=definition, seen=base, actor=request.user, at=timezone.now())
    except DefinitionRefused as refused:
        return _draw(request, trigger, form, words, list(refused.problems), base=base)
    except RuleViolated as broken:
        return _draw(request, trigger, form, words, [Problem(f"/{broken.field}", broken.rule, str(broken))], base=base)
    messages.success(request, "Kept as a draft. Look at what it would do, then put it in force.")
    url = reverse("health:trigger-detail", args=[kept.key])
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


def _draw(
    request: HttpRequest,
    trigger: Trigger | None,
    form: Form,
    words: Vocabulary,
    problems: list[Problem],
    *,
    base: dict[str, Any],
    is_checked: bool = False,
) -> HttpResponse:
    problems = [each._replace(detail=in_form_words(each, LABELS)) for each in problems]
    context = {
        "trigger": trigger,
        "labels": LABELS,
        "fields": form.fields,
        "join": form.condition["join"],
        "joins": list(JOINS.items()),
        "groups": editor.drawn(form.condition, CONDITION, words.metrics, problems),
        "release": editor.drawn(form.release, RELEASE, words.metrics, problems),
        "whats": _whats(words, form),
        "kinds": [("", "As the group says"), *CtaKind.choices],
        "priorities": [("", "As the band says"), *Priority.choices],
        "playbooks": [("", "The steps below"), *words.playbooks.items()],
        "people": [("", "The account's owner"), *words.people.items()],
        "events": list(words.events.items()),
        "problems": problems,
        "wrong": {each.pointer.strip("/").replace("/", "_"): each.detail for each in problems},
        "is_checked": is_checked,
        "sentence": _sentence(form, words),
        "seen": request.POST.get("seen") or (fingerprint(base) if base else ""),
        "action": request.path,
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = "health/_trigger_builder.html" if partial else "health/trigger_edit.html"
    response = render(request, template, context, status=UNPROCESSABLE if problems else 200)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _sentence(form: Form, words: Vocabulary) -> str:
    """When the rule as it stands would fire; nothing while its condition is not whole."""
    definition = {**editor.definition_of(form, {}, words.segments), "key": "typed"}
    if any(problem.pointer.startswith(("/condition", "/release")) for problem in trigger_problems(definition)):
        return ""
    release = f"; released when {in_words(definition['release'], words.names)}" if "release" in definition else ""
    return f"Fires when {in_words(definition['condition'], words.names)}{release}."


def _whats(words: Vocabulary, form: Form) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a test may ask about, under headings; also what this form asks about though it is not there."""
    own = (HEALTH_BAND, HEALTH_SCORE, HEALTH_CHANGE)
    offered = [
        ("Health", [(f"metric:{key}", words.metrics[key].label) for key in own]),
        ("Events", [*((f"event:{key}", name) for key, name in words.events.items()), ("event:", "Another event…")]),
        ("Silence", [*((f"absent:{key}", f"No {inside(name)}") for key, name in words.silences.items()),
                     ("absent:", "No other event…")]),
        ("Segments", [(f"segment:{key}", f"In {name}") for key, name in words.segments.items()]),
        ("Figures", [(f"metric:{key}", each.label) for key, each in words.metrics.items() if key not in own]),
    ]  # fmt: skip
    known = {key for _, pairs in offered for key, _ in pairs}
    rules = [form.condition, *([form.release] if form.release else [])]
    tests = [test for rule in rules for group in rule["groups"] for test in group["tests"]]
    missing = {
        _what(test): in_words({**test, "value": test.get("value", "")}) for test in tests if _what(test) not in known
    }
    return [*offered, *([("Not there", list(missing.items()))] if missing else [])]


def _what(test: dict[str, Any]) -> str:
    kind = next(kind for kind in ("event", "absent", "segment", "metric") if kind in test)
    return f"{kind}:{test[kind]}"
