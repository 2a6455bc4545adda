"""``support/escalations``: steps up a ladder, with their promises."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, choice, json_object, text, whole
from accounts.models import Account, User
from accounts.record_fields import ACCOUNT_REFERENCE
from api.problems import Problem
from api.scope import require_editable
from api.serializers import QuerySerializer, RowSerializer, invalid, record
from api.v1.ticket_inputs import colleague_called, id_in
from api.v1.tickets import ClockSerializer
from api.views import Endpoint
from support import actions
from support.choices import EscalationOutcome, EscalationStatus
from support.models import Escalation, Ladder, SlaClock, Ticket

NewEscalation = record(
    "NewEscalation",
    {
        "account": ACCOUNT_REFERENCE,
        "ladder": text(20, required=True, help="The methodology whose ladder it is"),
        "path": text(40, required=True),
        "level": text(40, help="A step of the path; its first if absent"),
        "reason": text(300, required=True),
        "trigger": text(200, help="Which of the level's printed reasons it is"),
        "ticket": text(36, help="Id of a ticket of the account"),
        "message": json_object(help="The parts of the ladder's template"),
        "owner": text(254, help="E-mail address or id of a colleague"),
    },
)
PassOn = record(
    "EscalationPassOn",
    {
        "level": text(40, required=True),
        "reason": text(300, required=True),
        "trigger": text(200),
        "message": json_object(),
    },
)
Words = record("EscalationWords", {"body": text(10_000, required=True, lines=True)})
HandOver = record("EscalationHandOver", {"owner": text(254, required=True), "reason": text(300)})
End = record(
    "EscalationEnd",
    {
        "outcome": choice([value for value in EscalationOutcome.values if value != EscalationOutcome.PASSED_ON]),
        "note": text(4000, lines=True),
        "satisfaction": whole(1, 5, nullable=True),
    },
)


class EscalationSerializer(RowSerializer):
    class Meta:
        model = Escalation
        fields = """id account account_name ticket ladder path level level_name rank reason trigger is_automatic
            message status owner raised_by raised_from raised_at acknowledged_at first_action_at last_update_at
            resolved_at outcome outcome_note satisfaction minutes_spent next_due_at version""".split()
        paths = {
            "account_name": "account__name",
            "ladder": "ladder__pack",
            "owner": "owner__email",
            "raised_by": "raised_by__email",
        }
        blank_as_null = ("outcome",)
        versioned = True


class EscalationQuery(QuerySerializer):
    account = serializers.UUIDField()
    ticket = serializers.UUIDField()
    status = serializers.ChoiceField(EscalationStatus.choices)
    level = serializers.CharField()


class EscalationList(Endpoint):
    policy = {"GET": "escalations.view", "POST": "escalations.work"}
    serializer_class = EscalationSerializer
    query_class = EscalationQuery
    ordering_fields = {"id": "pk", "raised_at": "raised_at"}
    ordering = "-raised_at"

    @extend_schema(summary="List escalations")
    def get(self, request: Request) -> Response:
        return self.page(Escalation.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(summary="Raise an escalation", request=NewEscalation)
    def post(self, request: Request) -> Response:
        values = self.read(NewEscalation)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        ladder = Ladder.objects.filter(pack=values.pop("ladder")).first()
        if ladder is None:
            raise invalid(FieldError("ladder", "unknown", "There is no such ladder."))
        given = {
            "ticket": _ticket(self.user, account, values.pop("ticket", "")),
            "owner": colleague_called(self.user, values.pop("owner", ""), field="owner"),
        }
        found = actions.escalate(account, ladder=ladder, actor=self.user, at=timezone.now(), **given, **values)
        return self.one(Escalation.objects.all(), 201, pk=found.pk)


class EscalationDetail(Endpoint):
    policy = {"GET": "escalations.view"}
    serializer_class = EscalationSerializer

    @extend_schema(summary="Read an escalation")
    def get(self, request: Request, escalation_id: UUID) -> Response:
        return self.one(Escalation.objects.visible_to(self.user), pk=escalation_id)


class EscalationClocks(Endpoint):
    policy = {"GET": "escalations.view"}
    serializer_class = ClockSerializer
    ordering_fields = {"started_at": "started_at"}
    ordering = "started_at"

    @extend_schema(summary="The promises about an escalation")
    def get(self, request: Request, escalation_id: UUID) -> Response:
        return self.page(SlaClock.objects.filter(escalation=visible_escalation(self.user, escalation_id)))


class EscalationVerb(Endpoint):
    """One verb on one escalation."""

    policy = {"POST": "escalations.work"}
    serializer_class = EscalationSerializer

    def acting(self) -> dict[str, Any]:
        """Who acts, and when."""
        return {"actor": self.user, "at": timezone.now()}

    def shown(self, escalation: Escalation) -> Response:
        """The escalation as it is now."""
        return self.one(Escalation.objects.all(), pk=escalation.pk)


class EscalationAcknowledge(EscalationVerb):
    @extend_schema(summary="Acknowledge an escalation", request=None)
    def post(self, request: Request, escalation_id: UUID) -> Response:
        escalation = workable_escalation(self.user, escalation_id)
        return self.shown(actions.acknowledge(escalation, **self.acting()))


class EscalationBegin(EscalationVerb):
    @extend_schema(summary="Note the first action", request=Words)
    def post(self, request: Request, escalation_id: UUID) -> Response:
        escalation = workable_escalation(self.user, escalation_id)
        return self.shown(actions.begin(escalation, self.read(Words)["body"], **self.acting()))


class EscalationUpdate(EscalationVerb):
    @extend_schema(summary="Tell how it stands; the next update is owed from now on", request=Words)
    def post(self, request: Request, escalation_id: UUID) -> Response:
        escalation = workable_escalation(self.user, escalation_id)
        return self.shown(actions.post_update(escalation, self.read(Words)["body"], **self.acting()))


class EscalationPassOn(EscalationVerb):
    @extend_schema(summary="End this step and raise the next", request=PassOn)
    def post(self, request: Request, escalation_id: UUID) -> Response:
        escalation = workable_escalation(self.user, escalation_id)
        return self.shown(actions.pass_on(escalation, **self.read(PassOn), **self.acting()))


class EscalationOwner(EscalationVerb):
    @extend_schema(summary="Hand an escalation over", request=HandOver)
    def post(self, request: Request, escalation_id: UUID) -> Response:
        escalation = workable_escalation(self.user, escalation_id)
        values = self.read(HandOver)
        return self.shown(actions.hand_over(escalation, values.pop("owner"), **values, **self.acting()))


class EscalationResolve(EscalationVerb):
    @extend_schema(summary="End an escalation with its outcome", request=End)
    def post(self, request: Request, escalation_id: UUID) -> Response:
        escalation = workable_escalation(self.user, escalation_id)
        values = self.read(End)
        if not values.get("outcome"):
            raise invalid(FieldError("outcome", "required", "Say how it ended."))
        return self.shown(actions.resolve_escalation(escalation, **values, **self.acting()))


def visible_escalation(user: User, escalation_id: UUID) -> Escalation:
    """The escalation. Raises Http404 where ``user`` may not see it."""
    found = Escalation.objects.visible_to(user).filter(pk=escalation_id).first()
    if found is None:
        raise Http404
    return found


def workable_escalation(user: User, escalation_id: UUID) -> Escalation:
    """The escalation ``user`` may work. Raises Http404, or Problem 403 when they may only see it."""
    found = visible_escalation(user, escalation_id)
    if not Escalation.objects.workable_by(user).filter(pk=escalation_id).exists():
        raise Problem("forbidden", "You may see this escalation and not work it.")
    return found


def _ticket(user: User, account: Account, raw: str) -> Ticket | None:
    if not raw:
        return None
    found = Ticket.objects.visible_to(user).filter(account=account, pk=id_in(raw, "ticket"))
    ticket = found.select_related("severity", "account__tier").first()
    if ticket is None:
        raise invalid(FieldError("ticket", "unknown", "The account has no such ticket."))
    return ticket


_ONE = "support/escalations/<uuid:escalation_id>/"
urlpatterns = [
    path("support/escalations/", EscalationList.as_view(), name="escalation-list"),
    path(_ONE, EscalationDetail.as_view(), name="escalation-detail"),
    path(f"{_ONE}clocks/", EscalationClocks.as_view(), name="escalation-clocks"),
    path(f"{_ONE}acknowledge/", EscalationAcknowledge.as_view(), name="escalation-acknowledge"),
    path(f"{_ONE}begin/", EscalationBegin.as_view(), name="escalation-begin"),
    path(f"{_ONE}update/", EscalationUpdate.as_view(), name="escalation-update"),
    path(f"{_ONE}pass-on/", EscalationPassOn.as_view(), name="escalation-pass-on"),
    path(f"{_ONE}owner/", EscalationOwner.as_view(), name="escalation-owner"),
    path(f"{_ONE}resolve/", EscalationResolve.as_view(), name="escalation-resolve"),
]
