"""``users``: the colleagues. Inviting and deactivating are pages."""

from __future__ import annotations

from uuid import UUID

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.choices import STAFF_ROLES, Role
from accounts.models import User
from api import describe as d
from api.describe import Operation
from api.plain import answer
from api.reading import bad_parameter
from api.resources import Column, Resource
from api.views import Endpoint

USERS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "email": Column("email", d.text()),
        "name": Column("name", d.text()),
        "title": Column("title", d.text()),
        "role": Column("role", d.text(enum=sorted(STAFF_ROLES))),
        "is_active": Column("is_active", d.flag()),
        "created_at": Column("created_at", d.moment()),
    },
    orderings={"id": "pk", "email": "email", "name": "name", "created_at": "created_at"},
    default="email",
)
FILTERS = {"role": d.text(enum=Role.values), "active": d.flag(), "email": d.text()}
USER = USERS.schema()


class UserList(Endpoint):
    policy = {"GET": "users.view"}
    describe = {"GET": Operation("List colleagues", query=USERS.query(**FILTERS), answers={200: d.page_of(USER)})}

    def get(self, request: Request) -> Response:
        rows = User.objects.staff()
        if "role" in request.GET:
            rows = rows.filter(role=request.GET["role"])
        if "email" in request.GET:
            rows = rows.filter(email__iexact=request.GET["email"])
        if "active" in request.GET:
            if request.GET["active"] not in {"true", "false"}:
                raise bad_parameter("active", "true or false.")
            rows = rows.filter(is_active=request.GET["active"] == "true")
        return USERS.page(request, rows, list(FILTERS))


class UserDetail(Endpoint):
    policy = {"GET": "users.view"}
    describe = {"GET": Operation("Read a colleague", answers={200: USER})}

    def get(self, request: Request, user_id: UUID) -> Response:
        return USERS.one(request, User.objects.staff(), pk=user_id)


class Me(Endpoint):
    policy = {"GET": "profile.own"}
    describe = {
        "GET": Operation(
            "Whom this token acts for",
            answers={
                200: d.shape(
                    user=USER,
                    token=d.nullable(d.shape(name=d.text(), scopes=d.listed(d.text()), expires_at=d.moment())),
                )
            },
        )
    }

    def get(self, request: Request) -> Response:
        token = request.auth
        shown = token and {"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at}
        return answer({"user": USERS.read(User.objects.all(), pk=self.user.pk), "token": shown})


urlpatterns = [
    path("users/", UserList.as_view(), name="user-list"),
    path("users/me/", Me.as_view(), name="user-me"),
    path("users/<uuid:user_id>/", UserDetail.as_view(), name="user-detail"),
]
