"""A ticket's page: what was said, what is owed and why, what it belongs to; opening and editing tickets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.downloads import download
from accounts.keys import is_key
from accounts.policy import may, requires
from accounts.uploads import ACCEPT, HINT, check
from support import actions
from support.forms.fields import PREFIX
from support.forms.tickets import EditForm, NewTicketForm, RelateForm, ReplyForm, SnoozeForm, TimeForm
from support.models import SlaClock, Ticket
from support.queries import incidents, listing, record
from support.queries.beside import Linked, beside
from support.queries.escalations import overdue_hours
from support.queries.explain import clocks_of, explain_clock
from support.queries.fields import custom_shown
from support.queries.listing import TicketFilters
from support.words import STATUS_TONES

MOST_EXPLAINED = 12


@requires(GET="tickets.view")
def ticket_detail(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """The page; ``?macro=`` puts an answer kept ready into the reply box."""
    return render(request, "support/ticket.html", detail_context(request, visible_ticket(request, ticket_id)))


def visible_ticket(request: HttpRequest, ticket_id: UUID) -> Ticket:
    """The ticket as its page shows it, or 404 where the user may not see it."""
    return _found(record.ticket_shown(request.user, ticket_id))  # type: ignore[arg-type]


def workable_ticket(request: HttpRequest, ticket_id: UUID) -> Ticket:
    """The ticket the user may work: 404 where they may not see it, 403 where they may only read it."""
    ticket = _found(record.ticket_record(request.user, ticket_id))  # type: ignore[arg-type]
    if not ticket.is_workable:  # type: ignore[attr-defined]
        raise PermissionDenied("tickets.work")
    return ticket


def _found(ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise Http404
    return ticket


def detail_context(request: HttpRequest, ticket: Ticket, **given: Any) -> dict[str, Any]:
    """What the page shows; ``given`` replaces a part that was refused. Eight queries, however long the talk."""
    user: Any = request.user
    at = timezone.now()
    workable = may(user, "tickets.work") and ticket.is_workable  # type: ignore[attr-defined]
    said = record.conversation(user, ticket)
    found, escalations = beside(ticket), record.escalations_of(ticket)
    related = record.related(user, ticket)
    return {
        "ticket": ticket,
        "tone": STATUS_TONES[ticket.status],
        "said": said,
        "seen": len(said),
        "may_work": workable,
        "may_escalate": may(user, "escalations.work"),
        "may_incident": workable and may(user, "incidents.work"),
        "beside": found,
        "incident": found.incident,
        "incident_words": _incident_words(found.incident),
        "lines": record.clock_lines(ticket, at),
        "history": record.history(ticket, found.everyone),
        "related": related,
        "merged_into": next((other for _how, other in related if other.pk == ticket.merged_into_id), None),
        "custom": custom_shown(ticket.custom, found.labels),
        "guide": found.guide,
        "unescalated_hours": overdue_hours(ticket, escalations, found.rules, at),
        "escalations": escalations,
        "entries": found.entries,
        "statuses": record.next_statuses(ticket),
        "levels": record.next_levels(ticket),
        "macros": found.macros if workable else [],
        "relate_form": RelateForm(prefix="relate"),
        "time_form": TimeForm(prefix="time"),
        "snooze_form": SnoozeForm(prefix="snooze"),
        "is_aside": ticket.is_aside(at),
        "people": found.people if workable else [],
        "assignee": str(ticket.assignee_id),
        "teams": found.teams if workable else [],
        "accept": ACCEPT,
        "files_hint": HINT,
        "at": at,
        **_reply(request, ticket, workable=workable),
        **_place(request, ticket, at),
        **given,
    }


def _reply(request: HttpRequest, ticket: Ticket, *, workable: bool) -> dict[str, Any]:
    """The form of an answer, filled by the macro that the address names. A query where it names one."""
    wanted = request.GET.get("macro", "")
    chosen = record.macros().filter(pk=wanted).first() if workable and is_key(wanted) else None
    filled = record.filled(chosen, ticket, request.user) if chosen else ""  # type: ignore[arg-type]
    return {
        "macro": wanted if chosen else "",
        "reply_form": ReplyForm(initial={"body": filled}),
        "reply_kind": "note" if chosen and chosen.is_internal else "reply",
        "reply_status": chosen.actions.get("status", "") if chosen else "",
    }


def _incident_words(incident: Linked | None) -> list[incidents.Word]:
    """What customers were told of the incident it tells of."""
    return incidents.words_said(incident.letters, incident.first_notice_at) if incident else []


def _place(request: HttpRequest, ticket: Ticket, at: Any) -> dict[str, Any]:
    """Where the reader came from in the queue, and the tickets before and after.

    They are kept in the address while the ticket is worked: an answer moves it to another place in the queue,
    and the reader still wants the one that was next.
    """
    filters, sort = TicketFilters.read(request.GET), request.GET.get("sort", "")
    user: Any = request.user
    pinned = {name: request.GET.get(name, "") for name in ("previous", "next")}
    if not any(map(is_key, pinned.values())):
        before, after = listing.neighbours(user, filters, sort, ticket, at)
        pinned = {"previous": str(before or ""), "next": str(after or "")}
    queue = filters.parameters() | ({"sort": sort} if sort in listing.SORTS else {})
    suffix = f"?{urlencode(queue)}" if queue else ""
    links = {
        f"{name}_url": f"{reverse('support:ticket-detail', args=[key])}{suffix}" if is_key(key) else ""
        for name, key in pinned.items()
    }
    place = urlencode({**queue, **{name: key for name, key in pinned.items() if key}})
    return {"place": place, "queue_url": reverse("support:ticket-list") + suffix, **links}


@requires(GET="tickets.view")
def explain(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Why each promise is due when it is: every stretch of time, counted or left out."""
    ticket = visible_ticket(request, ticket_id)
    at, settings = timezone.now(), actions.settings_row()
    clocks: list[SlaClock] = list(clocks_of(ticket)[:MOST_EXPLAINED])
    only = request.GET.get("clock", "")
    found = [explain_clock(clock, settings, at=at) for clock in clocks if only in {"", str(clock.pk)}]
    context = {"ticket": ticket, "explained": [each for each in found if each], "at": at}
    htmx = request.htmx  # type: ignore[attr-defined]
    return render(request, "support/_explain.html" if htmx else "support/explain.html", context)


