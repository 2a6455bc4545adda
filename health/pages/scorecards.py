"""Scorecards: what they say, for whom they are, editing a draft, and what differs between two versions."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from health.actions import activate_version, change_draft, create_scorecard, draft_version, use_scorecard
from health.cards import compiled
from health.choices import VersionState
from health.differences import differences, fingerprint
from health.editing import (
    POINTER,
    changed,
    definition_of,
    doubled_options,
    fields_of,
    with_figure_keys,
    with_figure_names,
    with_keys,
)
from health.errors import DefinitionRefused
from health.forms import CopyForm, VersionForm
from health.models import Scorecard, ScorecardVersion
from health.pages.editor import Editor
from health.pages.what_if import what_if
from health.queries.preview import preview_of
from health.queries.usage import metric_names, scored_by, segments_in_use, usage_of
from health.scoring import decimal, millionths
from health.validation import Problem, scorecard_problems
from health.wording import in_words

MOST_FIELDS_SHOWN = 60


@requires(GET="health.view")
def scorecard_list(request: HttpRequest) -> HttpResponse:
    """Every scorecard with its running version and how many accounts it scores, and why. Three queries."""
    return render(
        request,
        "health/scorecard_list.html",
        {"cards": scored_by(), "may_configure": may(request.user, "health.configure")},
    )


@requires(GET="health.view", POST="health.configure")
def scorecard_detail(request: HttpRequest, key: str) -> HttpResponse:
    """One version of a scorecard, the running one unless ``?version=`` says another; POST activates a draft."""
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    if request.method == "POST":
        activated(request, version)
        return redirect("health:scorecard-detail", key)
    context = {
        "card": card,
        "version": version,
        "dimensions": _dimensions(version),
        "bands": _bands(version),
        "flags": [(flag["key"], in_words(flag["condition"])) for flag in version.definition.get("red_flags", [])],
        "versions": card.versions.select_related("created_by"),
        "active": card.versions.filter(state=VersionState.ACTIVE).values_list("number", flat=True).first(),
        "policy": _policy(version),
        "may_configure": may(request.user, "health.configure"),
    }
    return render(request, "health/scorecard_detail.html", context)


def activated(request: HttpRequest, version: ScorecardVersion) -> bool:
    """Activate a draft and tell how it went."""
    try:
        activate_version(version, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return False
    messages.success(request, f"Version {version.number} is live. Every account is scored by it within a minute.")
    return True


def version_of(card: Scorecard, wanted: str) -> ScorecardVersion:
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


def _policy(version: ScorecardVersion) -> dict[str, Any]:
    """How the version treats what is missing and what is old."""
    card = compiled(version).card
    return {
        "least": decimal(millionths(card.least_coverage * 100)),
        "days": card.max_age_days,
        "stale_counts": card.stale_counts,
    }


@requires(GET="health.configure", POST="health.configure")
def scorecard_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a draft (``?version=``), or make a new one beginning with the running version."""
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    if request.method != "POST":
        return _editor(request, card, version, version.definition, note=_note_of(version))
    names = metric_names()
    typed = with_figure_keys({name: text for name, text in request.POST.items() if POINTER.fullmatch(name)}, names)
    definition, note = definition_of(typed), request.POST.get("note", "").strip()[:200]
    command = request.POST.get("do", "save")
    if command not in {"save", "check", "what_if"}:
        definition, focus = changed(definition, command)
        return _editor(request, card, version, definition, note=note, focus=focus)
    definition = with_keys(definition)
    problems = [Problem(at, "duplicate", f"the option {key} is there already") for at, key in doubled_options(typed)]
    problems += scorecard_problems(definition)
    if command == "what_if":
        return render(request, "health/_edit_what_if.html", _what_if(request, card, definition, problems))
    if problems or command == "check":
        return _editor(
            request, card, version, definition, note=note, problems=problems, typed=typed if problems else None
        )
    try:
        draft = _kept(card, version, definition, note, request)
    except RuleViolated as broken:
        return _editor(request, card, version, definition, note=note, refused=str(broken), typed=typed)
    messages.success(request, f"Version {draft.number} is kept as a draft. Look at what it would do, then activate it.")
    return redirect(f"/health/scorecards/{card.key}/preview/?version={draft.number}")


def _note_of(version: ScorecardVersion) -> str:
    return version.note if version.state == VersionState.DRAFT else ""


def _kept(
    card: Scorecard, version: ScorecardVersion, definition: dict[str, Any], note: str, request: HttpRequest
) -> ScorecardVersion:
    """The draft changed, or a new one where the version began as something else."""
    now = timezone.now()
    if version.state != VersionState.DRAFT:
        return draft_version(card, definition=definition, note=note, actor=request.user, at=now)
    if request.POST.get("seen") != fingerprint(version.definition):
        raise RuleViolated("stale", "Somebody changed this draft in the meantime. Load it again to see their change.")
    return change_draft(version, definition=definition, note=note, seen=version.definition, actor=request.user, at=now)


