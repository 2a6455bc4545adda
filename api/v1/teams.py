"""``support/teams``: teams, their people, who is away, and where routing would send a ticket."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Tier, WorkCalendar
from api.schema import IF_MATCH
from api.serializers import MomentField, QuerySerializer, RowSerializer
from api.v1.sla import body_of
from api.v1.ticket_inputs import active_colleague, visible_ticket, workable_ticket
from api.views import Endpoint
from support import actions
from support.choices import Level, Routing
from support.models import Team, TeamSeat, Ticket
from support.queries.teams import loads, route_of
from support.routing import Route

WORDS = serializers.ListField


class TeamSerializer(RowSerializer):
    tiers = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="Keys of tiers it serves")

    class Meta:
        model = Team
        fields = "id key name level skills tiers calendar retired_at version".split()
        paths = {"calendar": "calendar__key"}
        extended = ("tiers",)
        versioned = True

    def extend(self, rows: Any) -> None:
        """Put the tiers on every row. One query."""
        found: dict[Any, list[str]] = defaultdict(list)
        pairs = Team.tiers.through.objects.filter(team__in=[row["_pk"] for row in rows]).order_by("tier__key")
        for team, key in pairs.values_list("team", "tier__key"):
            found[team].append(key)
        for row in rows:
            row["tiers"] = found[row["_pk"]]


class TeamBody(serializers.Serializer):
    """A team: which line it is, whom it serves, what it knows, when it works."""

    key = serializers.SlugField(max_length=60, required=False)
    name = serializers.CharField(max_length=120)
    level = serializers.ChoiceField(Level.choices, default=Level.FIRST)
    skills = WORDS(child=serializers.CharField(max_length=60), default=list, max_length=30)
    tiers = serializers.SlugRelatedField(slug_field="key", queryset=Tier.objects.none(), many=True, default=list)
    calendar = serializers.SlugRelatedField(
        slug_field="key", queryset=WorkCalendar.objects.none(), allow_null=True, default=None
    )

    def get_fields(self) -> dict[str, Any]:
        """The tiers and calendars of the workspace that asks."""
        found = super().get_fields()
        found["tiers"].child_relation.queryset = Tier.objects.all()
        found["calendar"].queryset = WorkCalendar.objects.all()
        return found


class TeamPatch(TeamBody):
    """What of a team can be changed; its key stays."""

    key = None


class TeamQuery(QuerySerializer):
    level = serializers.ChoiceField(Level.choices)


class TeamList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "support.configure"}
    serializer_class = TeamSerializer
    query_class = TeamQuery
    ordering_fields = {"key": "key", "name": "name", "level": "level"}
    ordering = "name"

    @extend_schema(summary="List teams")
    def get(self, request: Request) -> Response:
        return self.page(Team.objects.filter(retired_at=None, **self.query))

    @extend_schema(summary="Add a team", request=TeamBody)
    def post(self, request: Request) -> Response:
        team = actions.save_team(None, actor=self.user, at=timezone.now(), **body_of(self, TeamBody))
        return self.one(Team.objects.all(), 201, pk=team.pk)


class TeamDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure", "DELETE": "support.configure"}
    serializer_class = TeamSerializer

    @extend_schema(summary="Read a team")
    def get(self, request: Request, key: str) -> Response:
        return self.one(Team.objects.filter(retired_at=None), key=key)

    @extend_schema(summary="Change a team", request=TeamPatch, parameters=[IF_MATCH])
    def patch(self, request: Request, key: str) -> Response:
        team = _team(key)
        values = {"name": team.name, "level": team.level, "skills": team.skills, "calendar": team.calendar}
        values |= {"tiers": list(team.tiers.all())} | body_of(self, TeamPatch, partial=True)
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.save_team(team, **values, **given)
        return self.one(Team.objects.all(), key=key)

    @extend_schema(summary="Take a team away")
    def delete(self, request: Request, key: str) -> Response:
        actions.retire_team(_team(key), actor=self.user, at=timezone.now())
        return Response(status=204)


class SeatSerializer(RowSerializer):
    load = serializers.IntegerField(read_only=True, help_text="Active tickets they have, of any team")

    class Meta:
        model = TeamSeat
        fields = "id team user name skills capacity away_until last_routed_at load".split()
        paths = {"team": "team__key", "user": "user__email", "name": "user__name"}
        extended = ("load",)

    def extend(self, rows: Any) -> None:
        """Put the load on every row. Two queries."""
        people = dict(TeamSeat.objects.filter(pk__in=[row["_pk"] for row in rows]).values_list("pk", "user"))
        carried = loads(people.values())
        for row in rows:
            row["load"] = carried.get(people[row["_pk"]], 0)


class SeatBody(serializers.Serializer):
    """Somebody's place on a team. ``away_until`` holds for every team they are on."""

    user = serializers.CharField(max_length=254, help_text="E-mail address or id of a colleague")
    skills = WORDS(child=serializers.CharField(max_length=60), default=list, max_length=30)
    capacity = serializers.IntegerField(min_value=1, max_value=500, default=20)
    away_until = MomentField(allow_null=True, required=False)


class SeatPatch(SeatBody):
    """What of a place can be changed."""

    user = None


