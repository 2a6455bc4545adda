"""Answers kept ready: their list, writing one, taking one away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.policy import may, requires
from support import actions
from support.forms.tickets import MacroForm
from support.models import Macro
from support.queries import record


@requires(GET="tickets.view")
def macro_index(request: HttpRequest) -> HttpResponse:
    """Every answer kept ready, with what it does and how often it was used."""
    context = {"macros": record.macros(), "may_write": may(request.user, "tickets.work")}
    return render(request, "support/macro_list.html", context)


@requires(GET="tickets.work", POST="tickets.work")
def macro_create(request: HttpRequest) -> HttpResponse:
    """Write a new one."""
    return _write(request, None)


@requires(GET="tickets.work", POST="tickets.work")
def macro_edit(request: HttpRequest, macro_id: UUID) -> HttpResponse:
    """Write one anew."""
    return _write(request, get_object_or_404(record.macros(), pk=macro_id))


def _write(request: HttpRequest, macro: Macro | None) -> HttpResponse:
    user: Any = request.user
    form = MacroForm(request.POST or None, initial=_initial(macro) if macro else {})
    given = {"actor": user, "at": timezone.now()}
    if (
        request.method == "POST"
        and form.is_valid()
        and form.run(lambda: actions.save_macro(macro, **form.cleaned_data, **given))
    ):
        messages.success(request, "The answer is kept.")
        return redirect("support:macro-list")
    context = {"form": form, "macro": macro}
    return render(request, "support/macro_form.html", context, status=422 if form.is_bound else 200)


def _initial(macro: Macro) -> dict[str, Any]:
    return {
        "name": macro.name,
        "body": macro.body,
        "is_internal": macro.is_internal,
        "status": macro.actions.get("status", ""),
        "tags": ", ".join(macro.actions.get("tags", [])),
        "assign_to_me": macro.actions.get("assign_to_me", False),
    }


@requires(POST="tickets.work")
def macro_retire(request: HttpRequest, macro_id: UUID) -> HttpResponse:
    """Take it away."""
    macro = get_object_or_404(record.macros(), pk=macro_id)
    actions.retire_macro(macro, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"{macro.name} is taken away.")
    return redirect("support:macro-list")
