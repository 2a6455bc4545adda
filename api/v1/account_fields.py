"""``account-fields``: the workspace's own fields on accounts, whose values are in ``custom`` of an account."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import archive_field, change_field, define_field, restore_field
from accounts.choices import FieldKind
from accounts.models import OwnField
from accounts.own_values import LONGEST_KEY, LONGEST_LABEL, LONGEST_OPTION, MOST_OPTIONS
from api.schema import IF_MATCH
from api.serializers import BodySerializer, QuerySerializer, RowSerializer
from api.views import Endpoint


class AccountFieldSerializer(RowSerializer):
    class Meta:
        model = OwnField
        fields = "id key label kind options help_text position archived_at created_at updated_at version".split()
        versioned = True


class AccountFieldPatch(BodySerializer):
    """What of a field can be changed: its key stays, its kind and options as long as values would not fit others."""

    label = serializers.CharField(max_length=LONGEST_LABEL)
    kind = serializers.ChoiceField(FieldKind.choices)
    options = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_OPTION), max_length=MOST_OPTIONS, help_text="Of a choice"
    )
    help_text = serializers.CharField(max_length=200, allow_blank=True)
    archived = serializers.BooleanField(help_text="Archived fields are not shown; what accounts hold stays")


class AccountFieldBody(BodySerializer):
    """A new field, which comes last."""

    key = serializers.CharField(
        max_length=LONGEST_KEY, required=False, help_text="Its name in custom; made of the label if left out"
    )
    label = serializers.CharField(max_length=LONGEST_LABEL)
    kind = serializers.ChoiceField(FieldKind.choices)
    options = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_OPTION), max_length=MOST_OPTIONS, default=list,
        help_text="Of a choice",
    )  # fmt: skip
    help_text = serializers.CharField(max_length=200, allow_blank=True, default="")


class AccountFieldQuery(QuerySerializer):
    archived = serializers.BooleanField(help_text="true: only archived fields, false: only others")


class AccountFieldList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "fields.edit"}
    serializer_class = AccountFieldSerializer
    query_class = AccountFieldQuery
    ordering_fields = {"id": "pk", "key": "key", "label": "label", "position": "position"}
    ordering = "position"

    @extend_schema(summary="List the workspace's own fields on accounts")
    def get(self, request: Request) -> Response:
        query = self.query
        rows = OwnField.objects.all()
        return self.page(rows.filter(archived_at__isnull=not query["archived"]) if "archived" in query else rows)

    @extend_schema(
        summary="Define a field on accounts",
        description="What accounts hold under its key already stays, also where it does not fit.",
        request=AccountFieldBody,
        responses={201: AccountFieldSerializer},
        examples=[
            OpenApiExample(
                "Region",
                {"key": "region", "label": "Region", "kind": "choice", "options": ["North", "South"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        field = define_field(actor=self.user, at=timezone.now(), **self.read(AccountFieldBody))
        response = self.one(OwnField.objects.all(), 201, pk=field.pk)
        response["Location"] = request.build_absolute_uri(f"{request.path}{field.pk}/")
        return response


class AccountFieldDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "fields.edit"}
    serializer_class = AccountFieldSerializer

    @extend_schema(summary="Read a field on accounts")
    def get(self, request: Request, own_field_id: UUID) -> Response:
        return self.one(OwnField.objects.all(), pk=own_field_id)

    @extend_schema(
        summary="Change, archive or restore a field on accounts",
        description="A kind or options that values on accounts would not fit are refused with their number.",
        request=AccountFieldPatch(partial=True),
        parameters=[IF_MATCH],
    )
    @transaction.atomic
    def patch(self, request: Request, own_field_id: UUID) -> Response:
        field = get_object_or_404(OwnField, pk=own_field_id)
        values = self.read(AccountFieldPatch, partial=True)
        archived = values.pop("archived", None)
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now()}
        field = change_field(field, expected_version=self.expected_version, **given, **values)
        if archived is not None:
            (archive_field if archived else restore_field)(field, **given)
        return self.one(OwnField.objects.all(), pk=own_field_id)


urlpatterns = [
    path("account-fields/", AccountFieldList.as_view(), name="account-field-list"),
    path("account-fields/<uuid:own_field_id>/", AccountFieldDetail.as_view(), name="account-field-detail"),
]
