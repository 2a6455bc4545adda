"""Edits of several accounts at once: making them, looking back at them, taking them back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.actions import edit_accounts, undo_edit
from accounts.actions.editing import MOST_AT_ONCE, Edited, Refusal
from accounts.errors import RuleViolated
from accounts.fields import identifier
from accounts.models import Account, BulkEdit, BulkEditRow
from accounts.models.account import AccountQuerySet
from accounts.policy import requires
from health.book.accounts.asked import Asked
from health.book.accounts.editing import name_of, read_value, words_of_kept
from health.book.accounts.tabs import forget_counts
from health.book.listing import forget_choices

SHOWN_EDITS, SHOWN_ROWS, TOLD = 50, 200, 5


@requires(GET="accounts.view", POST="accounts.edit")
def edit_list(request: HttpRequest) -> HttpResponse:
    """The latest edits; POST sets one value on the selected accounts, or on all that the view holds."""
    if request.method == "POST":
        return _edit(request)
    edits = list(BulkEdit.objects.visible_to(request.user).select_related("actor", "undone_by")[:SHOWN_EDITS])
    for edit in edits:
        edit.field_name = name_of(edit.field)  # type: ignore[attr-defined]
    return render(request, "health/edit_list.html", {"edits": edits})


def _edit(request: HttpRequest) -> HttpResponse:
    asked = Asked.read(request.POST)
    view = {"view": request.POST["view"][:36]} if request.POST.get("view") else {}
    back = asked.url(reverse("accounts:account-list"), view)
    field, raw = _set(request)
    try:
        value = read_value(field, raw)
        reason = request.POST.get("reason", "").strip()[:200]
        edited = edit_accounts(
            _wanted(request, asked), field, value, actor=request.user, at=timezone.now(), reason=reason
        )
    except RuleViolated as problem:
        messages.error(request, f"{problem} Nothing was changed.")
        return redirect(back)
    forget_counts(request.user)
    forget_choices()
    if edited.edit is not None:
        words = f"{name_of(field)} is now {edited.edit.label} on {_accounts(edited.changed)}."
        messages.success(request, words, extra_tags=reverse("accounts:edit-undo", args=[edited.edit.pk]))
    elif not edited.refused:
        messages.info(request, "Nothing to change: none of your accounts was selected, or all had it already.")
    _tell(request, edited.refused, "was left as it was")
    return redirect(back)


def _set(request: HttpRequest) -> tuple[str, str]:
    """The field and the value: ``tier:…`` chosen as one, or ``custom.note=`` whose value was typed beside it."""
    chosen = request.POST.get("set", "")
    if chosen.endswith("=") and ":" not in chosen:
        return chosen[:-1], request.POST.get("typed", "")
    field, _, raw = chosen.partition(":")
    return field, raw


def _wanted(request: HttpRequest, asked: Asked) -> AccountQuerySet:
    if request.POST.get("scope") == "all":
        return asked.filters.accounts(request.user, timezone.localdate())
    keys = [identifier(value) for value in request.POST.getlist("id")[:MOST_AT_ONCE]]
    return Account.objects.visible_to(request.user).filter(pk__in=[key for key in keys if key is not None])


def _accounts(count: int) -> str:
    return f"{count:,} account{'' if count == 1 else 's'}"


def _tell(request: HttpRequest, refused: list[Refusal], words: str) -> None:
    for refusal in refused[:TOLD]:
        messages.error(request, f"{refusal.name} {words}: {refusal.why}")
    if len(refused) > TOLD:
        messages.error(request, f"The same holds for {_accounts(len(refused) - TOLD)} more.")


@requires(GET="accounts.view")
def edit_detail(request: HttpRequest, edit_id: UUID) -> HttpResponse:
    """What an edit changed, account by account, and whether it was taken back."""
    edit = _edit_or_404(request, edit_id)
    visible = BulkEditRow.objects.filter(edit=edit, account__in=Account.objects.visible_to(request.user))
    rows = list(visible.select_related("account").order_by("account__name", "pk")[:SHOWN_ROWS])
    before = {row.before: words_of_kept(edit.field, row.before) for row in rows}
    context = {
        "edit": edit,
        "field": name_of(edit.field),
        "rows": [(row, before[row.before], row.account.version != row.version) for row in rows],
        "total": visible.count() if len(rows) == SHOWN_ROWS else len(rows),
    }
    return render(request, "health/edit_detail.html", context)


@requires(POST="accounts.edit")
def edit_undo(request: HttpRequest, edit_id: UUID) -> HttpResponse:
    """Give every account back what it had; those that somebody changed since are told and left alone."""
    edit = _edit_or_404(request, edit_id)
    if not BulkEditRow.objects.filter(edit=edit, account__in=Account.objects.editable_by(request.user)).exists():
        raise PermissionDenied
    try:
        undone = undo_edit(edit, actor=request.user, at=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
    else:
        _told_undone(request, undone)
    forget_counts(request.user)
    forget_choices()
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Refresh": "true"})
    return redirect("accounts:edit-detail", edit.pk)


def _told_undone(request: HttpRequest, undone: Edited) -> None:
    if undone.changed:
        messages.success(request, f"Taken back on {_accounts(undone.changed)}.")
    _tell(request, undone.refused, "was not restored")


def _edit_or_404(request: HttpRequest, edit_id: UUID) -> Any:
    rows = BulkEdit.objects.visible_to(request.user).select_related("actor", "undone_by")
    return get_object_or_404(rows, pk=edit_id)
