"""What was done to many tickets at once: looking back at it, taking it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from support import actions
from support.models import Ticket, TicketEdit, TicketEditRow

SHOWN, TOLD = 50, 5


@requires(GET="tickets.view")
def edit_list(request: HttpRequest) -> HttpResponse:
    """The latest of them, with the tickets they changed."""
    user: Any = request.user
    rows = TicketEdit.objects.visible_to(user).select_related("actor", "undone_by")
    context = {"edits": list(rows[:SHOWN]), "may_work": may(user, "tickets.work")}
    return render(request, "support/edit_list.html", context)


@requires(POST="tickets.work")
def edit_undo(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Give every ticket back what it had; those that somebody changed since are told and left alone."""
    user: Any = request.user
    edit = get_object_or_404(TicketEdit.objects.visible_to(user), pk=bulk_id)
    if not TicketEditRow.objects.filter(edit=edit, ticket__in=Ticket.objects.workable_by(user)).exists():
        raise PermissionDenied
    try:
        done, kept = actions.undo_bulk(edit, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
    else:
        if done:
            messages.success(request, f"Taken back on {done} ticket{'' if done == 1 else 's'}.")
        for each in kept[:TOLD]:
            messages.error(request, f"#{each.ticket.number} was not restored: {each.why}")
        if len(kept) > TOLD:
            messages.error(request, f"The same holds for {len(kept) - TOLD} more.")
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Refresh": "true"})
    return redirect("support:ticket-edits")
