"""``support/tickets``: tickets, their conversation, the promises about them and why they are due when they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from api.schema import IF_MATCH
from api.serializers import QuerySerializer, RowSerializer
from api.v1.ticket_inputs import (
    NewMessage,
    NewTicket,
    TicketRecord,
    colleague_called,
    contact_called,
    impact_in,
    may_open,
    severity_called,
    visible_ticket,
    workable_ticket,
)
from api.views import Endpoint
from support import actions
from support.choices import Channel, Level, Status, TicketType
from support.models import Message, SlaClock, Ticket
from support.queries.explain import clocks_of, explain_clock

MOST_EXPLAINED = 40


class TicketSerializer(RowSerializer):
    class Meta:
        model = Ticket
        fields = """id number subject account account_name requester channel type component category severity impact
            priority status level team assignee tags custom timezone next_due_at next_due_clock breached_at created_at
            snoozed_at snoozed_until first_responded_at
            resolved_at closed_at reopened_count solved_at_first_contact minutes_spent csat_score
            root_cause engineering_reference merged_into source external_id version""".split()
        paths = {
            "account_name": "account__name", "requester": "requester__email", "severity": "severity__key",
            "team": "team__key", "assignee": "assignee__email", "merged_into": "merged_into__number",
        }  # fmt: skip
        blank_as_null = ("next_due_clock",)
        versioned = True


class TicketQuery(QuerySerializer):
    account = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    severity = serializers.CharField(source="severity__key")
    type = serializers.ChoiceField(TicketType.choices)
    component = serializers.CharField()
    channel = serializers.ChoiceField(Channel.choices)
    level = serializers.ChoiceField(Level.choices)
    assignee = serializers.EmailField(source="assignee__email__iexact")
    team = serializers.CharField(source="team__key")
    number = serializers.IntegerField(min_value=1, max_value=2**53)
    external_id = serializers.CharField()


class TicketList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "tickets.work"}
    serializer_class = TicketSerializer
    query_class = TicketQuery
    ordering_fields = {"id": "pk", "number": "number", "created_at": "created_at", "priority": "priority"}
    ordering = "-number"

    @extend_schema(summary="List tickets")
    def get(self, request: Request) -> Response:
        return self.page(Ticket.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(
        summary="Open a ticket",
        description="Its service level follows from the account's tier, its deadlines from created_at.",
        request=NewTicket,
    )
    def post(self, request: Request) -> Response:
        values = self.read(NewTicket)
        account: Account = values.pop("account")
        may_open(self.user, account)
        requester = values.pop("requester", "")
        given = {
            "severity": severity_called(values.pop("severity", ""), required=True),
            "impact": impact_in(values),
            "requester": contact_called(account, requester) if requester else None,
            "assignee": colleague_called(self.user, values.pop("assignee", "")),
            "opened_by_staff": values.pop("opened_by", "customer") == "staff",
            "channel": values.pop("channel", "") or Channel.API,
            "status": values.pop("status", "") or Status.NEW,
        }
        values["custom"] = actions.clean_custom(values.get("custom") or {}, required=True)
        ticket = actions.open_ticket(account, actor=self.user, at=timezone.now(), **given, **values)
        return self.one(Ticket.objects.all(), 201, pk=ticket.pk)


class TicketDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "tickets.work"}
    serializer_class = TicketSerializer

    @extend_schema(summary="Read a ticket")
    def get(self, request: Request, ticket_id: UUID) -> Response:
        return self.one(Ticket.objects.visible_to(self.user), pk=ticket_id)

    @extend_schema(summary="Change a ticket's details", request=TicketRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(TicketRecord, partial=True)
        if "requester" in values:
            values["requester"] = contact_called(ticket.account, values["requester"]) if values["requester"] else None
        if "impact" in values:
            values["impact"] = impact_in(values)
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.update_ticket(ticket, **given, **values)
        return self.one(Ticket.objects.all(), pk=ticket_id)


class MessageSerializer(RowSerializer):
    class Meta:
        model = Message
        fields = """id ticket is_internal from_customer is_automatic author contact channel body delivery sent_at
            created_at""".split()
        paths = {"author": "author__email", "contact": "contact__email"}


class MessageList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "tickets.work"}
    serializer_class = MessageSerializer
    ordering_fields = {"created_at": "created_at"}
    ordering = "created_at"

    @extend_schema(summary="A ticket's conversation")
    def get(self, request: Request, ticket_id: UUID) -> Response:
        ticket = visible_ticket(self.user, ticket_id)
        return self.page(Message.objects.visible_to(self.user).filter(ticket=ticket))

    @extend_schema(summary="Answer, note, or take a message of the customer's", request=NewMessage)
    def post(self, request: Request, ticket_id: UUID) -> Response:
        ticket = workable_ticket(self.user, ticket_id)
        values = self.read(NewMessage)
        kind, at = values.pop("kind", "") or "reply", timezone.now()
        if kind == "note":
            message = actions.note(ticket, values["body"], actor=self.user, at=at)
        elif kind == "customer":
            contact = ticket.requester
            message = actions.customer_reply(ticket, values["body"], contact=contact, at=at, actor=self.user)
        else:
            status = values.get("status", "")
            message = actions.reply(ticket, values["body"], actor=self.user, at=at, status=status)
        return self.one(Message.objects.all(), 201, pk=message.pk)


CLOCK_FIELDS = """kind cycle target_seconds strict started_at due_at stopped_at consumed_seconds paused_seconds
    remaining_seconds missed_at verdict""".split()


class ClockSerializer(RowSerializer):
    policy = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = SlaClock
        fields = [*CLOCK_FIELDS, "policy"]
        paths = {"policy": "policy_version__policy__key"}


class TicketClocks(Endpoint):
    policy = {"GET": "tickets.view"}
    serializer_class = ClockSerializer
    ordering_fields = {"started_at": "started_at"}
    ordering = "started_at"

    @extend_schema(summary="The promises about a ticket")
    def get(self, request: Request, ticket_id: UUID) -> Response:
        return self.page(SlaClock.objects.filter(ticket=visible_ticket(self.user, ticket_id)))


class TicketExplain(Endpoint):
    policy = {"GET": "tickets.view"}

    @extend_schema(
        summary="Why a ticket is due when it is",
        description="Every stretch of time since the start of each promise, counted or skipped, and the reason.",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, ticket_id: UUID) -> Response:
        ticket = visible_ticket(self.user, ticket_id)
        at, settings = timezone.now(), actions.settings_row()
        found = [explain_clock(clock, settings, at=at) for clock in clocks_of(ticket)[:MOST_EXPLAINED]]
        return Response({"as_of": at.isoformat(), "clocks": [_explained(each) for each in found if each]})


def _explained(each: Any) -> dict[str, Any]:
    clock = each.clock
    return {
        "clock": clock.kind,
        "cycle": clock.cycle,
        "policy": clock.policy_version.policy.key if clock.policy_version else None,
        "timezone": each.zone,
        "target_seconds": clock.target_seconds,
        "due_at": clock.due_at.isoformat() if clock.due_at else None,
        "verdict": clock.verdict,
        "counted_seconds": each.counted.total_seconds(),
        "intervals": [
            {
                "from": part.start.isoformat(),
                "to": part.end.isoformat(),
                "counts": part.counts,
                "why": part.why,
                "seconds": part.length.total_seconds(),
                "used_seconds": part.used.total_seconds(),
            }
            for part in each.intervals
        ],
    }


urlpatterns = [
    path("support/tickets/", TicketList.as_view(), name="ticket-list"),
    path("support/tickets/<uuid:ticket_id>/", TicketDetail.as_view(), name="ticket-detail"),
    path("support/tickets/<uuid:ticket_id>/messages/", MessageList.as_view(), name="ticket-messages"),
    path("support/tickets/<uuid:ticket_id>/clocks/", TicketClocks.as_view(), name="ticket-clocks"),
    path("support/tickets/<uuid:ticket_id>/explain/", TicketExplain.as_view(), name="ticket-explain"),
]
