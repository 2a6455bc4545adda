"""Fields of the workspace's own on accounts: their list and editor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions import archive_field, change_field, define_field, move_field, restore_field
from accounts.errors import RuleViolated
from accounts.forms.own_fields import OwnFieldForm
from accounts.models import OwnField
from accounts.policy import may, requires
from accounts.queries.own_fields import Suggestion, held_by, undefined

LIST = "accounts:own-field-list"


@requires(GET="accounts.view")
def field_list(request: HttpRequest) -> HttpResponse:
    """Every field in order with how many accounts hold something in it, and what might become one. Three queries."""
    fields = list(OwnField.objects.all())
    rows = [(field, *counts) for field, counts in zip(fields, held_by([f.definition for f in fields]), strict=True)]
    may_edit = may(request.user, "fields.edit")
    context = {
        "rows": [row for row in rows if row[0].archived_at is None],
        "archived": [row for row in rows if row[0].archived_at is not None],
        "suggestions": undefined() if may_edit else [],
        "may_edit": may_edit,
    }
    return render(request, "accounts/own_fields.html", context)


@requires(GET="fields.edit", POST="fields.edit")
def field_create(request: HttpRequest) -> HttpResponse:
    """Define a field; ``?key=`` begins with what stands on accounts under that key."""
    found = _suggested(request.GET.get("key", ""))
    initial = {} if found is None else _begun(found)
    form = OwnFieldForm(request.POST or None, initial=initial, is_new=True)
    if form.is_bound and form.is_valid():
        given = {"actor": request.user, "at": timezone.now()}
        if form.run(lambda: define_field(**form.values(), **given)):
            messages.success(request, f"{form.cleaned_data['label']} is there: on every account and in the list.")
            return redirect(LIST)
    return _page(request, form, None, found)


@requires(GET="fields.edit", POST="fields.edit")
def field_edit(request: HttpRequest, own_field_id: UUID) -> HttpResponse:
    """Change a field; its key stays, its kind as long as values would not fit another."""
    field = get_object_or_404(OwnField, pk=own_field_id)
    names = ("label", "kind", "options", "help_text", "version")
    initial = {name: getattr(field, name) for name in names}
    form = OwnFieldForm(request.POST or None, initial=initial, is_new=False)
    if form.is_bound and form.is_valid():
        given = {"actor": request.user, "at": timezone.now(), "expected_version": form.cleaned_data["version"]}
        if form.run(lambda: change_field(field, **form.values(), **given)):
            messages.success(request, f"{form.cleaned_data['label']} is saved.")
            return redirect(LIST)
    return _page(request, form, field, None)


@requires(POST="fields.edit")
def field_move(request: HttpRequest, own_field_id: UUID) -> HttpResponse:
    """Move a field one place up or down."""
    step = {"up": -1, "down": 1}.get(request.POST.get("to", ""), 0)
    return _act(request, own_field_id, lambda field, **given: move_field(field, step, **given))


@requires(POST="fields.edit")
def field_archive(request: HttpRequest, own_field_id: UUID) -> HttpResponse:
    """Take a field out of use; what accounts hold stays."""
    return _act(request, own_field_id, archive_field, "{} is archived. What accounts hold stays with them.")


@requires(POST="fields.edit")
def field_restore(request: HttpRequest, own_field_id: UUID) -> HttpResponse:
    """Bring an archived field back."""
    return _act(request, own_field_id, restore_field, "{} is back, with what accounts hold.")


def _act(request: HttpRequest, key: UUID, act: Callable[..., OwnField], told: str = "") -> HttpResponse:
    field = get_object_or_404(OwnField, pk=key)
    try:
        act(field, actor=request.user, at=timezone.now())
    except RuleViolated as problem:
        messages.error(request, str(problem))
    else:
        if told:
            messages.success(request, told.format(field.label))
    return redirect(LIST)


def _suggested(key: str) -> Suggestion | None:
    return next((each for each in undefined() if each.key == key), None) if key else None


def _begun(found: Suggestion) -> dict[str, Any]:
    label = found.key.replace("_", " ").replace("-", " ").strip()
    return {"key": found.key, "label": label[:1].upper() + label[1:], "kind": found.kind, "options": found.options}


def _page(request: HttpRequest, form: OwnFieldForm, field: OwnField | None, found: Suggestion | None) -> HttpResponse:
    context = {"form": form, "field": field, "found": found}
    return render(request, "accounts/own_field_form.html", context, status=422 if form.is_bound else 200)
