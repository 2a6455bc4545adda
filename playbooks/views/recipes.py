"""The playbooks, what is in them, and writing one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.keys import is_key
from accounts.policy import may, requires
from playbooks import queries
from playbooks.actions import restore_playbook, retire_playbook, set_trigger_keys, write_playbook
from playbooks.models import Playbook
from playbooks.playbook_forms import BaseStepFormSet, PlaybookForm, StepFormSet, TriggersForm, names_of


@requires(GET="playbooks.view")
def playbook_index(request: HttpRequest) -> HttpResponse:
    """Every live playbook with its number of tasks and of CTAs at work; ``?retired=1`` the others."""
    retired = bool(request.GET.get("retired"))
    context = {
        "playbooks": list(queries.playbook_list(retired=retired)),
        "retired": retired,
        "may_edit": may(request.user, "methodology.edit"),
    }
    return render(request, "playbooks/playbook_list.html", context)


@requires(GET="playbooks.view", POST="methodology.edit")
def playbook_detail(request: HttpRequest, playbook_id: UUID) -> HttpResponse:
    """Objective and steps; administrators choose the triggers that start it."""
    playbook = get_object_or_404(Playbook.objects.prefetch_related("tasks"), pk=playbook_id)
    names = names_of(playbook)
    sent = request.POST if request.method == "POST" else None
    form = TriggersForm(sent, names=names, initial={"trigger_keys": playbook.trigger_keys})
    if form.is_valid():
        set_trigger_keys(playbook, form.cleaned_data["trigger_keys"], actor=request.user, at=timezone.now())
        messages.success(request, "Saved.")
        return redirect("playbooks:playbook-detail", playbook.pk)
    context = {
        "playbook": playbook,
        "form": form,
        "starts": [names[key] for key in playbook.trigger_keys],
        "may_edit": may(request.user, "methodology.edit"),
    }
    return render(request, "playbooks/playbook_detail.html", context, status=422 if form.is_bound else 200)


@requires(GET="methodology.edit", POST="methodology.edit")
def playbook_create(request: HttpRequest) -> HttpResponse:
    """Write a playbook; ``?copy=`` begins with what another one says."""
    key = request.GET.get("copy", "")
    copied = Playbook.objects.prefetch_related("tasks").filter(pk=key).first() if is_key(key) else None
    initial = PlaybookForm.initial_of(copied) | {"name": f"{copied.name} (copy)"[:120]} if copied else {}
    return _write(request, None, initial, BaseStepFormSet.initial_of(copied) if copied else [])


@requires(GET="methodology.edit", POST="methodology.edit")
def playbook_edit(request: HttpRequest, playbook_id: UUID) -> HttpResponse:
    """Change one of the workspace's own."""
    playbook = get_object_or_404(Playbook.objects.prefetch_related("tasks"), pk=playbook_id)
    return _write(request, playbook, PlaybookForm.initial_of(playbook), BaseStepFormSet.initial_of(playbook))


def _write(
    request: HttpRequest, playbook: Playbook | None, initial: dict[str, Any], rows: list[dict[str, Any]]
) -> HttpResponse:
    form = PlaybookForm(request.POST or None, initial=initial)
    steps: Any = StepFormSet(request.POST or None, initial=rows, prefix="tasks")
    written: list[Playbook] = []
    user: Any = request.user
    if request.method == "POST" and form.is_valid() and steps.is_valid():
        values = {**form.cleaned_data, "tasks": steps.tasks()}
        if form.run(lambda: written.append(write_playbook(playbook, actor=user, at=timezone.now(), **values))):
            messages.success(request, f"{written[0]} is saved. CTAs at work keep the tasks they have.")
            return redirect("playbooks:playbook-detail", written[0].pk)
    context = {"form": form, "steps": steps, "playbook": playbook}
    return render(request, "playbooks/playbook_form.html", context, status=422 if form.is_bound else 200)


@requires(POST="methodology.edit")
def playbook_retire(request: HttpRequest, playbook_id: UUID) -> HttpResponse:
    """Nothing starts by it any more."""
    return _act(request, playbook_id, retire_playbook, "is retired. CTAs at work keep their tasks.")


@requires(POST="methodology.edit")
def playbook_restore(request: HttpRequest, playbook_id: UUID) -> HttpResponse:
    """Bring it back."""
    return _act(request, playbook_id, restore_playbook, "is back.")


def _act(request: HttpRequest, playbook_id: UUID, verb: Callable[..., Playbook], said: str) -> HttpResponse:
    playbook = get_object_or_404(Playbook, pk=playbook_id)
    try:
        verb(playbook, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, f"{playbook} {said}")
    return redirect("playbooks:playbook-detail", playbook.pk)
