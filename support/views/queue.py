"""The ticket queue, its CSV, many tickets at once, and an account's panel."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.actions.saved_views import may_keep
from accounts.choices import ListPage
from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.frame import account_or_404, frame, notices_of
from accounts.keys import is_key
from accounts.models import User
from accounts.policy import may, requires
from accounts.queries.saved_views import views_of
from accounts.queries.workspace import workspace_day
from support import actions
from support.cells import CSV_HEADINGS, TicketCells, csv_row
from support.choices import Channel, Level, Status, TicketType
from support.forms.tickets import team_called
from support.queries import listing
from support.queries.account_reviews import next_review
from support.queries.channels import entitlements, reach_of
from support.queries.listing import TicketFilters
from ui.formats import number
from ui.tables import table

TABS = ("mine", "unassigned", "team", "active", "overdue", "waiting", "aside", "resolved", "all")


@requires(GET="tickets.view")
def ticket_index(request: HttpRequest) -> HttpResponse:
    """The queue, most urgent first; htmx gets the results alone."""
    user: Any = request.user
    at = timezone.now()
    filters = TicketFilters.read(request.GET)
    found = listing.ticket_list(user, filters, request.GET.get("sort", ""), request.GET.get("after", ""), at)
    parameters = filters.parameters()
    if found.sort != listing.default_sort(filters):
        parameters["sort"] = found.sort
    may_work = may(user, "tickets.work")
    htmx: Any = request.htmx  # type: ignore[attr-defined]
    partial = htmx and not htmx.history_restore_request
    people = listing.assignees()
    teams = listing.teams()
    query = listing.canonical(parameters)
    views = views_of(ListPage.TICKETS, user)
    saved = next((view for view in views if str(view.pk) == request.GET.get("saved")), None)
    context = {
        "query": query,
        "views": views,
        "saved": saved,
        "saved_differs": saved is not None and saved.query != query,
        "may_keep": saved is not None and may(user, "views.save") and may_keep(saved, user),
        "may_save": may(user, "views.save"),
        "may_share": may(user, "views.share"),
        "filters": filters,
        "parameters": parameters,
        "listing": found,
        "shown": len(found.page.rows),
        "table": table(
            TicketCells(at, urlencode(parameters)).columns(filters.view),
            found.page.rows,
            f"{number(found.total)}{'+' if found.more else ''} tickets",
            parameters=filters.parameters(),
            sort=found.sort,
            select=(lambda row: (str(row["pk"]), f"#{row['number']} {row['subject']}")) if may_work else None,
        ),
        "next": _page_url(parameters, found.page.next),
        "previous": _page_url(parameters, found.page.previous),
        "tabs": _tabs(found.counts, filters, parameters),
        "export": f"{reverse('support:ticket-export')}?{urlencode(parameters)}",
        "may_work": may_work,
        "people": people,
        "teams": teams,
        "statuses": Status.choices[1:],
        "selects": [] if partial else _selects(filters, people, teams),
    }
    response = render(request, "support/_queue.html" if partial else "support/queue.html", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _page_url(parameters: dict[str, str], cursor: str) -> str:
    return f"?{urlencode({**parameters, 'after': cursor})}" if cursor else ""


def _tabs(counts: dict[str, int], filters: TicketFilters, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Links to each view with its number where it is small enough to count, the other filters kept."""
    kept = {name: value for name, value in parameters.items() if name not in {"view", "sort", "status"}}
    return [
        {
            "label": listing.VIEWS[view],
            "count": counts.get(view),
            "url": f"?{urlencode({**kept, 'view': view})}",
            "current": filters.view == view,
        }
        for view in TABS
    ]


def _selects(
    filters: TicketFilters, people: list[tuple[str, str]], teams: list[tuple[str, str]]
) -> list[tuple[str, str, list[Any], str]]:
    choices: list[tuple[str, str, list[Any]]] = [
        ("status", "Status", list(Status.choices)),
        ("severity", "Severity", listing.severities()),
        ("priority", "Priority", [(value, f"Priority {value}") for value in listing.PRIORITIES]),
        ("assignee", "Assignee", [("me", "Me"), ("none", "Nobody"), *people]),
        ("team", "Team", list(teams)),
        ("level", "Level", [(str(value), label) for value, label in Level.choices]),
        ("type", "Type", list(TicketType.choices)),
        ("channel", "Channel", list(Channel.choices)),
    ]
    return [(name, label, options, getattr(filters, name)) for name, label, options in choices if options]


