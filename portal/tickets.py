"""A customer's requests: their list, opening one, answering, agreeing that it is solved, opening it again, rating."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.actions import create_contact
from accounts.downloads import download
from accounts.errors import RuleViolated
from accounts.policy import requires
from accounts.uploads import check
from portal.forms import AnswerForm, RatingForm, RequestForm
from support import actions
from support.choices import Channel
from support.queries import customers


@requires(GET="portal.view")
def ticket_index(request: HttpRequest) -> HttpResponse:
    """Their requests with what was promised next; ``?done=1`` those that are over."""
    user: Any = request.user
    done = request.GET.get("done") == "1"
    context = {
        "tickets": customers.tickets_for(user, done=done, at=timezone.now()),
        "done": done,
        "at": timezone.now(),
        "in_tickets": True,
    }
    return render(request, "portal/tickets.html", context)


@requires(GET="portal.view", POST="portal.view")
def ticket_create(request: HttpRequest) -> HttpResponse:
    """Open a request."""
    user: Any = request.user
    form = RequestForm(request.POST or None, request.FILES or None, user=user)
    if request.method == "POST" and form.is_valid():
        opened: list[Any] = []
        if form.run(lambda: opened.append(_open(user, form.cleaned_data, form.custom()))):
            messages.success(request, f"Request #{opened[0].number} was received.")
            return redirect("portal:ticket-detail", opened[0].pk)
    context = {"form": form, "in_tickets": True, "reach": customers.reach_for(user, at=timezone.now())}
    return render(request, "portal/ticket_new.html", context, status=422 if form.is_bound else 200)


@transaction.atomic
def _open(user: Any, data: dict[str, Any], custom: dict[str, Any]) -> Any:
    at, account, files = timezone.now(), data["account"], check(data["files"])
    # Their requests are found by who asked, so they are a contact from their first one on.
    requester = customers.contact_for(user, account) or create_contact(
        account, actor=user, at=at, name=str(user), email=user.email
    )
    ticket = actions.open_ticket(
        account, subject=data["subject"], body=data["body"], channel=Channel.PORTAL, severity=data["severity"],
        impact=data["impact"], requester=requester, actor=user, at=at,
        custom={key: value for key, value in custom.items() if value is not None},
    )  # fmt: skip
    actions.attach(ticket.messages.get(), files, at=at)
    return ticket


@requires(GET="portal.view")
def ticket_detail(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """What was said, what is promised next, and what they can do."""
    return _page(request, ticket_id)


def _page(request: HttpRequest, ticket_id: UUID, status: int = 200, **given: Any) -> HttpResponse:
    user: Any = request.user
    _row, shown = _mine(request, ticket_id)
    context = {
        "ticket": shown,
        "said": customers.messages_for(user, ticket_id),
        "answer_form": AnswerForm(prefix="answer"),
        "rating_form": RatingForm(prefix="rating", initial={"score": shown.score, "comment": shown.comment}),
        "at": timezone.now(),
        "in_tickets": True,
        **given,
    }
    return render(request, "portal/ticket.html", context, status=status)


def _mine(request: HttpRequest, ticket_id: UUID) -> tuple[Any, customers.PortalTicket]:
    user: Any = request.user
    found = customers.ticket_for(user, ticket_id, timezone.now())
    if found is None:
        raise Http404
    return found


@requires(POST="portal.view")
def answer(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Write into it; one that was solved is open again."""
    row, shown = _mine(request, ticket_id)
    form = AnswerForm(request.POST, request.FILES, prefix="answer")
    if form.is_valid() and form.run(lambda: _say(request, row, shown, form.cleaned_data)):
        messages.success(request, "Sent.")
        return redirect("portal:ticket-detail", ticket_id)
    return _page(request, ticket_id, 422, answer_form=form)


@transaction.atomic
def _say(request: HttpRequest, row: Any, shown: customers.PortalTicket, data: dict[str, Any]) -> None:
    user: Any = request.user
    if shown.merged_into:
        raise RuleViolated("merged", "This request goes on in another one; please answer there.", "body")
    at, files = timezone.now(), check(data["files"])
    contact = customers.contact_for(user, row.account)
    message = actions.customer_reply(row, data["body"], contact=contact, at=at, channel=Channel.PORTAL, actor=user)
    actions.attach(message, files, at=at)


@requires(POST="portal.view")
def close(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Agree that it is solved (FMEA-6.5)."""
    return _move(
        request, ticket_id, lambda row, by: actions.close(row, confirmed=True, **by), "Thank you. It is closed."
    )


@requires(POST="portal.view")
def reopen(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Say that it is not solved."""
    return _move(request, ticket_id, lambda row, by: actions.reopen(row, **by), "It is open again.")


def _move(request: HttpRequest, ticket_id: UUID, act: Callable[[Any, dict[str, Any]], Any], done: str) -> HttpResponse:
    row, shown = _mine(request, ticket_id)
    try:
        if shown.merged_into:
            raise RuleViolated("merged", "This request goes on in another one.")
        act(row, {"actor": request.user, "at": timezone.now(), "reason": "The customer said so in the portal"})
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
    else:
        messages.success(request, done)
    return redirect("portal:ticket-detail", ticket_id)


@requires(POST="portal.view")
def rate(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Say how content they are with the solution."""
    user: Any = request.user
    row, _shown = _mine(request, ticket_id)
    form = RatingForm(request.POST, prefix="rating")
    given = {"actor": user, "at": timezone.now()}
    if form.is_valid() and form.run(
        lambda: actions.rate(row, form.cleaned_data["score"], comment=form.cleaned_data["comment"], **given)
    ):
        messages.success(request, "Thank you for telling us.")
        return redirect("portal:ticket-detail", ticket_id)
    return _page(request, ticket_id, 422, rating_form=form)


@requires(GET="portal.view")
def attachment(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """A file of their conversation."""
    user: Any = request.user
    found = customers.attachment_for(user, attachment_id)
    if found is None:
        raise Http404
    return download(found)
