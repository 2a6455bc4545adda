"""The People tab: who is who at the customer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.actions import create_contact, mark_contact_left, update_contact
from accounts.asof import asked_day
from accounts.choices import Influence, StakeholderRole
from accounts.errors import RuleViolated
from accounts.forms import ContactForm, LeftForm
from accounts.frame import account_or_404, editable_account_or_404, frame
from accounts.models import Account, Contact
from accounts.policy import requires
from accounts.queries.past import team_then
from accounts.queries.people import People, Person, people_of, portal_access
from accounts.stakeholders import SEATS

TAB = "accounts:account-people"


@requires(GET="accounts.view")
def people(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The stakeholder map, who is due to hear from us, who left, our own team, and who uses the portal.

    Five queries beside the frame's. A past day says nothing of the portal: tries to sign in are kept for 90 days.
    """
    asked = asked_day(request)
    account = account_or_404(request, account_id, asked.past)
    past = getattr(account, "past", None)
    known = people_of(account, asked.today, past)
    users, invitations = ([], []) if past else portal_access(account)
    context = frame(
        request,
        account,
        TAB,
        asked,
        known=known,
        columns=_columns(known),
        seats=_seats(known),
        late=sum(person.late > 0 for person in known.present),
        today=asked.today,
        team=team_then(past) if past else _team(account),
        removed=past.removed("contact") if past else 0,
        portal_users=users,
        invitations=invitations,
        now=timezone.now(),
    )
    return render(request, "accounts/people.html", context, status=asked.status)


def _team(account: Account) -> Any:
    return account.team.select_related("user", "role").order_by("role__name", "user__name")


def _columns(known: People) -> list[tuple[str, str]]:
    """The map's columns; "Not judged" only where somebody is not."""
    judged = all(person.contact.influence for person in known.present)
    return [(value, label) for value, label in Influence.choices if value or not judged]


def _seats(known: People) -> list[tuple[str, bool, list[list[Person]]]]:
    """A row of the map for every role that is taken or ought to be: its name, whether it is empty, its cells."""
    rows = []
    for role in StakeholderRole:
        sitting = [person for person in known.present if person.contact.stakeholder_role == role]
        if sitting or role in SEATS:
            cells = [[one for one in sitting if one.contact.influence == value] for value, _ in _columns(known)]
            rows.append((str(role.label), not sitting, cells))
    return rows


@requires(GET="accounts.edit", POST="accounts.edit")
def create(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A new contact."""
    account = editable_account_or_404(request, account_id)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = create_contact(account, actor=request.user, at=timezone.now(), **form.values())
        except RuleViolated as problem:
            form.refuse(problem)
        else:
            messages.success(request, f"{contact.name} was added.")
            return redirect(TAB, account.pk)
    context = frame(request, account, TAB, form=form, heading="Add a person", submit="Add")
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)


@requires(GET="accounts.edit", POST="accounts.edit")
def edit(request: HttpRequest, account_id: UUID, contact_id: UUID) -> HttpResponse:
    """A contact's own fields."""
    account = editable_account_or_404(request, account_id)
    contact = get_object_or_404(Contact, pk=contact_id, account=account)
    form = ContactForm(request.POST or None, initial=ContactForm.initial_of(contact))
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"]
        try:
            update_contact(contact, actor=request.user, at=timezone.now(), expected_version=version, **form.values())
        except RuleViolated as problem:
            form.refuse(problem)
        else:
            messages.success(request, "Saved.")
            return redirect(TAB, account.pk)
    context = frame(request, account, TAB, form=form, heading=f"Edit {contact.name}", submit="Save")
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)


@requires(GET="accounts.edit", POST="accounts.edit")
def left(request: HttpRequest, account_id: UUID, contact_id: UUID) -> HttpResponse:
    """Note that a contact left; the row stays, and triggers may act on it."""
    account = editable_account_or_404(request, account_id)
    contact = get_object_or_404(Contact, pk=contact_id, account=account)
    form = LeftForm(request.POST or None, initial={"left_on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            mark_contact_left(contact, left_on=form.cleaned_data["left_on"], actor=request.user, at=timezone.now())
        except RuleViolated as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem))
        else:
            messages.success(request, f"{contact.name} is noted as having left.")
            return redirect(TAB, account.pk)
    context = frame(request, account, TAB, form=form, heading=f"{contact.name} left", submit="Note it")
    return render(request, "accounts/record_form.html", context, status=422 if form.errors else 200)
