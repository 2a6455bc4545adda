"""``account-views`` and ``portfolio-views``: saved views of a list, one's own and shared ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
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
from health.book.scope import Scope

ViewRecord = record(
    "AccountViewRecord",
    {
        "name": text(60, required=True),
        "query": text(2000, help="What means nothing in it is dropped, the rest is kept in canonical order"),
        "shared": yes_no(help="Whether colleagues see it"),
    },
)
_PORTFOLIO_EXAMPLE = {"name": "Enterprise this year", "query": "segment=Enterprise&period=year", "shared": True}
_EXAMPLE = {"name": "Red and renewing", "query": "band=red&renewal=90", "shared": True}


class AccountViewSerializer(RowSerializer):
    class Meta:
        model = SavedView
        fields = "id name query shared owner created_at updated_at version".split()
        paths = {"shared": "is_shared", "owner": "owner__email"}
        versioned = True


class KeptViews(Endpoint):
    """The views of ``kept_page``; ``canonical`` writes a query as that list would."""

    serializer_class = AccountViewSerializer
    kept_page: ClassVar[str] = ""
    canonical: ClassVar[Callable[[str], str]]

    @property
    def views(self) -> QuerySet[SavedView]:
        return SavedView.objects.visible_to(self.user).filter(page=self.kept_page)

    def saved(self) -> Response:
        """The view of the body, kept."""
        values = {"query": "", **self._values(partial=False)}
        view = save_view(page=self.kept_page, actor=self.user, at=timezone.now(), **values)
        return self.one(SavedView.objects.all(), 201, pk=view.pk)

    def changed(self, view_id: UUID) -> Response:
        """The view as the body has it."""
        view = get_object_or_404(self.views, pk=view_id)
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        change_view(view, **given, **self._values(partial=True))
        return self.one(SavedView.objects.all(), pk=view_id)

    def deleted(self, view_id: UUID) -> Response:
        delete_view(get_object_or_404(self.views, pk=view_id), actor=self.user, at=timezone.now())
        return Response(status=204)

    def _values(self, *, partial: bool) -> dict[str, Any]:
        values = self.read(ViewRecord, partial=partial)
        if "query" in values:
            values["query"] = type(self).canonical(values["query"].removeprefix("?"))
        return {"is_shared" if name == "shared" else name: value for name, value in values.items()}


class AccountViews(KeptViews):
    kept_page = ListPage.ACCOUNTS.value
    canonical = staticmethod(lambda text: Asked.parse(text).canonical())


class PortfolioViews(KeptViews):
    kept_page = ListPage.PORTFOLIO.value
    canonical = staticmethod(lambda text: Scope.parse(text, timezone.localdate()).canonical())


class AccountViewList(AccountViews):
    policy = {"GET": "accounts.view", "POST": "views.save"}
    ordering_fields = {"id": "pk", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List saved views of accounts")
    def get(self, request: Request) -> Response:
        return self.page(self.views.filter(**self.query))

    @extend_schema(
        summary="Save a view of accounts",
        request=ViewRecord,
        responses={201: AccountViewSerializer},
        examples=[OpenApiExample("View", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        return self.saved()


class AccountViewDetail(AccountViews):
    policy = {"GET": "accounts.view", "PATCH": "views.save", "DELETE": "views.save"}

    @extend_schema(summary="Read a saved view")
    def get(self, request: Request, view_id: UUID) -> Response:
        return self.one(self.views, pk=view_id)

    @extend_schema(summary="Change a saved view", request=ViewRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, view_id: UUID) -> Response:
        return self.changed(view_id)

    @extend_schema(summary="Delete a saved view")
    def delete(self, request: Request, view_id: UUID) -> Response:
        return self.deleted(view_id)


class PortfolioViewList(PortfolioViews):
    policy = {"GET": "portfolio.view", "POST": "portfolio.views"}
    ordering_fields = {"id": "pk", "name": "name"}
    ordering = "name"

    @extend_schema(summary="List saved views of the portfolio")
    def get(self, request: Request) -> Response:
        return self.page(self.views.filter(**self.query))

    @extend_schema(
        summary="Save a view of the portfolio",
        request=ViewRecord,
        responses={201: AccountViewSerializer},
        examples=[OpenApiExample("View", _PORTFOLIO_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        return self.saved()


class PortfolioViewDetail(PortfolioViews):
    policy = {"GET": "portfolio.view", "PATCH": "portfolio.views", "DELETE": "portfolio.views"}

    @extend_schema(summary="Read a saved view of the portfolio")
    def get(self, request: Request, view_id: UUID) -> Response:
        return self.one(self.views, pk=view_id)

    @extend_schema(summary="Change a saved view of the portfolio", request=ViewRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, view_id: UUID) -> Response:
        return self.changed(view_id)

    @extend_schema(summary="Delete a saved view of the portfolio")
    def delete(self, request: Request, view_id: UUID) -> Response:
        return self.deleted(view_id)


urlpatterns = [
    path("account-views/", AccountViewList.as_view(), name="account-view-list"),
    path("account-views/<uuid:view_id>/", AccountViewDetail.as_view(), name="account-view-detail"),
    path("portfolio-views/", PortfolioViewList.as_view(), name="portfolio-view-list"),
    path("portfolio-views/<uuid:view_id>/", PortfolioViewDetail.as_view(), name="portfolio-view-detail"),
]
