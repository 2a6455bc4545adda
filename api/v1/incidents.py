"""``support/incidents``: what is broken for many accounts, from its detection to its review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import Field, FieldError, choice, moment, text, whole, yes_no
from accounts.models import User, WorkCalendar
from api.problems import Problem
from api.schema import IF_MATCH
from api.serializers import QuerySerializer, RowSerializer, invalid, record
from api.v1.incident_inputs import accounts_in, tickets_in, ways_in
from api.v1.ticket_inputs import STRINGS, colleague_called, severity_called
from api.v1.ticket_inputs import strings as read_strings
from api.v1.tickets import ClockSerializer
from api.views import Endpoint
from support import actions
from support.choices import EntryKind, Impact, IncidentStatus
from support.models import Incident, IncidentAccount, IncidentEntry, SlaClock, Ticket
from support.queries.incidents import words_of

WAYS = {
    "accounts": Field(read_strings, STRINGS, help="Ids of accounts"),
    "of_tier": text(60, help="Key of a tier: every account of it"),
    "of_segment": text(36, help="Id of a segment: every account in it"),
    "of_component": text(80, help="Every account with an active ticket of this component"),
}
DETAILS = {
    "title": text(200, required=True),
    "summary": text(20_000, lines=True, help="What is known, as customers may read it"),
    "severity": text(60, help="Key of a severity; required where the workspace has severities"),
    "impact": whole(1, 3, help="1 many users, 2 some, 3 one"),
    "component": text(80, help="The affected service"),
    "commander": text(254, help="E-mail address or id of who leads it; empty: nobody"),
    "update_minutes": whole(0, 43_200, help="Customers are told every so many minutes; 0: no update is promised"),
    "calendar": text(60, help="Key of the calendar they are counted in; empty: round the clock"),
}
NewIncident = record(
    "NewIncident",
    {
        **DETAILS, **WAYS,
        "detected_at": moment(help="When it was noticed, if that was before now"),
        "tickets": Field(read_strings, STRINGS, help="Ids of tickets that tell of it; their accounts are affected"),
    },
)  # fmt: skip
IncidentRecord = record("IncidentRecord", {**DETAILS, "review_required": yes_no()})
Move = record(
    "IncidentMove",
    {
        "to": text(80, required=True, help="Key of a stage; those on the way are entered too"),
        "resolution": text(20_000, lines=True, help="Needed on the way to the resolution"),
        "confirmed": yes_no(help="Customers agreed that it works"),
        "confirmation": text(300, help="Who agreed, or why you go on without"),
        "reason": text(300, help="Needed to go back"),
    },
)
Close = record("IncidentClose", {"confirmed": yes_no(), "confirmation": text(300)})
Reopen = record("IncidentReopen", {"reason": text(300, required=True)})
NewEntry = record(
    "NewIncidentEntry",
    {
        "kind": choice(
            [EntryKind.UPDATE, EntryKind.NOTE], empty=EntryKind.UPDATE, help="An update starts the next one"
        ),
        "body": text(20_000, required=True, lines=True),
        "happened_at": moment(help="Of a note: when it happened, if before now"),
    },
)
Affected = record("IncidentAccounts", WAYS)
Unaffected = record("IncidentAccountsAway", {"accounts": Field(read_strings, STRINGS, required=True, help="Their ids")})
Linked = record("IncidentTicket", {"ticket": text(36, required=True, help="Id"), "linked": yes_no(empty=True)})
Answer = record(
    "IncidentAnswer",
    {
        "body": text(100_000, required=True, lines=True),
        "status": choice(["waiting_customer", "resolved"], empty="", help="Absent: as they were"),
    },
)


class IncidentSerializer(RowSerializer):
    account_count = serializers.IntegerField(read_only=True, help_text="Affected accounts you may see")
    stage_keys = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="In order")

    class Meta:
        model = Incident
        fields = """id number title summary component severity impact priority status stage stage_keys commander
            update_minutes calendar review_required detected_at opened_at opened_by first_notice_at last_update_at
            next_update_at next_due_at resolution resolved_at confirmed_by_customer confirmation closed_at
            account_count version""".split()
        paths = {
            "severity": "severity__key",
            "commander": "commander__email",
            "opened_by": "opened_by__email",
            "calendar": "calendar__key",
        }
        extended = ("account_count", "stage_keys")
        versioned = True

    def extend(self, rows: Sequence[dict[str, Any]]) -> None:
        keys = [row["_pk"] for row in rows]
        user = self.context["request"].user
        present = IncidentAccount.objects.present().visible_to(user).filter(incident__in=keys)
        counts = dict(present.order_by().values_list("incident").annotate(n=Count("pk")))
        stages = dict(Incident.objects.filter(pk__in=keys).values_list("pk", "stages"))
        for row in rows:
            row["account_count"] = counts.get(row["_pk"], 0)
            row["stage_keys"] = [stage["key"] for stage in stages[row["_pk"]]]

    def of(self, incident_id: UUID) -> dict[str, Any]:
        """The row of one incident. Three queries."""
        found = Incident.objects.filter(pk=incident_id).values(*self.paths).get()
        return self.represent([found])[0]


class IncidentQuery(QuerySerializer):
    status = serializers.ChoiceField(IncidentStatus.choices)
    severity = serializers.CharField(source="severity__key")
    commander = serializers.EmailField(source="commander__email")
    component = serializers.CharField(source="component__iexact")


class IncidentList(Endpoint):
    policy = {"GET": "incidents.view", "POST": "incidents.work"}
    serializer_class = IncidentSerializer
    query_class = IncidentQuery
    ordering_fields = {"id": "pk", "opened_at": "opened_at", "number": "number"}
    ordering = "-opened_at"

    @extend_schema(summary="List incidents")
    def get(self, request: Request) -> Response:
        return self.page(Incident.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(summary="Open an incident", request=NewIncident)
    def post(self, request: Request) -> Response:
        values = self.read(NewIncident)
        chosen, origin = ways_in(self.user, values)
        tickets = tickets_in(self.user, values.pop("tickets", None) or [])
        details = read_details(self.user, values, new=True)
        found = actions.open_incident(
            **details, accounts=chosen, origin=origin, tickets=tickets, has_cadence="update_minutes" in details,
            actor=self.user, at=timezone.now(),
        )  # fmt: skip
        return self.one(Incident.objects.all(), 201, pk=found.pk)


class IncidentDetail(Endpoint):
    policy = {"GET": "incidents.view", "PATCH": "incidents.work"}
    serializer_class = IncidentSerializer

    @extend_schema(summary="Read an incident")
    def get(self, request: Request, incident_id: UUID) -> Response:
        return self.one(Incident.objects.visible_to(self.user), pk=incident_id)

    @extend_schema(summary="Change an incident", request=IncidentRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        details = read_details(self.user, self.read(IncidentRecord, partial=True), new=False)
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.update_incident(incident, **details, **given)
        return self.one(Incident.objects.all(), pk=incident_id)


class IncidentClocks(Endpoint):
    policy = {"GET": "incidents.view"}
    serializer_class = ClockSerializer
    ordering_fields = {"started_at": "started_at"}
    ordering = "started_at"

    @extend_schema(summary="The promises about an incident")
    def get(self, request: Request, incident_id: UUID) -> Response:
        return self.page(SlaClock.objects.filter(incident=visible_incident(self.user, incident_id)))


class EntrySerializer(RowSerializer):
    words = serializers.CharField(read_only=True, help_text="What happened, naming only what you may see")

    class Meta:
        model = IncidentEntry
        fields = "id kind at noted_at actor words body".split()
        paths = {"actor": "actor__email"}
        extended = ("words",)

    def extend(self, rows: Sequence[dict[str, Any]]) -> None:
        found = words_of(self.context["request"].user, [row["_pk"] for row in rows])
        for row in rows:
            row["words"] = found[row["_pk"]]


class IncidentTimeline(Endpoint):
    policy = {"GET": "incidents.view", "POST": "incidents.work"}
    serializer_class = EntrySerializer
    ordering_fields = {"at": "at"}
    ordering = "at"

    @extend_schema(summary="What happened")
    def get(self, request: Request, incident_id: UUID) -> Response:
        return self.page(IncidentEntry.objects.filter(incident=visible_incident(self.user, incident_id)))

    @extend_schema(summary="Post an update, or note something", request=NewEntry, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(NewEntry)
        given: dict[str, Any] = {
            "actor": self.user, "at": timezone.now(), "expected_version": self.expected_version
        }  # fmt: skip
        if values.get("kind") == EntryKind.NOTE:
            actions.note_incident(incident, values["body"], happened_at=values.get("happened_at"), **given)
        else:
            actions.post_incident_update(incident, values["body"], **given)
        newest = incident.entries.order_by("-pk").first()
        return self.one(IncidentEntry.objects.all(), 201, pk=newest.pk if newest else None)


class IncidentVerb(Endpoint):
    """One verb on one incident."""

    policy = {"POST": "incidents.work"}
    serializer_class = IncidentSerializer

    def acting(self) -> dict[str, Any]:
        """Who acts, when, and on which version."""
        return {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}

    def shown(self, incident: Incident) -> Response:
        """The incident as it is now."""
        return self.one(Incident.objects.all(), pk=incident.pk)


class IncidentStage(IncidentVerb):
    @extend_schema(summary="Move along the stages, or back with a reason", request=Move, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(Move)
        actions.move_incident(incident, values.pop("to"), **values, **self.acting())
        return self.shown(incident)


class IncidentCloseVerb(IncidentVerb):
    @extend_schema(summary="Close a resolved incident", request=Close, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        actions.close_incident(incident, **self.read(Close), **self.acting())
        return self.shown(incident)


class IncidentReopenVerb(IncidentVerb):
    @extend_schema(summary="Work a resolved or closed incident again", request=Reopen, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        actions.reopen_incident(incident, **self.read(Reopen), **self.acting())
        return self.shown(incident)


class AffectedSerializer(RowSerializer):
    class Meta:
        model = IncidentAccount
        fields = "id account account_name origin added_at added_by removed_at removed_by".split()
        paths = {
            "account_name": "account__name",
            "added_by": "added_by__email",
            "removed_by": "removed_by__email",
        }


class IncidentAccounts(Endpoint):
    policy = {"GET": "incidents.view", "POST": "incidents.work"}
    serializer_class = AffectedSerializer
    ordering_fields = {"added_at": "added_at"}
    ordering = "added_at"

    @extend_schema(summary="Affected accounts, with those that were taken away")
    def get(self, request: Request, incident_id: UUID) -> Response:
        incident = visible_incident(self.user, incident_id)
        return self.page(IncidentAccount.objects.visible_to(self.user).filter(incident=incident))

    @extend_schema(summary="Add accounts", request=Affected, responses=IncidentSerializer, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        chosen, origin = ways_in(self.user, self.read(Affected))
        if not chosen:
            raise invalid(FieldError("accounts", "required", "Name an account, a tier, a segment or a component."))
        given: dict[str, Any] = {
            "actor": self.user, "at": timezone.now(), "expected_version": self.expected_version
        }  # fmt: skip
        actions.add_accounts(incident, chosen, origin=origin, **given)
        return Response(IncidentSerializer(context=self.get_serializer_context()).of(incident_id))


class IncidentAccountsRemove(IncidentVerb):
    @extend_schema(summary="Take accounts away", request=Unaffected, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        keys = self.read(Unaffected)["accounts"]
        actions.remove_accounts(incident, accounts_in(self.user, keys, gone=True), **self.acting())
        return self.shown(incident)


class IncidentTickets(IncidentVerb):
    @extend_schema(summary="Link a ticket that tells of it, or unlink one", request=Linked, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(Linked)
        (ticket,) = tickets_in(self.user, [values["ticket"]], field="ticket")
        linked = values.get("linked", True)
        act = actions.link_ticket if linked else actions.unlink_ticket
        act(incident, ticket, **self.acting())
        return self.shown(incident)


class IncidentAnswer(IncidentVerb):
    @extend_schema(summary="Answer every linked ticket of yours that waits", request=Answer, parameters=[IF_MATCH])
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(Answer)
        tickets = list(Ticket.objects.workable_by(self.user).active().filter(incident=incident))
        actions.answer_tickets(
            incident, values["body"], tickets=tickets, status=values.get("status") or "", **self.acting()
        )
        return self.shown(incident)


def read_details(user: User, values: dict[str, Any], *, new: bool) -> dict[str, Any]:
    """The clean values of ``DETAILS`` as the actions take them. Raises Problem 422 naming the field."""
    found = dict(values)
    if new or "severity" in found:
        found["severity"] = severity_called(found.get("severity", ""), required=True)
    if "commander" in found:
        found["commander"] = colleague_called(user, found["commander"], field="commander")
    if new and found.get("impact") is None:
        raise invalid(FieldError("impact", "required", "Say whom it keeps from working: 1 many users, 2 some, 3 one."))
    if found.get("impact") is not None:
        found["impact"] = Impact(found["impact"])
    if "calendar" in found:
        found["calendar"] = _calendar(found["calendar"])
    return found


def _calendar(key: str) -> WorkCalendar | None:
    if not key:
        return None
    row = WorkCalendar.objects.filter(key=key).first()
    if row is None:
        raise invalid(FieldError("calendar", "unknown", "There is no such calendar."))
    return row


def visible_incident(user: User, incident_id: UUID) -> Incident:
    """The incident. Raises Http404 where ``user`` may not see it."""
    found = Incident.objects.visible_to(user).select_related("review").filter(pk=incident_id).first()
    if found is None:
        raise Http404
    return found


def workable_incident(user: User, incident_id: UUID) -> Incident:
    """The incident ``user`` may work. Raises Http404, or Problem 403 when they may only see it."""
    found = visible_incident(user, incident_id)
    if not Incident.objects.workable_by(user).filter(pk=incident_id).exists():
        raise Problem("forbidden", "You may see this incident and not work it.")
    return found


_ONE = "support/incidents/<uuid:incident_id>/"
urlpatterns = [
    path("support/incidents/", IncidentList.as_view(), name="incident-list"),
    path(_ONE, IncidentDetail.as_view(), name="incident-detail"),
    path(f"{_ONE}clocks/", IncidentClocks.as_view(), name="incident-clocks"),
    path(f"{_ONE}timeline/", IncidentTimeline.as_view(), name="incident-timeline"),
    path(f"{_ONE}stage/", IncidentStage.as_view(), name="incident-stage"),
    path(f"{_ONE}close/", IncidentCloseVerb.as_view(), name="incident-close"),
    path(f"{_ONE}reopen/", IncidentReopenVerb.as_view(), name="incident-reopen"),
    path(f"{_ONE}accounts/", IncidentAccounts.as_view(), name="incident-accounts"),
    path(f"{_ONE}accounts/remove/", IncidentAccountsRemove.as_view(), name="incident-accounts-remove"),
    path(f"{_ONE}tickets/", IncidentTickets.as_view(), name="incident-tickets"),
    path(f"{_ONE}answer/", IncidentAnswer.as_view(), name="incident-answer"),
]
