"""``support/tickets/{id}/…``: what can be done with a ticket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import Field, FieldError, choice, moment, text, whole
from api.schema import IF_MATCH
from api.serializers import invalid, record
from api.v1.ticket_inputs import colleague_called, id_in, other_ticket, severity_called, workable_ticket
from api.v1.tickets import TicketSerializer
from api.views import Endpoint
from support import actions
from support.choices import LinkKind, Status
from support.models import Message, Ticket


class TicketVerb(Endpoint):
    """One verb on one ticket; ``body`` reads what it needs."""

    policy = {"POST": "tickets.work"}
    serializer_class = TicketSerializer

    def done(self, ticket_id: UUID) -> Response:
        """The ticket as it is now."""
        return self.one(Ticket.objects.all(), pk=ticket_id)

    @property
    def given(self) -> dict[str, Any]:
        """Who acts, when, and on which version."""
        return {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}


StatusBody = record(
    "TicketStatus",
    {
        "status": choice(Status.values),
        "reason": text(300),
        "confirmed": Field(bool, {"type": "boolean"}, help="The customer agreed to close it"),
    },
)
SeverityBody = record("TicketSeverity", {"severity": text(60, required=True), "reason": text(300)})
AssignBody = record("TicketAssign", {"assignee": text(254, help="E-mail address or id; empty: nobody")})
SnoozeBody = record("TicketSnooze", {"until": moment(help="Absent: until the customer writes")})
LevelBody = record("TicketLevel", {"level": whole(1, 4), "reason": text(300, required=True)})
OtherBody = record(
    "TicketOther", {"ticket": text(36, required=True, help="Id"), "kind": choice(LinkKind.values, empty="related")}
)
SplitBody = record("TicketSplit", {"message": text(36, required=True, help="Id"), "subject": text(300, required=True)})
RateBody = record("TicketRate", {"score": whole(1, 5), "comment": text(4000, lines=True)})
TimeBody = record("TicketTime", {"minutes": whole(1, 1440), "note": text(200)})


class TicketStatus(TicketVerb):
    @extend_schema(summary="Move a ticket to another status", request=StatusBody, parameters=[IF_MATCH])
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(StatusBody)
        if not values.get("status"):
            raise invalid(FieldError("status", "required", "Name a status."))
        actions.change_status(ticket, values.pop("status"), **self.given, **values)
        return self.done(ticket_id)


class TicketSeverity(TicketVerb):
    @extend_schema(
        summary="Change how bad it is",
        description="Open deadlines follow, counted from the start; what was judged stays.",
        request=SeverityBody,
        parameters=[IF_MATCH],
    )
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(SeverityBody)
        severity = severity_called(values.pop("severity"), required=True)
        actions.change_severity(ticket, severity, **self.given, **values)
        return self.done(ticket_id)


class TicketAssign(TicketVerb):
    @extend_schema(summary="Give a ticket to a colleague", request=AssignBody, parameters=[IF_MATCH])
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        assignee = colleague_called(self.user, self.read(AssignBody).get("assignee", ""))
        actions.assign(ticket, assignee, **self.given)
        return self.done(ticket_id)


class TicketSnooze(TicketVerb):
    @extend_schema(
        summary="Set a ticket aside",
        description="It leaves the queue until the moment or the customer's next message; its promises run on.",
        request=SnoozeBody,
        parameters=[IF_MATCH],
    )
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        actions.snooze(ticket, self.read(SnoozeBody).get("until"), **self.given)
        return self.done(ticket_id)


class TicketWake(TicketVerb):
    @extend_schema(summary="Bring a ticket back into the queue", request=None, parameters=[IF_MATCH])
    def post(self, request: Request, ticket_id: UUID) -> Response:
        actions.wake(workable_ticket(self.user, ticket_id), **self.given)
        return self.done(ticket_id)


class TicketLevel(TicketVerb):
    @extend_schema(summary="Pass a ticket to another line of support", request=LevelBody, parameters=[IF_MATCH])
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(LevelBody)
        if values.get("level") is None:
            raise invalid(FieldError("level", "required", "Name a level, 1 to 4."))
        actions.change_level(ticket, values["level"], reason=values["reason"], **self.given)
        return self.done(ticket_id)


class TicketMerge(TicketVerb):
    @extend_schema(summary="Make a ticket part of another", request=OtherBody, responses=TicketSerializer)
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        other = other_ticket(self.user, self.read(OtherBody)["ticket"])
        actions.merge(ticket, other, actor=self.user, at=timezone.now())
        return self.done(other.pk)


class TicketLinkVerb(TicketVerb):
    @extend_schema(summary="Note that two tickets belong together", request=OtherBody, responses=TicketSerializer)
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(OtherBody)
        other = other_ticket(self.user, values["ticket"])
        actions.link(ticket, other, kind=values.get("kind") or "related", actor=self.user, at=timezone.now())
        return self.done(ticket_id)


class TicketSplit(TicketVerb):
    @extend_schema(
        summary="Open a ticket of its own for a message and what follows it",
        request=SplitBody,
        responses={201: TicketSerializer},
    )
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(SplitBody)
        message = Message.objects.filter(ticket=ticket, pk=id_in(values["message"], "message")).first()
        if message is None:
            raise invalid(FieldError("message", "unknown", "This ticket has no such message."))
        new = actions.split(ticket, message, subject=values["subject"], actor=self.user, at=timezone.now())
        return self.one(Ticket.objects.all(), 201, pk=new.pk)


class TicketRate(TicketVerb):
    @extend_schema(summary="Keep the customer's rating of a resolution", request=RateBody)
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(RateBody)
        if values.get("score") is None:
            raise invalid(FieldError("score", "required", "Give 1 to 5."))
        actions.rate(ticket, actor=self.user, at=timezone.now(), **values)
        return self.done(ticket_id)


class TicketTime(TicketVerb):
    @extend_schema(summary="Log time spent", request=TimeBody)
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(TimeBody)
        if values.get("minutes") is None:
            raise invalid(FieldError("minutes", "required", "Give minutes."))
        actions.log_time(ticket, actor=self.user, at=timezone.now(), **values)
        return self.done(ticket_id)


urlpatterns = [
    path("support/tickets/<uuid:ticket_id>/status/", TicketStatus.as_view(), name="ticket-status"),
    path("support/tickets/<uuid:ticket_id>/severity/", TicketSeverity.as_view(), name="ticket-severity"),
    path("support/tickets/<uuid:ticket_id>/assign/", TicketAssign.as_view(), name="ticket-assign"),
    path("support/tickets/<uuid:ticket_id>/snooze/", TicketSnooze.as_view(), name="ticket-snooze"),
    path("support/tickets/<uuid:ticket_id>/wake/", TicketWake.as_view(), name="ticket-wake"),
    path("support/tickets/<uuid:ticket_id>/level/", TicketLevel.as_view(), name="ticket-level"),
    path("support/tickets/<uuid:ticket_id>/merge/", TicketMerge.as_view(), name="ticket-merge"),
    path("support/tickets/<uuid:ticket_id>/link/", TicketLinkVerb.as_view(), name="ticket-link"),
    path("support/tickets/<uuid:ticket_id>/split/", TicketSplit.as_view(), name="ticket-split"),
    path("support/tickets/<uuid:ticket_id>/rate/", TicketRate.as_view(), name="ticket-rate"),
    path("support/tickets/<uuid:ticket_id>/time/", TicketTime.as_view(), name="ticket-time"),
]
