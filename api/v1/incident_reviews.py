"""``support/incidents/{id}/…``: letters to customers with who was told, the review and its measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import Field, FieldError, day, json_object, text, yes_no
from accounts.models import Account
from api.schema import IF_MATCH
from api.serializers import RowSerializer, invalid, record
from api.v1.incident_inputs import accounts_in, contacts_in
from api.v1.incidents import visible_incident, workable_incident
from api.v1.ticket_inputs import STRINGS, colleague_called
from api.v1.ticket_inputs import strings as read_strings
from api.views import Endpoint
from support import actions, lifecycle
from support.models import Incident, IncidentAction, IncidentDelivery, IncidentReview, Ticket
from support.queries import incident_letters as queries
from support.queries.incident_scope import addressable

NewLetter = record(
    "NewIncidentLetter",
    {
        "letter": text(80, required=True, help="Key of one of the methodology's letters"),
        "values": json_object(help="{part: text}; parts that are left out are filled with what is known"),
        "subject": text(200),
        "opening": text(10_000, lines=True),
        "contacts": Field(read_strings, STRINGS, help="Ids; absent: who was told before, else who runs it"),
        "answer_tickets": yes_no(empty=True, help="Whoever opened a linked ticket reads it there, as its answer"),
    },
)
ReviewBody = record(
    "IncidentReviewBody",
    {
        "parts": json_object(help="{part: text}; parts that are left out stay as they were"),
        "publish": yes_no(help="Every part must be written"),
    },
)
NewAction = record(
    "NewIncidentAction",
    {
        "title": text(200, required=True),
        "due_on": day(required=True),
        "owner": text(254, help="E-mail address or id; empty: the account's owner"),
        "accounts": Field(read_strings, STRINGS, help="Ids; absent: every affected account"),
    },
)


class DeliverySerializer(RowSerializer):
    state = serializers.ChoiceField(
        ["waiting", "sent", "failed", "ticket"],
        read_only=True,
        help_text="What became of its mail; ticket: answered there",
    )

    class Meta:
        model = IncidentDelivery
        fields = "id letter key subject sent_at sent_by account account_name contact ticket name email state".split()
        paths = {
            "key": "letter__key",
            "subject": "letter__subject",
            "sent_at": "letter__sent_at",
            "sent_by": "letter__sent_by__email",
            "account_name": "account__name",
        }
        extended = ("state",)

    def extend(self, rows: Sequence[dict[str, Any]]) -> None:
        states = queries.states_of([row["_pk"] for row in rows])
        for row in rows:
            row["state"] = states[row["_pk"]]


class IncidentLetters(Endpoint):
    policy = {"GET": "incidents.view", "POST": "incidents.work"}
    serializer_class = DeliverySerializer
    ordering_fields = {"id": "pk"}
    ordering = "id"

    @extend_schema(summary="Who was told what and when")
    def get(self, request: Request, incident_id: UUID) -> Response:
        incident = visible_incident(self.user, incident_id)
        seen = Account.objects.visible_to(self.user)
        return self.page(IncidentDelivery.objects.filter(letter__incident=incident, account__in=seen))

    @extend_schema(
        summary="Tell customers", request=NewLetter, responses={201: DeliverySerializer(many=True)},
        parameters=[IF_MATCH],
    )  # fmt: skip
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(NewLetter)
        template = lifecycle.letter_of(incident.letters, values["letter"])
        if template is None:
            known = ", ".join(each["key"] for each in incident.letters)
            raise invalid(FieldError("letter", "unknown", f"Use one of {known}."))
        contacts = self._contacts(incident, values.get("contacts"))
        row = actions.send_letter(
            incident, template["key"], values=_parts(incident, template, values.get("values") or {}),
            contacts=contacts, opening=values.get("opening") or "",
            subject=values.get("subject") or queries.subject_of(incident, template),
            tickets=self._tickets(incident, contacts) if values.get("answer_tickets", True) else [],
            actor=self.user, at=timezone.now(), expected_version=self.expected_version,
        )  # fmt: skip
        rows = row.deliveries.order_by("pk").values(*DeliverySerializer().paths)
        return Response(self.get_serializer(list(rows), many=True).data, 201)

    def _contacts(self, incident: Incident, keys: list[str] | None) -> list[Any]:
        if keys:
            return contacts_in(self.user, keys)
        accounts = addressable(self.user).filter(pk__in=incident.affected.present().values("account"))
        audiences = queries.audiences(incident, accounts)
        return [contact for each in audiences for contact in each.contacts if contact.pk in each.chosen]

    def _tickets(self, incident: Incident, contacts: list[Any]) -> list[Ticket]:
        accounts = {contact.account_id for contact in contacts}
        rows = Ticket.objects.workable_by(self.user).active().filter(incident=incident, account__in=accounts)
        return list(rows.select_related("account", "requester"))


def _parts(incident: Incident, template: Any, given: dict[str, Any]) -> dict[str, str]:
    unknown = sorted(set(given) - set(template["fields"]))
    if unknown:
        raise invalid(FieldError("values", "unknown", f"This letter has the parts {', '.join(template['fields'])}."))
    return {**queries.filled(incident, template), **{name: str(value) for name, value in given.items()}}


class IncidentReviewSerializer(RowSerializer):
    class Meta:
        model = IncidentReview
        fields = "id incident parts author begun_at changed_at published_at version".split()
        paths = {"author": "author__email"}
        versioned = True


class IncidentReviewDetail(Endpoint):
    policy = {"GET": "incidents.view", "PUT": "incidents.work"}
    serializer_class = IncidentReviewSerializer

    @extend_schema(summary="Read the review")
    def get(self, request: Request, incident_id: UUID) -> Response:
        return self.one(IncidentReview.objects.filter(incident=visible_incident(self.user, incident_id)))

    @extend_schema(summary="Write the review, and publish it", request=ReviewBody, parameters=[IF_MATCH])
    def put(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(ReviewBody)
        parts = {str(name): str(text) for name, text in (values.get("parts") or {}).items()}
        review = actions.save_review(
            incident, parts, publish=bool(values.get("publish")), expected_version=self.expected_version,
            actor=self.user, at=timezone.now(),
        )  # fmt: skip
        return self.one(IncidentReview.objects.all(), pk=review.pk)


class ActionSerializer(RowSerializer):
    class Meta:
        model = IncidentAction
        fields = "id title account account_name owner due_on cta status outcome created_at".split()
        paths = {
            "account_name": "account__name",
            "owner": "owner__email",
            "status": "cta__status",
            "outcome": "cta__outcome",
        }
        blank_as_null = ("outcome",)


class IncidentActions(Endpoint):
    policy = {"GET": "incidents.view", "POST": "incidents.work"}
    serializer_class = ActionSerializer
    ordering_fields = {"due_on": "due_on"}
    ordering = "due_on"

    @extend_schema(summary="The review's measures, and how far their CTAs are")
    def get(self, request: Request, incident_id: UUID) -> Response:
        incident = visible_incident(self.user, incident_id)
        seen = Account.objects.visible_to(self.user)
        return self.page(IncidentAction.objects.filter(incident=incident, account__in=seen))

    @extend_schema(summary="Add a measure", request=NewAction, responses={201: ActionSerializer(many=True)})
    def post(self, request: Request, incident_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        values = self.read(NewAction)
        affected = set(incident.affected.present().values_list("account", flat=True))
        named = accounts_in(self.user, values.get("accounts") or [])
        if any(account.pk not in affected for account in named):
            raise invalid(FieldError("accounts", "unknown", "One of them is not affected."))
        accounts = named or list(addressable(self.user).filter(pk__in=affected).select_related("owner"))
        made = actions.add_action(
            incident, title=values["title"], due_on=values["due_on"], accounts=accounts,
            owner=colleague_called(self.user, values.get("owner", ""), field="owner"), actor=self.user,
            at=timezone.now(),
        )  # fmt: skip
        rows = IncidentAction.objects.filter(pk__in=[each.pk for each in made]).order_by("pk")
        return Response(self.get_serializer(list(rows.values(*ActionSerializer().paths)), many=True).data, 201)


class IncidentActionDetail(Endpoint):
    policy = {"DELETE": "incidents.work"}

    @extend_schema(summary="Take a measure away; its CTA is closed", responses={204: None})
    def delete(self, request: Request, incident_id: UUID, action_id: UUID) -> Response:
        incident = workable_incident(self.user, incident_id)
        seen = Account.objects.visible_to(self.user)
        rows = IncidentAction.objects.filter(incident=incident, account__in=seen, pk=action_id)
        action = rows.select_related("incident", "cta", "owner").first()
        if action is None:
            raise Http404
        actions.drop_action(action, actor=self.user, at=timezone.now())
        return Response(status=204)


_ONE = "support/incidents/<uuid:incident_id>/"
urlpatterns = [
    path(f"{_ONE}letters/", IncidentLetters.as_view(), name="incident-letters"),
    path(f"{_ONE}review/", IncidentReviewDetail.as_view(), name="incident-review"),
    path(f"{_ONE}actions/", IncidentActions.as_view(), name="incident-actions"),
    path(f"{_ONE}actions/<uuid:action_id>/", IncidentActionDetail.as_view(), name="incident-action"),
]