def _what_if(
    request: HttpRequest, card: Scorecard, definition: dict[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """What the definition as typed would do to every account; with ``problems`` nothing can be said yet."""
    if problems:
        return {"problems": Editor(fields_of(definition), problems, method=str(definition.get("method", ""))).summary}
    typed = ScorecardVersion(scorecard=card, number=0, definition=definition, state=VersionState.DRAFT)
    return what_if(preview_of(typed, request.user, at=timezone.now()))


def _editor(
    request: HttpRequest,
    card: Scorecard,
    version: ScorecardVersion,
    definition: dict[str, Any],
    *,
    note: str,
    focus: str = "",
    problems: list[Any] | None = None,
    refused: str = "",
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    """The form; with problems the very text that was typed stands in it."""
    names = metric_names()
    fields = with_figure_names({**fields_of(definition), **(typed or {})}, names)
    editor = Editor(fields, problems or [], method=str(definition.get("method", "")), focus=focus)
    context = {
        "card": card,
        "version": version,
        "editor": editor,
        "problems": editor.summary[:MOST_FIELDS_SHOWN],
        "checked": problems == [] and not refused,
        **(_what_if(request, card, definition, []) if problems == [] and not refused else {}),
        "refused": refused,
        "note": note,
        "seen": request.POST.get("seen") or fingerprint(version.definition),
        "metrics": names.values(),
        "is_draft": version.state == VersionState.DRAFT,
    }
    status = 422 if problems or refused else 200
    return render(request, "health/scorecard_edit.html", context, status=status)


@requires(GET="health.configure", POST="health.configure")
def scorecard_draft(request: HttpRequest, key: str) -> HttpResponse:
    """Write a new version as JSON, beginning with the present one; it scores nothing until it is activated.

    ``?download=1`` answers the present one as a file, from which another workspace can begin a card.
    """
    card = get_object_or_404(Scorecard, key=key)
    version = version_of(card, request.GET.get("version", ""))
    if request.GET.get("download") == "1":
        return _as_file(card, version)
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
            return redirect(f"/health/scorecards/{card.key}/?version={draft.number}")
    context = {"card": card, "version": version, "form": form}
    return render(request, "health/scorecard_draft.html", context, status=422 if form.errors else 200)


def _as_file(card: Scorecard, version: ScorecardVersion) -> HttpResponse:
    text = json.dumps(version.definition, indent=1, ensure_ascii=False)
    answer = HttpResponse(text, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{card.key}-{version.number}.json"'
    return answer


@requires(GET="health.view")
def scorecard_compare(request: HttpRequest, key: str) -> HttpResponse:
    """What differs between ``?from=`` and ``?to=``, field by field; the running version against the newest else."""
    card = get_object_or_404(Scorecard, key=key)
    versions = list(card.versions.all())
    if not versions:
        raise Http404
    after = version_of(card, request.GET.get("to", "") or str(versions[0].number))
    before = version_of(card, request.GET.get("from", "") or _earlier(versions, after))
    context = {
        "card": card,
        "versions": versions,
        "before": before,
        "after": after,
        "differences": differences(before.definition, after.definition),
    }
    return render(request, "health/scorecard_compare.html", context)


def _earlier(versions: list[ScorecardVersion], after: ScorecardVersion) -> str:
    """The running version, or the one before when ``after`` is that."""
    active = [one.number for one in versions if one.state == VersionState.ACTIVE and one.pk != after.pk]
    before = [one.number for one in versions if one.number < after.number]
    return str((active or before or [after.number])[0])


class UseForm(forms.Form):
    """Which segments a scorecard is for."""

    segments = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="A segment has one scorecard."
    )
    is_default = forms.BooleanField(
        required=False, label="Default", help_text="For accounts whose segment has no scorecard of its own."
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segments"].choices = choices  # type: ignore[attr-defined]


@requires(GET="health.configure", POST="health.configure")
def scorecard_use(request: HttpRequest, key: str) -> HttpResponse:
    """For whom a scorecard is: segments, or everybody left; and which accounts it scores today."""
    card = get_object_or_404(Scorecard, key=key)
    segments = segments_in_use()
    choices = [(one.name, one.label) for one in segments]
    known = {name for name, _ in choices}
    choices += [(name, f"{name} (no accounts)") for name in card.segments if name not in known]
    form = UseForm(
        request.POST or None, choices=choices, initial={"segments": card.segments, "is_default": card.is_default}
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        # An unticked default of the default card asks for another one to be made it; the action says so.
        try:
            use_scorecard(
                card,
                segments=data["segments"],
                is_default=data["is_default"] if data["is_default"] != card.is_default else None,
                actor=request.user,
                at=timezone.now(),
            )
        except RuleViolated as broken:
            form.add_error(broken.field if broken.field in form.fields else None, str(broken))
        else:
            messages.success(request, "Kept. Accounts are scored by it within a minute.")
            return redirect("health:scorecard-use", key)
    context = {"card": card, "form": form, "segments": segments, "usage": usage_of(card)}
    return render(request, "health/scorecard_use.html", context, status=422 if form.errors else 200)


@requires(GET="health.configure", POST="health.configure")
def scorecard_create(request: HttpRequest) -> HttpResponse:
    """A scorecard of the workspace's own, as a draft that copies another card's running version or a file."""
    form = CopyForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        place = None if data["file"] is None else "file"
        begun = data["file"] if place else version_of(data["copy"], "").definition
        definition = {**begun, "key": data["key"], "name": data["name"]}
        definition.pop("default", None)
        try:
            version = create_scorecard(definition, actor=request.user, at=timezone.now())
        except DefinitionRefused as refused:
            for problem in refused.problems[:20]:
                form.add_error(place, f"{problem.pointer or '/'}: {problem.detail}")
        except RuleViolated as broken:
            form.add_error(broken.field if broken.field in form.fields else None, str(broken))
        else:
            return redirect(f"/health/scorecards/{data['key']}/edit/?version={version.number}")
    return render(request, "health/scorecard_create.html", {"form": form}, status=422 if form.errors else 200)
