"""Incidents: their list, opening one, its page, and moving it along to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.keys import is_key
from accounts.models import Account
from accounts.policy import may, requires
from support import actions, lifecycle
from support.actions.incident_letters import may_send
from support.choices import IncidentStatus
from support.forms.incidents import (
    AnswerForm,
    CloseForm,
    EditIncidentForm,
    IncidentSettingsForm,
    MoveForm,
    NewIncidentForm,
    NoteForm,
    UpdateForm,
)
from support.incident_cells import CSV_HEADINGS, STATUS_TONES, IncidentCells, csv_row
from support.models import Incident, Ticket
from support.queries import incident_letters, listing, record
from support.queries import incidents as queries
from support.queries.incident_scope import chosen_accounts
from support.queries.incidents import IncidentFilters
from support.words import duration, severity_tone
from ui.formats import number
from ui.tables import table


@requires(GET="incidents.view")
def incident_index(request: HttpRequest) -> HttpResponse:
    """Those being worked by their next deadline, in tabs; filters stand in the address."""
    user: Any = request.user
    at = timezone.now()
    filters = IncidentFilters.read(request.GET)
    page, total, sort = queries.incident_list(
        user, filters, request.GET.get("sort", ""), request.GET.get("after", ""), at
    )
    kept = filters.parameters() | ({"sort": sort} if sort != queries.default_sort(filters) else {})
    counts = queries.view_counts(user, filters, at)
    others = {name: value for name, value in filters.parameters().items() if name != "view"}
    context = {
        "filters": filters,
        "parameters": filters.parameters(),
        "page": page,
        "total": total,
        "table": table(
            IncidentCells(at).columns(filters.view), page.rows, f"{number(total)} incidents",
            parameters=filters.parameters(), sort=sort,
        ),
        "tabs": [
            (f"?{urlencode({**others, 'view': view})}", label, counts.get(view), view == filters.view)
            for view, label in queries.VIEWS.items()
        ],
        "next": f"?{urlencode({**kept, 'after': page.next})}" if page.next else "",
        "previous": f"?{urlencode({**kept, 'after': page.previous})}" if page.previous else "",
        "selects": [
            ("severity", "Severity", listing.severities(), filters.severity),
            ("commander", "Led by", [("me", "Me"), ("none", "Nobody"), *listing.assignees()], filters.commander),
        ],
        "export": f"{reverse('support:incident-export')}?{urlencode(kept)}",
        "may_work": may(user, "incidents.work"),
        "may_configure": may(user, "support.configure"),
    }  # fmt: skip
    return render(request, "support/incident_list.html", context)


@requires(GET="incidents.view")
def incident_export(request: HttpRequest) -> HttpResponse:
    """The same rows as the list shows, all of them, as CSV."""
    user: Any = request.user
    rows = queries.all_rows(user, IncidentFilters.read(request.GET), request.GET.get("sort", ""), timezone.now())
    name = f"incidents-{timezone.localdate().isoformat()}.csv"
    return csv_response(name, CSV_HEADINGS, [csv_row(row) for row in rows])


@requires(GET="incidents.work", POST="incidents.work")
def incident_create(request: HttpRequest) -> HttpResponse:
    """Open one; ``?ticket=`` links a ticket and takes its words, ``?account=`` (repeatable) names who is affected."""
    user: Any = request.user
    ticket = _ticket_asked(request)
    accounts = list(chosen_accounts(user, request.GET.getlist("account")).select_related("tier", "owner"))
    initial = (
        {"title": ticket.subject, "severity": ticket.severity, "component": ticket.component, "commander": user}
        if ticket
        else {"commander": user}
    )
    form = NewIncidentForm(request.POST or None, user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        values, made = form.values(), list[Incident]()
        values["accounts"] = [*values["accounts"], *accounts]
        tickets = [ticket] if ticket else []
        if form.run(
            lambda: made.append(actions.open_incident(**values, tickets=tickets, actor=user, at=timezone.now()))
        ):
            messages.success(request, f"{made[0].code} is open.")
            there = made[0].affected.exists()
            return redirect("support:incident-detail" if there else "support:incident-accounts", made[0].pk)
    context = {"form": form, "ticket": ticket, "accounts": accounts, "components": record.components()}
    return render(request, "support/incident_form.html", context, status=422 if form.is_bound else 200)


def _ticket_asked(request: HttpRequest) -> Ticket | None:
    """The ticket of the address, which the reader may work and which tells of no incident yet."""
    key = request.GET.get("ticket", "")
    if not is_key(key):
        return None
    rows = Ticket.objects.workable_by(request.user).filter(pk=key, incident=None)  # type: ignore[arg-type]
    return rows.select_related("account__tier", "account__owner", "severity").first()


def visible_incident(request: HttpRequest, incident_id: UUID) -> Incident:
    """The incident, or 404 where the reader may not see it."""
    found = queries.incident_record(request.user, incident_id, timezone.now())  # type: ignore[arg-type]
    if found is None:
        raise Http404
    return found


def workable_incident(request: HttpRequest, incident_id: UUID) -> Incident:
    """The incident the reader may work: 404 where they may not see it, 403 where they may only read it."""
    found = visible_incident(request, incident_id)
    if not found.is_workable:  # type: ignore[attr-defined]
        raise PermissionDenied("incidents.work")
    return found


@requires(GET="incidents.view")
def incident_detail(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """How it stands, whom it affects, who was told what, and what may be done next."""
    return incident_page(request, visible_incident(request, incident_id))


def incident_page(request: HttpRequest, incident: Incident, status: int = 200, **given: Any) -> HttpResponse:
    """The page; ``given`` replaces a form that was refused. Seven queries, whatever the number of accounts."""
    user: Any = request.user
    at = timezone.now()
    workable = may(user, "incidents.work") and incident.is_workable  # type: ignore[attr-defined]
    is_closed = incident.status == IncidentStatus.CLOSED
    entries = queries.entries_of(incident)
    stages = queries.stage_lines(incident, entries)
    rows, near = queries.affected(user, incident), queries.tickets_near(user, incident, entries)
    tickets = sorted((each for each in near if each.incident_id == incident.pk), key=lambda each: not each.is_active)
    here = lifecycle.place_of(incident.stages, incident.stage) + 1
    context = {
        "incident": incident,
        "tone": STATUS_TONES[IncidentStatus(incident.status)],
        "severity_tone": severity_tone(incident.severity.rank if incident.severity else None),
        "stages": stages,
        "stage": stages[here - 1],
        "place": here,
        "following": _following(incident, here),
        "words": queries.words_said(incident.said, incident.first_notice_at),  # type: ignore[attr-defined]
        "affected": [row for row in rows if row.removed_at is None],
        "tickets": tickets,
        "alike": [each for each in near if workable and _is_alike(each, incident)],
        "waiting": sum(ticket.is_active for ticket in tickets),
        "lines": queries.clock_lines(incident, at),
        "timeline": queries.timeline(incident, entries, rows, near),
        "trail": incident_letters.trail(user, incident),
        "letters": [each for each in incident.letters if may_send(incident, each["key"])],
        "every": duration((incident.update_minutes or 0) * 60),
        "review": getattr(incident, "review", None),
        "follow_ups": actions_shown(user, incident),
        "may_work": workable,
        "is_closed": is_closed,
        "move_form": MoveForm(prefix="move", incident=incident),
        "update_form": UpdateForm(prefix="update"),
        "note_form": NoteForm(prefix="note"),
        "close_form": CloseForm(prefix="close"),
        "answer_form": AnswerForm(prefix="answer"),
        "refused": "",
        "at": at,
        **given,
    }
    return render(request, "support/incident.html", context, status=status)


def _following(incident: Incident, here: int) -> Any:
    """The next stage where entering it asks for nothing; ``here`` stages were entered."""
    ahead = incident.stages[here] if here < len(incident.stages) else None
    return ahead if ahead and not lifecycle.meaning_of(ahead["key"]) else None


def _is_alike(ticket: Any, incident: Incident) -> bool:
    """Whether it waits for the same service, and is linked to no incident."""
    same = ticket.component.casefold() == incident.component.casefold()
    return same and ticket.incident_id is None and ticket.is_active and ticket.is_workable


def actions_shown(user: Any, incident: Incident) -> list[Any]:
    """Its measures on accounts the reader may see, with their CTAs. One query."""
    rows = incident.actions.select_related("account", "owner", "cta")
    return list(rows.filter(account__in=Account.objects.visible_to(user)))


@requires(GET="incidents.work", POST="incidents.work")
def incident_edit(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Change what it says, how bad it is, who leads it, and how often customers are told."""
    incident = workable_incident(request, incident_id)
    names = "title summary severity impact component commander update_minutes calendar review_required".split()
    initial = {name: getattr(incident, name) for name in [*names, "version"]}
    form = EditIncidentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and form.run(lambda: _change(request, incident, form.cleaned_data)):
        return done(request, incident, "The incident is changed.")
    context = {"form": form, "incident": incident, "components": record.components()}
    return render(request, "support/incident_form.html", context, status=422 if form.is_bound else 200)