@requires(GET="tickets.view")
def ticket_export(request: HttpRequest) -> HttpResponse:
    """The same rows as the queue shows, all of them, as CSV."""
    at = timezone.now()
    rows = listing.all_rows(request.user, TicketFilters.read(request.GET), request.GET.get("sort", ""), at)  # type: ignore[arg-type]
    name = f"tickets-{timezone.localdate().isoformat()}.csv"
    return csv_response(name, CSV_HEADINGS, [csv_row(row) for row in rows])


@requires(POST="tickets.work")
def bulk(request: HttpRequest) -> HttpResponse:
    """Assign, move or tag the selected tickets."""
    verb = request.POST.get("verb", "")
    keys = [UUID(key) for key in request.POST.getlist("id") if is_key(key)]
    try:
        if verb in _BULK and keys:
            _tell(request, _BULK[verb](request, keys))
        elif verb in _BULK:
            messages.warning(request, "Select a ticket first.")
    except RuleViolated as broken:
        messages.error(request, f"{broken.message} Nothing was changed.")
    filters = TicketFilters.read(request.POST).parameters()
    return redirect(f"{reverse('support:ticket-list')}?{urlencode(filters)}")


def _assign_many(request: HttpRequest, keys: list[UUID]) -> actions.BulkResult:
    actor: Any = request.user
    wanted, team = request.POST.get("to", ""), team_called(request.POST.get("to_team", ""))
    if not wanted and team is None:
        raise RuleViolated("assignee", "Choose who gets them.")
    person = actor if wanted == "me" else None
    if wanted not in {"", "me", "none"}:
        person = User.objects.active().staff().filter(pk=wanted).first() if is_key(wanted) else None
        if person is None:
            raise RuleViolated("assignee", "There is no such colleague.")
    return actions.bulk_assign(keys, person, team=team, actor=actor, at=timezone.now())


def _move_many(request: HttpRequest, keys: list[UUID]) -> actions.BulkResult:
    actor: Any = request.user
    status = request.POST.get("new_status", "")
    if status not in Status.values:
        raise RuleViolated("status", "Choose the status.")
    return actions.bulk_status(keys, status, actor=actor, at=timezone.now())


def _tag_many(request: HttpRequest, keys: list[UUID]) -> actions.BulkResult:
    actor: Any = request.user
    tags = request.POST.get("add_tags", "").split(",")
    return actions.bulk_tag(keys, tags, actor=actor, at=timezone.now())


_BULK = {"assign": _assign_many, "status": _move_many, "tag": _tag_many}


def _tell(request: HttpRequest, result: actions.BulkResult) -> None:
    if result.refused:
        text = f"{len(result.refused)} left as they were: their status does not lead there, or they are not yours."
        messages.warning(request, text)
    if result.edit is not None:
        count = result.edit.tickets
        words = f"{count} ticket{'' if count == 1 else 's'} {result.edit.label}."
        messages.success(request, words, extra_tags=reverse("support:ticket-edit-undo", args=[result.edit.pk]))
    elif result.changed:
        messages.info(request, "Nothing to change: they had it already.")


@requires(GET="tickets.view")
def account_tickets(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """An account's tickets: a tab of its page, or the panel alone for htmx."""
    account, at = account_or_404(request, account_id), timezone.now()
    context = {
        "account": account,
        "tickets": listing.tickets_of_account(request.user, account.pk, at),  # type: ignore[arg-type]
        "incidents": notices_of(account),
        "at": at,
        "may_work": may(request.user, "tickets.work"),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "support/_account_tickets.html", context)
    zone = request.user.workspace_settings.timezone  # type: ignore[union-attr]
    review = next_review(account, today=workspace_day(at, zone))
    context |= {"entitled": entitlements(account), "reach": reach_of(account, at=at), "review": review}
    return render(request, "support/account_tickets.html", frame(request, tab="support:account-tickets", **context))
