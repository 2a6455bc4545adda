"""Telling customers of an incident: a letter written, previewed for each account, sent; and who was told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.keys import is_key
from accounts.models import Contact
from accounts.policy import requires
from support import actions, lifecycle
from support.actions.incident_letters import next_update_after, signature
from support.forms.incidents import LetterForm
from support.models import Incident, Ticket
from support.queries import incident_letters as queries
from support.queries.incident_scope import addressable
from support.views.incidents import done, visible_incident, workable_incident

HEADINGS = ("Letter", "Subject", "Sent", "By", "Account", "Person", "Address", "State", "Arrived")
STATES = {"sent": "Sent", "waiting": "Waiting", "failed": "Failed", "ticket": "Answered in the ticket"}


@requires(GET="incidents.work", POST="incidents.work")
def incident_letter(request: HttpRequest, incident_id: UUID, letter: str) -> HttpResponse:
    """Write a letter; ``Preview`` shows it as each account would read it, ``Send`` sends it."""
    incident = workable_incident(request, incident_id)
    template = lifecycle.letter_of(incident.letters, letter)
    if template is None:
        raise Http404
    user: Any = request.user
    mine = addressable(user).filter(pk__in=incident.affected.present().values("account"))
    audiences = queries.audiences(incident, mine)
    parts = queries.filled(incident, template)
    initial = {"subject": queries.subject_of(incident, template)}
    form = LetterForm(request.POST or None, parts=parts, initial=initial)
    people = _people(request, audiences)
    context = {
        "incident": incident,
        "letter": template,
        "form": form,
        "audiences": audiences,
        "chosen": {contact.pk for contact in people},
        "tickets": Ticket.objects.workable_by(user).active().filter(incident=incident).count(),
        "answers": request.method != "POST" or "answer" in request.POST,
        "previews": [],
        "nobody": request.method == "POST" and not people,
    }
    if request.method == "POST" and form.is_valid():
        if request.POST.get("verb") == "send":
            if form.run(lambda: _send(request, incident, letter, form, people)):
                return done(request, incident, f"{template['name']} sent to {_count(people)}.")
        else:
            context["previews"] = _previews(incident, form, people)
            return render(request, "support/incident_letter.html", context)
    return render(request, "support/incident_letter.html", context, status=422 if form.is_bound else 200)


def _people(request: HttpRequest, audiences: list[queries.Audience]) -> list[Contact]:
    """Those ticked, or those chosen to begin with; nobody who is not among the audiences."""
    ticked = {UUID(key) for key in request.POST.getlist("contact") if is_key(key)}
    found = []
    for audience in audiences:
        wanted = ticked if request.method == "POST" else audience.chosen
        found += [contact for contact in audience.contacts if contact.pk in wanted]
    return found


def _previews(incident: Incident, form: LetterForm, people: list[Contact]) -> list[queries.Preview]:
    return queries.previews(
        incident, form.cleaned_data["subject"], form.values(), form.cleaned_data["opening"], people,
        signed=signature(), next_update=next_update_after(incident, timezone.now()),
    )  # fmt: skip


def _send(request: HttpRequest, incident: Incident, key: str, form: LetterForm, people: list[Contact]) -> None:
    user: Any = request.user
    keys = {contact.account_id for contact in people}
    rows = Ticket.objects.workable_by(user).active().filter(incident=incident, account__in=keys)
    answered = list(rows.select_related("account", "requester")) if "answer" in request.POST else []
    actions.send_letter(
        incident, key, values=form.values(), contacts=people, subject=form.cleaned_data["subject"],
        opening=form.cleaned_data["opening"], tickets=answered, actor=user, at=timezone.now(),
    )  # fmt: skip


def _count(people: list[Contact]) -> str:
    accounts = len({contact.account_id for contact in people})
    who = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    return f"{who} of {accounts} account{'' if accounts == 1 else 's'}"


@requires(GET="incidents.view")
def incident_told(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Who was told what and when, as CSV."""
    incident = visible_incident(request, incident_id)
    rows = []
    for letter, told in queries.trail(request.user, incident):  # type: ignore[arg-type]
        for each in told:
            row = each.delivery
            arrived = each.at.isoformat() if each.at else ""
            rows.append(
                [letter.name, letter.subject, letter.sent_at.isoformat(), str(letter.sent_by or ""), row.account.name,
                 row.name, row.email, STATES[each.state], arrived]
            )  # fmt: skip
    return csv_response(f"{incident.code}-told.csv", HEADINGS, rows)