class SeatQuery(QuerySerializer):
    team = serializers.CharField(source="team__key")
    user = serializers.EmailField(source="user__email__iexact")


class SeatList(Endpoint):
    policy = {"GET": "tickets.view"}
    serializer_class = SeatSerializer
    query_class = SeatQuery
    ordering_fields = {"id": "pk", "user": "user__email"}
    ordering = "user"

    @extend_schema(summary="Who is on which team, how loaded they are, and who is away")
    def get(self, request: Request) -> Response:
        return self.page(TeamSeat.objects.filter(**self.query))


class TeamSeats(Endpoint):
    policy = {"POST": "support.configure"}
    serializer_class = SeatSerializer

    @extend_schema(summary="Put somebody on a team, or change their place", request=SeatBody)
    def post(self, request: Request, key: str) -> Response:
        team, values, at = _team(key), body_of(self, SeatBody), timezone.now()
        person = active_colleague(values.pop("user"), field="user")
        away = "away_until" in values
        until = values.pop("away_until", None)
        with transaction.atomic():
            row = actions.seat(team, person, actor=self.user, at=at, **values)
            if away and until != row.away_until:
                actions.set_away(person, until, actor=self.user, at=at)
        return self.one(TeamSeat.objects.all(), 201, pk=row.pk)


class SeatDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure", "DELETE": "support.configure"}
    serializer_class = SeatSerializer

    @extend_schema(summary="Read a place on a team")
    def get(self, request: Request, seat_id: UUID) -> Response:
        return self.one(TeamSeat.objects.all(), pk=seat_id)

    @extend_schema(summary="Change a place on a team", request=SeatPatch)
    def patch(self, request: Request, seat_id: UUID) -> Response:
        row, at = _seat(seat_id), timezone.now()
        values = body_of(self, SeatPatch, partial=True)
        kept = {"skills": row.skills, "capacity": row.capacity}
        with transaction.atomic():
            if "away_until" in values:
                actions.set_away(row.user, values.pop("away_until"), actor=self.user, at=at)
            actions.seat(row.team, row.user, actor=self.user, at=at, **(kept | values))
        return self.one(TeamSeat.objects.all(), pk=seat_id)

    @extend_schema(summary="Take somebody off a team")
    def delete(self, request: Request, seat_id: UUID) -> Response:
        actions.leave_team(_seat(seat_id), actor=self.user, at=timezone.now())
        return Response(status=204)


class ModeBody(serializers.Serializer):
    """How far new tickets are given on by themselves."""

    routing = serializers.ChoiceField(Routing.choices)


class RoutingMode(Endpoint):
    policy = {"GET": "tickets.view", "PUT": "support.configure"}

    @extend_schema(summary="How far new tickets are given on by themselves", responses=ModeBody)
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        return Response({"routing": actions.settings_shown().routing})

    @extend_schema(summary="Set how far new tickets are given on", request=ModeBody, responses=ModeBody)
    def put(self, request: Request) -> Response:
        values = body_of(self, ModeBody)
        actions.set_routing(values["routing"], actor=self.user, at=timezone.now())
        return Response(values)


class TicketRouting(Endpoint):
    policy = {"GET": "tickets.view", "POST": "tickets.work"}

    @extend_schema(
        summary="Whom routing would give a ticket to, and why",
        description="Every team and person that was looked at, with the reason. Nothing is changed.",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, ticket_id: UUID) -> Response:
        ticket = visible_ticket(self.user, ticket_id)
        return Response(_told(route_of(ticket, at=timezone.now())))

    @extend_schema(summary="Give a ticket to whom routing chooses", request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket: Ticket = workable_ticket(self.user, ticket_id)
        return Response(_told(actions.route_ticket(ticket, actor=self.user, at=timezone.now())))


def _told(chosen: Route) -> dict[str, Any]:
    return {
        "team": chosen.crew.name if chosen.crew else None,
        "assignee": chosen.person.name if chosen.person else None,
        "skills": sorted(chosen.wanted),
        "steps": [
            {"name": step.name, "kind": "team" if step.is_team else "person", "chosen": step.chosen, "why": step.why}
            for step in chosen.steps
        ],
    }


def _team(key: str) -> Team:
    found = Team.objects.filter(retired_at=None, key=key).select_related("calendar").first()
    if found is None:
        raise Http404
    return found


def _seat(seat_id: UUID) -> TeamSeat:
    found = TeamSeat.objects.select_related("team", "user").filter(pk=seat_id).first()
    if found is None:
        raise Http404
    return found


urlpatterns = [
    path("support/teams/", TeamList.as_view(), name="team-list"),
    path("support/teams/<slug:key>/", TeamDetail.as_view(), name="team-detail"),
    path("support/teams/<slug:key>/seats/", TeamSeats.as_view(), name="team-seats"),
    path("support/seats/", SeatList.as_view(), name="seat-list"),
    path("support/seats/<uuid:seat_id>/", SeatDetail.as_view(), name="seat-detail"),
    path("support/routing/", RoutingMode.as_view(), name="routing"),
    path("support/tickets/<uuid:ticket_id>/routing/", TicketRouting.as_view(), name="ticket-routing"),
]
