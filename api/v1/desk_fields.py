"""``support``: the workspace's own ticket fields, answers kept ready, and saved views of the queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import change_view, delete_view, save_view
from accounts.choices import ListPage
from accounts.models import SavedView
from api.schema import IF_MATCH
from api.serializers import RowSerializer
from api.v1.saved_views import AccountViewSerializer, ViewRecord
from api.v1.sla import body_of
from api.views import Endpoint
from support import actions
from support.choices import Status
from support.models import Macro, TicketField
from support.queries.fields import ticket_fields
from support.queries.listing import canonical


class FieldSerializer(RowSerializer):
    class Meta:
        model = TicketField
        fields = "id key label kind options is_required shown_to_customer position retired_at".split()


class FieldBody(serializers.Serializer):
    """A field of the workspace's own on every ticket."""

    key = serializers.SlugField(max_length=40, required=False)
    label = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(["text", "number", "choice", "day", "yes_no"], default="text")
    options = serializers.ListField(child=serializers.CharField(max_length=80), default=list, max_length=100)
    is_required = serializers.BooleanField(default=False)
    shown_to_customer = serializers.BooleanField(default=False)
    position = serializers.IntegerField(min_value=0, max_value=1000, default=0)


class FieldPatch(FieldBody):
    """What of a field can be changed; its key and kind stay."""

    key = None
    kind = None


class FieldList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "support.configure"}
    serializer_class = FieldSerializer
    ordering_fields = {"key": "key", "position": "position"}
    ordering = "position"

    @extend_schema(summary="List the workspace's own ticket fields")
    def get(self, request: Request) -> Response:
        return self.page(ticket_fields().filter(**self.query))

    @extend_schema(summary="Add a ticket field", request=FieldBody)
    def post(self, request: Request) -> Response:
        field = actions.save_field(None, actor=self.user, at=timezone.now(), **body_of(self, FieldBody))
        return self.one(TicketField.objects.all(), 201, pk=field.pk)


class FieldDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "support.configure", "DELETE": "support.configure"}
    serializer_class = FieldSerializer

    @extend_schema(summary="Read a ticket field")
    def get(self, request: Request, field_id: UUID) -> Response:
        return self.one(ticket_fields(), pk=field_id)

    @extend_schema(summary="Change a ticket field", request=FieldPatch)
    def patch(self, request: Request, field_id: UUID) -> Response:
        field = get_object_or_404(ticket_fields(), pk=field_id)
        names = ("label", "kind", "options", "is_required", "shown_to_customer", "position")
        values = {name: getattr(field, name) for name in names} | body_of(self, FieldPatch, partial=True)
        actions.save_field(field, actor=self.user, at=timezone.now(), **values)
        return self.one(TicketField.objects.all(), pk=field_id)

    @extend_schema(summary="Take a ticket field away", description="What tickets hold in it stays with them.")
    def delete(self, request: Request, field_id: UUID) -> Response:
        field = get_object_or_404(ticket_fields(), pk=field_id)
        actions.retire_field(field, actor=self.user, at=timezone.now())
        return Response(status=204)


class MacroSerializer(RowSerializer):
    class Meta:
        model = Macro
        fields = "id name body is_internal actions position used_count version".split()


class MacroBody(serializers.Serializer):
    """An answer kept ready: its text, and what is done besides."""

    name = serializers.CharField(max_length=120)
    body = serializers.CharField(max_length=20_000, default="", allow_blank=True)
    is_internal = serializers.BooleanField(default=False)
    status = serializers.ChoiceField(Status.choices[1:], default="", allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=20)
    assign_to_me = serializers.BooleanField(default=False)


class MacroList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "tickets.work"}
    serializer_class = MacroSerializer
    ordering_fields = {"name": "name"}
    ordering = "name"

    @extend_schema(summary="List answers kept ready")
    def get(self, request: Request) -> Response:
        return self.page(Macro.objects.filter(retired_at=None, **self.query))

    @extend_schema(summary="Keep an answer ready", request=MacroBody)
    def post(self, request: Request) -> Response:
        values = body_of(self, MacroBody)
        values["tags"] = ",".join(values["tags"])
        macro = actions.save_macro(None, actor=self.user, at=timezone.now(), **values)
        return self.one(Macro.objects.all(), 201, pk=macro.pk)


class MacroDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "tickets.work", "DELETE": "tickets.work"}
    serializer_class = MacroSerializer

    @extend_schema(summary="Read an answer kept ready")
    def get(self, request: Request, macro_id: UUID) -> Response:
        return self.one(Macro.objects.filter(retired_at=None), pk=macro_id)

    @extend_schema(summary="Change an answer kept ready", request=MacroBody)
    def patch(self, request: Request, macro_id: UUID) -> Response:
        macro = get_object_or_404(Macro, pk=macro_id, retired_at=None)
        kept = {"name": macro.name, "body": macro.body, "is_internal": macro.is_internal, "tags": []}
        values: dict[str, Any] = kept | macro.actions | body_of(self, MacroBody, partial=True)
        values["tags"] = ",".join(values["tags"])
        actions.save_macro(macro, actor=self.user, at=timezone.now(), **values)
        return self.one(Macro.objects.all(), pk=macro_id)

    @extend_schema(summary="Take an answer kept ready away")
    def delete(self, request: Request, macro_id: UUID) -> Response:
        macro = get_object_or_404(Macro, pk=macro_id, retired_at=None)
        actions.retire_macro(macro, actor=self.user, at=timezone.now())
        return Response(status=204)


class TicketViewList(Endpoint):
    policy = {"GET": "tickets.view", "POST": "views.save"}
    serializer_class = AccountViewSerializer
    ordering_fields = {"id": "pk", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List saved views of the ticket queue", operation_id="ticket_views_list")
    def get(self, request: Request) -> Response:
        return self.page(_views(self).filter(**self.query))

    @extend_schema(summary="Save a view of the ticket queue", request=ViewRecord)
    def post(self, request: Request) -> Response:
        values = {"query": "", **_values(self, partial=False)}
        view = save_view(page=ListPage.TICKETS, actor=self.user, at=timezone.now(), **values)
        return self.one(SavedView.objects.all(), 201, pk=view.pk)


class TicketViewDetail(Endpoint):
    policy = {"GET": "tickets.view", "PATCH": "views.save", "DELETE": "views.save"}
    serializer_class = AccountViewSerializer

    @extend_schema(summary="Read a saved view of the ticket queue")
    def get(self, request: Request, view_id: UUID) -> Response:
        return self.one(_views(self), pk=view_id)

    @extend_schema(summary="Change a saved view of the ticket queue", request=ViewRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, view_id: UUID) -> Response:
        view = get_object_or_404(_views(self), pk=view_id)
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        change_view(view, **given, **_values(self, partial=True))
        return self.one(SavedView.objects.all(), pk=view_id)

    @extend_schema(summary="Delete a saved view of the ticket queue")
    def delete(self, request: Request, view_id: UUID) -> Response:
        delete_view(get_object_or_404(_views(self), pk=view_id), actor=self.user, at=timezone.now())
        return Response(status=204)


def _views(endpoint: Endpoint) -> QuerySet[SavedView]:
    return SavedView.objects.visible_to(endpoint.user).filter(page=ListPage.TICKETS)


def _values(endpoint: Endpoint, *, partial: bool) -> dict[str, Any]:
    values = endpoint.read(ViewRecord, partial=partial)
    if "query" in values:
        values["query"] = canonical(QueryDict(values["query"].removeprefix("?")))
    return {"is_shared" if name == "shared" else name: value for name, value in values.items()}


urlpatterns = [
    path("support/ticket-fields/", FieldList.as_view(), name="field-list"),
    path("support/ticket-fields/<uuid:field_id>/", FieldDetail.as_view(), name="field-detail"),
    path("support/macros/", MacroList.as_view(), name="macro-list"),
    path("support/macros/<uuid:macro_id>/", MacroDetail.as_view(), name="macro-detail"),
    path("support/ticket-views/", TicketViewList.as_view(), name="ticket-view-list"),
    path("support/ticket-views/<uuid:view_id>/", TicketViewDetail.as_view(), name="ticket-view-detail"),
]
