"""Teams: who answers which tickets, who is away, and what routing would do with a ticket and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.policy import may, requires
from support import actions
from support.forms.teams import AwayForm, RoutingForm, SeatForm, TeamForm, TryRoutingForm
from support.models import Team, TeamSeat, Ticket
from support.queries.channels import levels_shown
from support.queries.teams import Roster, rosters, route_of, teams_shown
from support.views.tickets import workable_ticket


@requires(GET="tickets.view")
def team_list(request: HttpRequest) -> HttpResponse:
    """Every team with its people, how loaded they are and who is away."""
    settings = actions.settings_shown()
    at, user = timezone.now(), request.user
    found = rosters(at=at)
    mine = next((member.seat for each in found for member in each.members if member.seat.user_id == user.pk), None)
    away = mine.away_until if mine and mine.away_until and mine.away_until > at else None
    context = {
        "rosters": found,
        "may_configure": may(user, "support.configure"),
        "levels": levels_shown(),
        "routing": settings.get_routing_display(),
        "routing_form": RoutingForm(initial={"routing": settings.routing}),
        "away_form": AwayForm(initial={"away_until": away}) if mine and may(user, "tickets.work") else None,
    }
    return render(request, "support/team_list.html", context)


@requires(GET="support.configure", POST="support.configure")
def team_create(request: HttpRequest) -> HttpResponse:
    """Make a team."""
    return _write(request, None)


@requires(GET="support.configure", POST="support.configure")
def team_edit(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Write a team anew, and see who is on it."""
    return _write(request, _team(team_id))


def _write(request: HttpRequest, team: Team | None) -> HttpResponse:
    user: Any = request.user
    form = TeamForm(request.POST or None, initial=_initial(team) if team else {})
    given = {"actor": user, "at": timezone.now()}
    made: list[Team] = []
    save = lambda: made.append(actions.save_team(team, **form.cleaned_data, **given))  # noqa: E731
    if form.is_bound and form.is_valid() and form.run(save):
        messages.success(request, f"{made[0].name} is saved.")
        return redirect("support:team-edit", made[0].pk)
    context = {"form": form, "team": team, "roster": _roster(team) if team else None, "seat_form": SeatForm()}
    return render(request, "support/team_form.html", context, status=422 if form.is_bound else 200)


