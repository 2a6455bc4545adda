"""Whom an incident affects: choosing accounts, linking tickets, answering them all at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.keys import is_key
from accounts.policy import requires
from support import actions
from support.choices import Origin
from support.forms.incidents import AnswerForm
from support.models import Incident, Ticket
from support.queries.incident_scope import accounts_by, addressable, chosen_accounts, removable, ways
from support.queries.incidents import called
from support.views.incidents import done, with_form, workable_incident
from support.views.tickets import workable_ticket

MOST_SHOWN = 50


@requires(GET="incidents.work", POST="incidents.work")
def incident_accounts(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Choose accounts to add: by name, tier, segment or component; some of those found, or all of them."""
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    asked = request.POST if request.method == "POST" else request.GET
    text, who = asked.get("q", "").replace("\x00", "").strip()[:100], asked.get("who", "")
    how, _bar, value = who.partition("|")
    rows = accounts_by(user, how, value) if how in Origin.values and value else addressable(user)
    rows = rows.filter(name__icontains=text) if text else rows
    rows = rows.exclude(pk__in=incident.affected.present().values("account"))
    if request.method == "POST":
        every = request.POST.get("which") == "all"
        chosen = rows if every else chosen_accounts(user, request.POST.getlist("account"))
        origin = how if every and how in Origin.values else Origin.HAND
        return _added(request, incident, chosen, origin)
    found = list(rows.select_related("tier", "owner").order_by("name", "pk")[:MOST_SHOWN])
    total = len(found) if len(found) < MOST_SHOWN else rows.count()
    context = {"incident": incident, "found": found, "total": total, "q": text, "who": who, "ways": ways(user)}
    return render(request, "support/incident_accounts.html", context)


def _added(request: HttpRequest, incident: Incident, chosen: Any, origin: str) -> HttpResponse:
    user: Any = request.user
    accounts = list(chosen.select_related("tier", "owner").order_by("name")[:1000])
    try:
        added = actions.add_accounts(incident, accounts, origin=origin, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
        return redirect("support:incident-accounts", incident.pk)
    if not added:
        messages.warning(request, "Select an account first.")
        return redirect("support:incident-accounts", incident.pk)
    return done(request, incident, f"{len(added)} account{'' if len(added) == 1 else 's'} added.")


@requires(POST="incidents.work")
def incident_accounts_remove(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Take the selected accounts away."""
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    keys = [key for key in request.POST.getlist("account") if is_key(key)]
    chosen = removable(user).filter(pk__in=keys)
    try:
        gone = actions.remove_accounts(incident, chosen, actor=user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
        return redirect("support:incident-detail", incident.pk)
    if not gone:
        messages.warning(request, "Select an account you may work first.")
        return redirect("support:incident-detail", incident.pk)
    return done(request, incident, f"{len(gone)} account{'' if len(gone) == 1 else 's'} removed.")


@requires(POST="incidents.work")
def incident_ticket(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Link a ticket by its number, or unlink one."""
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    number = request.POST.get("number", "").strip().lstrip("#")
    rows = Ticket.objects.workable_by(user).select_related("account__tier")
    known = number.isascii() and number.isdigit() and len(number) < 16
    ticket = rows.filter(number=int(number)).first() if known else None
    if ticket is None:
        messages.error(request, "There is no such ticket you may work.")
        return redirect("support:incident-detail", incident.pk)
    given: dict[str, Any] = {"actor": user, "at": timezone.now()}
    if request.POST.get("verb") == "unlink":
        return _said(
            request, incident, lambda: actions.unlink_ticket(incident, ticket, **given), f"#{number} is unlinked."
        )
    return _said(request, incident, lambda: actions.link_ticket(incident, ticket, **given), f"#{number} is linked.")


def _said(request: HttpRequest, incident: Incident, act: Any, text: str) -> HttpResponse:
    try:
        act()
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
        return redirect("support:incident-detail", incident.pk)
    return done(request, incident, text)


@requires(POST="incidents.work")
def incident_answer(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Answer every linked ticket that waits and that the reader may work, in one go."""
    incident = workable_incident(request, incident_id)
    user: Any = request.user
    tickets = list(Ticket.objects.workable_by(user).active().filter(incident=incident).order_by("number"))
    form = AnswerForm(request.POST, prefix="answer")
    count = len(tickets)
    return with_form(
        request, incident, "answer", form,
        lambda data: actions.answer_tickets(incident, data.pop("body"), tickets=tickets, **data),
        f"{count} ticket{'' if count == 1 else 's'} answered.",
    )  # fmt: skip


@requires(POST="incidents.work")
def ticket_incident(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Link a ticket to the incident it tells of, or unlink it, from the ticket's page."""
    ticket = workable_ticket(request, ticket_id)
    user: Any = request.user
    wanted = request.POST.get("incident", "").strip()[:20]
    mine = Incident.objects.workable_by(user).filter(pk=ticket.incident_id)
    incident = called(user, wanted) if wanted else mine.first()
    try:
        if incident is None:
            messages.error(request, "There is no such incident you may work.")
        elif wanted:
            actions.link_ticket(incident, ticket, actor=user, at=timezone.now())
            messages.success(request, f"Linked to {incident.code}.")
        else:
            actions.unlink_ticket(incident, ticket, actor=user, at=timezone.now())
            messages.success(request, f"Unlinked from {incident.code}.")
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    return redirect("support:ticket-detail", ticket.pk)