def _change(request: HttpRequest, incident: Incident, data: dict[str, Any]) -> None:
    values = dict(data)
    seen = values.pop("version")
    actor: Any = request.user
    actions.update_incident(incident, **values, expected_version=seen, actor=actor, at=timezone.now())


def done(request: HttpRequest, incident: Incident, text: str) -> HttpResponse:
    """Back to the incident, saying what was done."""
    messages.success(request, text)
    return redirect("support:incident-detail", incident.pk)


def seen_version(request: HttpRequest) -> int | None:
    """The version the reader's page showed; None where it names none."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else None


def with_form(
    request: HttpRequest, incident: Incident, name: str, form: Any, act: Callable[[dict[str, Any]], Any], text: str
) -> HttpResponse:
    """Run ``act`` if the form of this part of the page is right; else show the page with what is wrong."""
    given = {"actor": request.user, "at": timezone.now(), "expected_version": seen_version(request)}
    if form.is_valid() and form.run(lambda: act({**form.cleaned_data, **given})):
        return done(request, incident, text)
    return incident_page(
        request, visible_incident(request, incident.pk), 422, **{f"{name}_form": form, "refused": name}
    )


@requires(POST="incidents.work")
def incident_move(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Move it along its stages, or back with a reason."""
    incident = workable_incident(request, incident_id)
    form = MoveForm(request.POST, prefix="move", incident=incident)
    return with_form(
        request,
        incident,
        "move",
        form,
        lambda data: actions.move_incident(incident, data.pop("stage"), **data),
        "Moved.",
    )