@requires(POST="support.configure")
def team_retire(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Take a team away that no active ticket is with."""
    team = _team(team_id)
    try:
        actions.retire_team(team, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except RuleViolated as broken:
        messages.error(request, str(broken))
        return redirect("support:team-edit", team.pk)
    messages.success(request, f"{team.name} is taken away.")
    return redirect("support:team-list")


@requires(POST="support.configure")
def seat_add(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Put a colleague on a team, or change their place there."""
    team = _team(team_id)
    form = SeatForm(request.POST)
    given = {"actor": request.user, "at": timezone.now()}
    if form.is_valid() and form.run(lambda: actions.seat(team, **form.cleaned_data, **given)):
        messages.success(request, f"{form.cleaned_data['user']} is on {team.name}.")
        return redirect("support:team-edit", team.pk)
    context = {"form": TeamForm(initial=_initial(team)), "team": team, "roster": _roster(team), "seat_form": form}
    return render(request, "support/team_form.html", context, status=422)


@requires(GET="support.configure", POST="support.configure")
def seat_edit(request: HttpRequest, seat_id: UUID) -> HttpResponse:
    """What somebody knows and takes on a team, and until when they are away."""
    row = _seat(seat_id)
    at = timezone.now()
    # Who was away and is back stands there as at work.
    until = row.away_until if row.away_until and row.away_until > at else None
    form = SeatForm(request.POST or None, only=row.user, initial={"skills": row.skills, "capacity": row.capacity})
    away = AwayForm(request.POST or None, initial={"away_until": until})
    if form.is_bound and form.is_valid() and away.is_valid() and _save_seat(row, form, away, actor=request.user, at=at):
        messages.success(request, f"{row.user} is saved.")
        return redirect("support:team-edit", row.team_id)
    context = {"form": form, "away_form": away, "seat": row}
    return render(request, "support/seat_form.html", context, status=422 if form.is_bound else 200)


def _save_seat(row: TeamSeat, form: SeatForm, away: AwayForm, **given: Any) -> bool:
    """Both or neither: False, with the error at its field, where one is refused."""
    with transaction.atomic():
        saved = form.run(lambda: actions.seat(row.team, row.user, **form.cleaned_data, **given))
        if saved and away.until() != row.away_until:
            saved = away.run(lambda: actions.set_away(row.user, away.until(), **given))
        if not saved:
            transaction.set_rollback(True)
    return saved


@requires(POST="support.configure")
def seat_remove(request: HttpRequest, seat_id: UUID) -> HttpResponse:
    """Take somebody off a team; their tickets stay theirs."""
    row = _seat(seat_id)
    actions.leave_team(row, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    messages.success(request, f"{row.user} is no longer on {row.team.name}.")
    return redirect("support:team-edit", row.team_id)


@requires(POST="tickets.work")
def away(request: HttpRequest) -> HttpResponse:
    """One's own absence: routing passes one by until then."""
    user: Any = request.user
    form = AwayForm(request.POST)
    if form.is_valid() and form.run(lambda: actions.set_away(user, form.until(), actor=user, at=timezone.now())):
        messages.success(request, "You are away." if form.until() else "You are back.")
    else:
        messages.error(request, "; ".join(message for errors in form.errors.values() for message in errors))
    return redirect("support:team-list")


@requires(POST="support.configure")
def routing_mode(request: HttpRequest) -> HttpResponse:
    """How far new tickets are given on by themselves."""
    form = RoutingForm(request.POST)
    given: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
    if form.is_valid() and form.run(lambda: actions.set_routing(form.cleaned_data["routing"], **given)):
        messages.success(request, "Saved.")
    else:
        messages.error(request, "Choose one of the three.")
    return redirect("support:team-list")


@requires(GET="tickets.view")
def try_routing(request: HttpRequest) -> HttpResponse:
    """What routing would do with a ticket now, team by team and person by person. Nothing is changed."""
    user: Any = request.user
    form = TryRoutingForm(request.GET or None)
    ticket = chosen = None
    if form.is_bound and form.is_valid():
        ticket = Ticket.objects.visible_to(user).select_related("account").filter(number=form.cleaned_data["number"])
        ticket = ticket.first()
        if ticket is None:
            form.add_error("number", "There is no such ticket.")
        else:
            chosen = route_of(ticket, at=timezone.now())
    may_route = ticket is not None and Ticket.objects.workable_by(user).filter(pk=ticket.pk).exists()
    context = {"form": form, "ticket": ticket, "chosen": chosen, "may_route": may_route and may(user, "tickets.work")}
    return render(request, "support/try_routing.html", context, status=422 if form.errors else 200)


@requires(POST="tickets.work")
def route(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """Give a ticket to whom routing chooses now."""
    ticket = workable_ticket(request, ticket_id)
    chosen = actions.route_ticket(ticket, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    if chosen.crew is None:
        messages.warning(request, "No team takes tickets like this one. Nothing was changed.")
    elif chosen.person is None:
        messages.success(request, f"It waits in the queue of {chosen.crew.name}: nobody is free.")
    else:
        messages.success(request, f"{chosen.person.name} of {chosen.crew.name} has it.")
    return redirect("support:ticket-detail", ticket.pk)


def _team(team_id: UUID) -> Team:
    return get_object_or_404(teams_shown(), pk=team_id)


def _roster(team: Team) -> Roster:
    return rosters(at=timezone.now(), team_id=team.pk)[0]


def _seat(seat_id: UUID) -> TeamSeat:
    row = TeamSeat.objects.select_related("team", "user").filter(pk=seat_id).first()
    if row is None:
        raise Http404
    return row


def _initial(team: Team) -> dict[str, Any]:
    return {
        "name": team.name,
        "level": team.level,
        "skills": team.skills,
        "tiers": list(team.tiers.all()),
        "calendar": team.calendar,
    }
