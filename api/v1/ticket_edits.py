"""``support/ticket-edits``: the same verb on many tickets, and taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError
from api.problems import Problem
from api.serializers import RowSerializer, invalid
from api.v1.sla import body_of
from api.v1.ticket_inputs import colleague_called
from api.views import Endpoint
from support import actions
from support.choices import Status
from support.models import Team, Ticket, TicketEdit, TicketEditRow

VERBS = ("assign", "status", "tag")


class TicketEditSerializer(RowSerializer):
    class Meta:
        model = TicketEdit
        fields = "id verb label tickets at actor undone_at undone_by".split()
        paths = {"actor": "actor__email", "undone_by": "undone_by__email"}


class TicketEditBody(serializers.Serializer):
    """A verb, what it needs, and the tickets. Assign takes assignee and team, status takes status, tag takes tags."""

    tickets = serializers.ListField(child=serializers.UUIDField(), allow_empty=False, max_length=200)
    verb = serializers.ChoiceField(VERBS)
    assignee = serializers.CharField(max_length=254, required=False, allow_blank=True, help_text="Empty: nobody")
    team = serializers.CharField(max_length=60, required=False)
    status = serializers.ChoiceField(Status.choices, required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=20)


class TicketEdits(Endpoint):
    policy = {"GET": "tickets.view", "POST": "tickets.work"}
    serializer_class = TicketEditSerializer
    ordering_fields = {"at": "at"}
    ordering = "-at"

    @extend_schema(summary="What was done to many tickets at once")
    def get(self, request: Request) -> Response:
        return self.page(TicketEdit.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(
        summary="Assign, move or tag many tickets",
        description="A ticket that cannot take it is left as it was and named under refused. edit takes it back.",
        request=TicketEditBody,
        responses={200: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request) -> Response:
        values = body_of(self, TicketEditBody)
        done = self._do(values["verb"], values.pop("tickets"), values)
        return Response({
            "edit": str(done.edit.pk) if done.edit else None,
            "changed": [str(key) for key in done.changed],
            "refused": [str(key) for key in done.refused],
        })  # fmt: skip

    def _do(self, verb: str, keys: list[UUID], values: dict[str, Any]) -> actions.BulkResult:
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now()}
        if verb == "status":
            return actions.bulk_status(keys, _needed(values, "status"), **given)
        if verb == "tag":
            return actions.bulk_tag(keys, _needed(values, "tags"), **given)
        team = Team.objects.filter(key=values["team"], retired_at=None).first() if "team" in values else None
        if "team" in values and team is None:
            raise invalid(FieldError("team", "unknown", "There is no such team."))
        if team is None:
            _needed(values, "assignee")
        person = colleague_called(self.user, values.get("assignee", ""))
        return actions.bulk_assign(keys, person, team=team, **given)


class TicketEditUndo(Endpoint):
    policy = {"POST": "tickets.work"}
    serializer_class = TicketEditSerializer

    @extend_schema(
        summary="Take back what was done to many tickets",
        description="A ticket that somebody changed since keeps that, and is named under kept.",
        request=None,
        responses={200: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, bulk_id: UUID) -> Response:
        edit = get_object_or_404(TicketEdit.objects.visible_to(self.user), pk=bulk_id)
        if not TicketEditRow.objects.filter(edit=edit, ticket__in=Ticket.objects.workable_by(self.user)).exists():
            raise Problem("forbidden", "You may see these tickets and not work them.")
        done, kept = actions.undo_bulk(edit, actor=self.user, at=timezone.now())
        return Response({"restored": done, "kept": [{"ticket": str(each.ticket.pk), "why": each.why} for each in kept]})


def _needed(values: dict[str, Any], name: str) -> Any:
    if name not in values:
        raise invalid(FieldError(name, "required", f"The verb needs {name}."))
    return values[name]


urlpatterns = [
    path("support/ticket-edits/", TicketEdits.as_view(), name="ticket-edits"),
    path("support/ticket-edits/<uuid:bulk_id>/undo/", TicketEditUndo.as_view(), name="ticket-edit-undo"),
]
