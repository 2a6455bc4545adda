"""The workspace's own fields on tickets: their list and editor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.policy import may, requires
from support import actions
from support.forms.fields import FieldForm
from support.models import TicketField
from support.queries.fields import ticket_fields

NAMES = ("label", "kind", "options", "is_required", "shown_to_customer", "position")


@requires(GET="tickets.view")
def field_list(request: HttpRequest) -> HttpResponse:
    """Every field in the order of the form."""
    context = {"fields": ticket_fields(), "may_configure": may(request.user, "support.configure")}
    return render(request, "support/field_list.html", context)


@requires(GET="support.configure", POST="support.configure")
def field_create(request: HttpRequest) -> HttpResponse:
    """Make a field."""
    return _write(request, None)


@requires(GET="support.configure", POST="support.configure")
def field_edit(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Change a field; its key and kind stay."""
    return _write(request, get_object_or_404(ticket_fields(), pk=field_id))


def _write(request: HttpRequest, field: TicketField | None) -> HttpResponse:
    form = FieldForm(request.POST or None, initial={name: getattr(field, name) for name in NAMES} if field else {})
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if form.is_bound and form.is_valid() and form.run(lambda: actions.save_field(field, **form.cleaned_data, **given)):
        messages.success(request, f"{form.cleaned_data['label']} is saved.")
        return redirect("support:field-list")
    context = {"form": form, "field": field}
    return render(request, "support/field_form.html", context, status=422 if form.is_bound else 200)


@requires(POST="support.configure")
def field_retire(request: HttpRequest, field_id: UUID) -> HttpResponse:
    """Take a field away; what tickets hold in it stays."""
    field = get_object_or_404(ticket_fields(), pk=field_id)
    actions.retire_field(field, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"{field.label} is taken away. What tickets hold in it stays with them.")
    return redirect("support:field-list")