@requires(POST="incidents.work")
def incident_update(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Say how it stands; the next word is promised from now on."""
    incident = workable_incident(request, incident_id)
    form = UpdateForm(request.POST, prefix="update")
    return with_form(
        request, incident, "update", form,
        lambda data: actions.post_incident_update(incident, data.pop("body"), **data), "The update is posted.",
    )  # fmt: skip


@requires(POST="incidents.work")
def incident_note(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Note something internal, of now or of a moment before."""
    incident = workable_incident(request, incident_id)
    form = NoteForm(request.POST, prefix="note")
    return with_form(
        request,
        incident,
        "note",
        form,
        lambda data: actions.note_incident(incident, data.pop("body"), **data),
        "Noted.",
    )


@requires(POST="incidents.work")
def incident_close(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Close it; asks for the customers' agreement and the review where they are due (FMEA-6.5)."""
    incident = workable_incident(request, incident_id)
    form = CloseForm(request.POST, prefix="close")
    return with_form(
        request,
        incident,
        "close",
        form,
        lambda data: actions.close_incident(incident, **data),
        f"{incident.code} is closed.",
    )


@requires(POST="incidents.work")
def incident_reopen(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Work a resolved or closed one again."""
    incident = workable_incident(request, incident_id)
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now(), "expected_version": seen_version(request)}
    try:
        actions.reopen_incident(incident, reason=request.POST.get("reason", ""), **given)
    except RuleViolated as broken:
        messages.error(request, str(broken.message))
        return redirect("support:incident-detail", incident.pk)
    return done(request, incident, f"{incident.code} is being worked again.")


@requires(GET="support.configure", POST="support.configure")
def incident_settings(request: HttpRequest) -> HttpResponse:
    """How often customers are told by default, and until when a review is written."""
    row = actions.settings_shown()
    initial = {"review_within_days": row.review_within_days}
    form = IncidentSettingsForm(request.POST or None, minutes=row.incident_update_minutes, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = {"actor": request.user, "at": timezone.now()}
        if form.run(
            lambda: actions.configure_incidents(form.minutes(), form.cleaned_data["review_within_days"], **given)
        ):
            messages.success(request, "The settings are saved.")
            return redirect("support:incident-settings")
    return render(request, "support/incident_settings.html", {"form": form}, status=422 if form.is_bound else 200)