@requires(GET="tickets.work", POST="tickets.work")
def ticket_create(request: HttpRequest) -> HttpResponse:
    """Open a ticket on behalf of a customer; ``?account=`` chooses the account."""
    user: Any = request.user
    form = NewTicketForm(
        request.POST or None, request.FILES or None, user=user, account=request.GET.get("account") or None
    )
    if request.method == "POST" and form.is_valid():
        opened: list[Ticket] = []
        if form.run(lambda: opened.append(_open(request, form))):
            messages.success(request, f"Ticket #{opened[0].number} is open.")
            return redirect("support:ticket-detail", opened[0].pk)
    context = {"form": form, "components": record.components()}
    return render(request, "support/ticket_form.html", context, status=422 if form.is_bound else 200)


@transaction.atomic
def _open(request: HttpRequest, form: NewTicketForm) -> Ticket:
    user: Any = request.user
    at = timezone.now()
    files = check(form.cleaned_data["files"])
    ticket = actions.open_ticket(form.cleaned_data["account"], actor=user, at=at, **form.values())
    first = ticket.messages.first()
    if first is not None:
        actions.attach(first, files, at=at)
    return ticket


@requires(GET="tickets.work", POST="tickets.work")
def ticket_edit(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Change what it says, how bad it is and what was found."""
    ticket = workable_ticket(request, ticket_id)
    names = "subject severity impact type component category requester root_cause engineering_reference".split()
    initial = {name: getattr(ticket, name) for name in names} | {"cc": ", ".join(ticket.cc)}
    form = EditForm(request.POST or None, account=ticket.account, custom=ticket.custom, initial=initial)
    if request.method == "POST" and form.is_valid() and form.run(lambda: _change(request, ticket, form)):
        messages.success(request, "The ticket is changed.")
        return redirect("support:ticket-detail", ticket.pk)
    context = {"form": form, "ticket": ticket, "components": record.components()}
    return render(request, "support/ticket_form.html", context, status=422 if form.is_bound else 200)


@transaction.atomic
def _change(request: HttpRequest, ticket: Ticket, form: EditForm) -> None:
    user: Any = request.user
    at = timezone.now()
    values = {name: value for name, value in form.cleaned_data.items() if not name.startswith(PREFIX)}
    severity, reason = values.pop("severity"), values.pop("severity_reason")
    if severity != ticket.severity:
        actions.change_severity(ticket, severity, actor=user, at=at, reason=reason)
    actions.update_ticket(ticket, actor=user, at=at, custom=form.custom(), **values)


@requires(GET="tickets.view")
def attachment(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """A file, for whoever may read the message it came with."""
    found = record.attachment(request.user, attachment_id)  # type: ignore[arg-type]
    if found is None:
        raise Http404
    return download(found)
