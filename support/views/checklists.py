"""Checklists of the desk: starting one, working through it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated, StaleVersion
from accounts.keys import is_key
from accounts.models import User
from accounts.policy import may, requires
from support import actions
from support.models import Checklist
from support.queries import checklists as queries
from support.queries import listing


@requires(GET="escalations.view", POST="support.configure")
def checklist_list(request: HttpRequest) -> HttpResponse:
    """Those that are open and past; POST starts one."""
    user: Any = request.user
    if request.method == "POST":
        return _start(request, user)
    context = {
        "templates": queries.templates(), "checklists": queries.checklists(),
        "may_start": may(user, "support.configure"),
    }  # fmt: skip
    return render(request, "support/checklist_list.html", context)


def _start(request: HttpRequest, user: Any) -> HttpResponse:
    key = request.POST.get("template", "")
    template = get_object_or_404(queries.templates(), pk=key) if is_key(key) else None
    if template is None:
        messages.error(request, "Choose one of the checklists.")
        return redirect("support:checklist-list")
    try:
        made = actions.start_checklist(template, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return redirect("support:checklist-list")
    messages.success(request, f"{made} is started.")
    return redirect("support:checklist-detail", made.pk)


@requires(GET="escalations.view", POST="escalations.work")
def checklist_detail(request: HttpRequest, checklist_id: UUID) -> HttpResponse:
    """Its steps with their owners, and what came again in its month; POST saves what was ticked.

    Where somebody saved in between it is shown as it is now, with the notes as they were just written.
    """
    user: Any = request.user
    checklist = queries.checklist_of(checklist_id)
    if checklist is None:
        raise Http404
    refused = _save(request, user, checklist) if request.method == "POST" else ""
    if request.method == "POST" and not refused:
        return redirect("support:checklist-detail", checklist.pk)
    context = {
        "checklist": checklist,
        "refused": refused,
        "notes": request.POST.get("notes", checklist.notes),
        "items": checklist.items.all(),
        "recurring": queries.recurring(user, checklist),
        "people": listing.assignees(),
        "may_work": may(user, "escalations.work"),
        "is_support": checklist.template.key == "cycle-support",
    }
    return render(request, "support/checklist.html", context, status=422 if refused else 200)


def _save(request: HttpRequest, user: Any, checklist: Checklist) -> str:
    """Save what was ticked, chosen and written; why it was refused, empty where it was not."""
    chosen = {item.pk: request.POST.get(f"owner-{item.pk}") for item in checklist.items.all()}
    people = User.objects.active().staff().in_bulk([key for key in chosen.values() if key and is_key(key)])
    by_key = {str(key): person for key, person in people.items()}
    owners = {pk: by_key.get(key or "") for pk, key in chosen.items() if key is not None}
    done = [UUID(key) for key in request.POST.getlist("done") if is_key(key)]
    version = request.POST.get("version", "")
    seen = int(version) if version.isdecimal() and len(version) < 10 else None
    notes = request.POST.get("notes", checklist.notes)
    try:
        saved = actions.work_checklist(
            checklist, owners=owners, done=done, notes=notes, expected_version=seen, actor=user, at=timezone.now()
        )
    except StaleVersion:
        return "Somebody saved this in the meantime. Their ticks are shown; your notes are kept below. Save again."
    except RuleViolated as broken:
        return str(broken)
    messages.success(request, "Every step is done: it is closed." if saved.closed_at else "Saved.")
    return ""
