"""One entry of a timeline: its own page with what it said before, correcting, deleting, pinning it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.actions.activity import LOGGED_BY_HAND
from accounts.actions.entries import (
    account_of_entry,
    delete_entry,
    pin_entry,
    restore_entry,
    unpin_entry,
    update_entry,
)
from accounts.choices import Visibility
from accounts.errors import RuleViolated
from accounts.forms import ActivityForm
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account, Activity, AuditEntry
from accounts.policy import requires
from accounts.views.timeline import COLUMNS, TAB, days_of
from ui import formats

SHOWN_EDITS = 50
NAMES = {
    "kind": "Kind", "title": "What happened", "body": "Notes", "at": "When", "visibility": "Seen by",
    "attendees": "Who took part", "next_step": "Next step", "next_step_on": "Due", "next_step_at": "At",
}  # fmt: skip


@requires(GET="accounts.view")
def entry_detail(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """An entry with its last 50 earlier wordings, newest first. Three queries beside the frame's."""
    entry = _entry_or_404(request, activity_id)
    account = account_or_404(request, entry["account_id"])
    days = days_of([entry])
    context = frame(request, account, TAB, entry=entry, days=days, edits=_edits(activity_id))
    return render(request, "accounts/entry.html", context)


@requires(GET="activity.log", POST="activity.log")
def entry_edit(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Correct a logged entry; what it said before is kept."""
    entry, account = _editable(request, activity_id)
    if entry.kind not in LOGGED_BY_HAND:
        raise Http404
    form = ActivityForm(request.POST or None, initial=ActivityForm.said(entry), account=account, entry=entry)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        happened_at = values.pop("happened_at")
        # A form knows minutes, the entry more.
        values |= {"at": happened_at} if happened_at and "at" in form.changed_data else {}
        given: dict[str, Any] = {"actor": request.user, "when": timezone.now(), "seen_at": form.cleaned_data["seen_at"]}
        if form.run(lambda: update_entry(entry, **given, **values)):
            messages.success(request, "Saved.")
            return redirect("accounts:entry-detail", entry.pk)
    context = frame(request, account, TAB, form=form, heading="Correct the entry", submit="Save")
    context["cancel"] = reverse("accounts:entry-detail", args=[entry.pk])
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)


@requires(POST="activity.log")
def entry_delete(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Delete a logged entry; the message that says so has the way back."""
    entry, account = _editable(request, activity_id)
    try:
        delete_entry(entry, actor=request.user, when=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
        return redirect("accounts:entry-detail", entry.pk)
    undo = reverse("accounts:entry-restore", args=[activity_id])
    messages.success(request, f"“{entry.title}” was deleted.", extra_tags=undo)
    return redirect(TAB, account.pk)


@requires(POST="activity.log")
def entry_restore(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Bring a deleted entry back."""
    account_id = account_of_entry(activity_id)
    if account_id is None:
        raise Http404
    account = editable_account_or_404(request, account_id)
    try:
        entry = restore_entry(activity_id, actor=request.user, when=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"“{entry.title}” is back.")
    return redirect(TAB, account.pk)


@requires(POST="activity.log")
def entry_pin(request: HttpRequest, activity_id: UUID) -> HttpResponse:
    """Keep an entry above the others, or with ``down`` let it go."""
    entry, _account = _editable(request, activity_id)
    verb = unpin_entry if "down" in request.POST else pin_entry
    try:
        verb(entry, actor=request.user, when=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
    return redirect("accounts:entry-detail", entry.pk)


def _entry_or_404(request: HttpRequest, activity_id: UUID) -> dict[str, Any]:
    entry = Activity.objects.visible_to(request.user).filter(pk=activity_id).values(*COLUMNS).first()
    if entry is None:
        raise Http404
    return entry


def _editable(request: HttpRequest, activity_id: UUID) -> tuple[Activity, Account]:
    """The entry with its account; 404 where the reader may not see it, 403 where they may not change it."""
    entry = Activity.objects.visible_to(request.user).filter(pk=activity_id).first()
    if entry is None:
        raise Http404
    return entry, editable_account_or_404(request, entry.account_id)


def _edits(activity_id: UUID) -> list[dict[str, Any]]:
    """Who changed what of the entry, newest first, in words. One query."""
    rows = AuditEntry.objects.filter(object_type="activity", object_id=str(activity_id), action="activity.edited")
    found = rows.select_related("actor").order_by("-pk")[:SHOWN_EDITS]
    return [
        {
            "at": row.at,
            "by": row.actor or row.actor_label,
            "changes": [
                (NAMES[name], _words(name, old), _words(name, (row.after or {}).get(name)))
                for name, old in (row.before or {}).items()
                if name in NAMES
            ],
        }
        for row in found
    ]


def _words(name: str, value: Any) -> str:
    """A value of the audit log as a person reads it."""
    if value in (None, "", []):
        return "nothing"
    if name == "visibility":
        return str(Visibility(value).label)
    if isinstance(value, list):
        return ", ".join(value)
    if name in {"at", "next_step_at"}:
        return f"{timezone.localtime(datetime.fromisoformat(value)):%-d %b %Y %H:%M}"
    return formats.day(date.fromisoformat(value)) if name == "next_step_on" else str(value)
