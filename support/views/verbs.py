"""Working a ticket: answering, moving, assigning, tagging, passing on, joining; and who else is at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.keys import is_key
from accounts.models import User
from accounts.policy import requires
from accounts.uploads import check
from support import actions, presence
from support.choices import Status
from support.forms.tickets import RelateForm, ReplyForm, SnoozeForm, TimeForm, team_called
from support.models import Message, Ticket
from support.queries import record
from support.views.tickets import detail_context, visible_ticket, workable_ticket


@requires(POST="tickets.work")
def reply(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Answer or note, then set the status, then stay or go to the next ticket.

    When somebody wrote after the page was read, nothing is sent: the page comes back with the new message above
    and the text still in the box.
    """
    ticket = workable_ticket(request, ticket_id)
    form = ReplyForm(request.POST, request.FILES)
    seen, there = request.POST.get("seen", ""), ticket.messages.count()
    if seen.isdecimal() and int(seen) < there:
        return _refused(request, ticket_id, form, 409, "Somebody wrote while you did. Read it, then send again.")
    if form.is_valid() and form.run(lambda: _say(request, ticket, form.cleaned_data)):
        messages.success(request, "Noted." if request.POST.get("kind") == "note" else "Sent.")
        return _onward(request, ticket)
    return _refused(request, ticket_id, form, 422, "")


def _refused(request: HttpRequest, ticket_id: UUID, form: ReplyForm, status: int, why: str) -> HttpResponse:
    given = {
        "reply_form": form,
        "reply_kind": "note" if request.POST.get("kind") == "note" else "reply",
        "reply_status": request.POST.get("status", ""),
        "collided": why,
    }
    context = detail_context(request, visible_ticket(request, ticket_id), **given)
    return render(request, "support/ticket.html", context, status=status)


@transaction.atomic
def _say(request: HttpRequest, ticket: Ticket, data: dict[str, Any]) -> None:
    """Everything one press of the button does, or nothing of it."""
    user: Any = request.user
    at = timezone.now()
    files = check(data["files"])
    if request.POST.get("kind") == "note":
        message = actions.note(ticket, data["body"], actor=user, at=at)
        if data["status"] and data["status"] != ticket.status:
            actions.change_status(ticket, data["status"], actor=user, at=at)
    else:
        message = actions.reply(ticket, data["body"], actor=user, at=at, status=data["status"])
    actions.attach(message, files, at=at)
    chosen = request.POST.get("macro", "")
    macro = record.macros().filter(pk=chosen).first() if is_key(chosen) else None
    if macro is not None:
        ticket.refresh_from_db()
        actions.follow_macro(ticket, macro, actor=user, at=at)


