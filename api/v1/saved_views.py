"""``account-views``: saved views of the accounts list, one's own and shared ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import change_view, delete_view, save_view
from accounts.choices import ListPage
from accounts.fields import text, yes_no
from accounts.models import SavedView
from api.schema import IF_MATCH
from api.serializers import RowSerializer, record
from api.views import Endpoint
from health.book.accounts.asked import Asked

ViewRecord = record(
    "AccountViewRecord",
    {
        "name": text(60, required=True),
        "query": text(2000, help="What means nothing in it is dropped, the rest is kept in canonical order"),
        "shared": yes_no(help="Whether colleagues see it"),
    },
)
_EXAMPLE = {"name": "Red and renewing", "query": "band=red&renewal=90", "shared": True}


class AccountViewSerializer(RowSerializer):
    class Meta:
        model = SavedView
        fields = "id name query shared owner created_at updated_at version".split()
        paths = {"shared": "is_shared", "owner": "owner__email"}
        versioned = True


class AccountViewList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "views.save"}
    serializer_class = AccountViewSerializer
    ordering_fields = {"id": "pk", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List saved views of accounts")
    def get(self, request: Request) -> Response:
        return self.page(_views(self).filter(**self.query))

    @extend_schema(
        summary="Save a view of accounts",
        request=ViewRecord,
        responses={201: AccountViewSerializer},
        examples=[OpenApiExample("View", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        values = {"query": "", **_values(self, partial=False)}
        view = save_view(page=ListPage.ACCOUNTS, actor=self.user, at=timezone.now(), **values)
        return self.one(SavedView.objects.all(), 201, pk=view.pk)


class AccountViewDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "views.save", "DELETE": "views.save"}
    serializer_class = AccountViewSerializer

    @extend_schema(summary="Read a saved view")
    def get(self, request: Request, view_id: UUID) -> Response:
        return self.one(_views(self), pk=view_id)

    @extend_schema(summary="Change a saved view", request=ViewRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, view_id: UUID) -> Response:
        view = get_object_or_404(_views(self), pk=view_id)
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        change_view(view, **given, **_values(self, partial=True))
        return self.one(SavedView.objects.all(), pk=view_id)

    @extend_schema(summary="Delete a saved view")
    def delete(self, request: Request, view_id: UUID) -> Response:
        delete_view(get_object_or_404(_views(self), pk=view_id), actor=self.user, at=timezone.now())
        return Response(status=204)


def _views(endpoint: Endpoint) -> QuerySet[SavedView]:
    return SavedView.objects.visible_to(endpoint.user).filter(page=ListPage.ACCOUNTS)


def _values(endpoint: Endpoint, *, partial: bool) -> dict[str, Any]:
    values = endpoint.read(ViewRecord, partial=partial)
    if "query" in values:
        values["query"] = Asked.parse(values["query"].removeprefix("?")).canonical()
    return {"is_shared" if name == "shared" else name: value for name, value in values.items()}


urlpatterns = [
    path("account-views/", AccountViewList.as_view(), name="account-view-list"),
    path("account-views/<uuid:view_id>/", AccountViewDetail.as_view(), name="account-view-detail"),
]