def _onward(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The next ticket of the queue where that was asked for and there is one, else this one; its place kept."""
    following = request.GET.get("next", "")
    if request.POST.get("then") == "next":
        kept = {key: value for key, value in request.GET.items() if key not in {"next", "previous"}}
        if not is_key(following):
            return redirect(f"{reverse('support:ticket-list')}{f'?{_encoded(kept)}' if kept else ''}")
        return _to(following, kept)
    return _to(str(ticket.pk), dict(request.GET.items()))


def _to(key: str, parameters: dict[str, str]) -> HttpResponse:
    query = f"?{_encoded(parameters)}" if parameters else ""
    return HttpResponseRedirect(reverse("support:ticket-detail", args=[key]) + query)


def _encoded(parameters: dict[str, str]) -> str:
    return urlencode({key: value for key, value in parameters.items() if key != "macro"})


def _with(
    request: HttpRequest, ticket_id: UUID, act: Callable[[Ticket, dict[str, Any]], Any], done: str
) -> HttpResponse:
    """Run ``act``; what a rule refuses is said at the top of the page, and nothing was changed."""
    ticket = workable_ticket(request, ticket_id)
    try:
        act(ticket, {"actor": request.user, "at": timezone.now()})
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, done)
    return _onward(request, ticket)


@requires(POST="tickets.work")
def status(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Move it along; closing says whether the customer agreed (FMEA-6.5)."""
    wanted, reason = request.POST.get("status", ""), request.POST.get("reason", "")[:300]
    confirmed = request.POST.get("confirmed") == "on"
    label = Status(wanted).label.lower() if wanted in Status.values else "changed"

    def move(ticket: Ticket, by: dict[str, Any]) -> None:
        if wanted == Status.CLOSED and not confirmed and not reason:
            raise RuleViolated("confirmed", "To close, say that the customer agreed, or why you close it without.")
        actions.change_status(ticket, wanted, reason=reason, confirmed=confirmed, **by)

    return _with(request, ticket_id, move, f"The ticket is {label}.")


@requires(POST="tickets.work")
def assign(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Give it to a colleague, to oneself or to nobody, and to a team."""
    wanted, team = request.POST.get("assignee", ""), team_called(request.POST.get("team", ""))

    def give(ticket: Ticket, by: dict[str, Any]) -> None:
        actions.assign(ticket, _person(wanted, by["actor"]), team=team, **by)

    return _with(request, ticket_id, give, "Assigned.")


def _person(wanted: str, me: User) -> User | None:
    if wanted in {"", "none"}:
        return None
    if wanted == "me":
        return me
    person = User.objects.active().staff().filter(pk=wanted).first() if is_key(wanted) else None
    if person is None:
        raise RuleViolated("assignee", "There is no such colleague.", "assignee")
    return person


@requires(POST="tickets.work")
def snooze(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Set it aside until a moment, or until its customer writes."""
    form = SnoozeForm(request.POST, prefix="snooze")

    def put(ticket: Ticket, by: dict[str, Any]) -> None:
        if not form.is_valid():
            raise RuleViolated("until", "Choose until when it is set aside.", "until")
        actions.snooze(ticket, form.moment(by["at"]), **by)

    return _with(request, ticket_id, put, "Set aside. Its promises run on.")


@requires(POST="tickets.work")
def wake(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Bring it back into the queue."""
    return _with(request, ticket_id, lambda ticket, by: actions.wake(ticket, **by), "It is back in the queue.")


@requires(POST="tickets.work")
def tags(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Write its tags anew, separated by commas."""
    wanted = request.POST.get("tags", "").split(",")
    return _with(request, ticket_id, lambda ticket, by: actions.update_ticket(ticket, tags=wanted, **by), "Tagged.")


@requires(POST="tickets.work")
def level(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Pass it to another line of support, with the reason."""
    wanted, reason = request.POST.get("level", ""), request.POST.get("reason", "")

    def pass_on(ticket: Ticket, by: dict[str, Any]) -> None:
        actions.change_level(ticket, int(wanted) if wanted.isdecimal() else 0, reason=reason, **by)

    return _with(request, ticket_id, pass_on, "Passed on.")


@requires(POST="tickets.work")
def spend(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Note work that was put in."""
    form = TimeForm(request.POST, prefix="time")

    def note(ticket: Ticket, by: dict[str, Any]) -> None:
        if not form.is_valid():
            raise RuleViolated("minutes", "Give 1 to 1440 minutes.", "minutes")
        actions.log_time(ticket, form.cleaned_data["minutes"], note=form.cleaned_data["note"], **by)

    return _with(request, ticket_id, note, "Noted.")


@requires(POST="tickets.work")
def relate(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Link it to another ticket, or make it part of one."""
    form = RelateForm(request.POST, prefix="relate")
    user: Any = request.user

    def join(ticket: Ticket, by: dict[str, Any]) -> None:
        if not form.is_valid():
            raise RuleViolated("number", "Give the number of a ticket, and how they belong together.", "number")
        other = Ticket.objects.workable_by(user).filter(number=form.cleaned_data["number"]).first()
        if other is None:
            raise RuleViolated("number", "There is no such ticket you may work.", "number")
        if form.cleaned_data["how"] == "merge":
            actions.merge(ticket, other, **by)
        else:
            actions.link(ticket, other, kind=form.cleaned_data["how"], **by)

    return _with(request, ticket_id, join, "Joined.")


@requires(POST="tickets.work")
def split(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Open a ticket of its own for a message and what follows."""
    chosen, subject = request.POST.get("message", ""), request.POST.get("subject", "")

    def part(ticket: Ticket, by: dict[str, Any]) -> None:
        found = Message.objects.filter(ticket=ticket, pk=chosen).first() if is_key(chosen) else None
        if found is None:
            raise RuleViolated("message", "Choose a message after the first one.", "message")
        actions.split(ticket, found, subject=subject, **by)

    return _with(request, ticket_id, part, "Split.")


@requires(POST="tickets.work")
def here(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Note that the reader has it open, and tell who else has: a fragment that asks again by itself."""
    ticket = workable_ticket(request, ticket_id)
    user: Any = request.user
    typing = request.POST.get("typing") == "1"
    others = presence.beat(ticket.pk, user.pk, str(user), is_typing=typing, at=timezone.now())
    return render(request, "support/_presence.html", {"ticket": ticket, "others": others})
