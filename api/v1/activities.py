"""``activities``: the accounts' timelines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import log_touch
from accounts.actions.activity import LOGGED_BY_HAND
from accounts.choices import ActivityKind, Visibility
from accounts.models import Account, Activity, User
from accounts.record_fields import ACCOUNT_REFERENCE, ACTIVITY
from api import describe as d
from api.describe import Operation
from api.inputs import read_fields, schema_of
from api.reading import json_object, moment_parameter, uuid_parameter
from api.resources import Column, Resource
from api.scope import require_editable
from api.views import Endpoint

_NEW = {**ACTIVITY, "account": ACCOUNT_REFERENCE}
ACTIVITIES = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "account": Column("account_id", d.uuid()),
        "kind": Column("kind", d.text(enum=ActivityKind.values)),
        "at": Column("at", d.moment("When it happened")),
        "title": Column("title", d.text()),
        "body": Column("body", d.text()),
        "actor": Column("actor__email", d.nullable(d.text())),
        "visibility": Column("visibility", d.text(enum=Visibility.values)),
        "source": Column("source", d.text()),
        "external_id": Column("external_id", d.text()),
        "data": Column("data", d.free()),
    },
    orderings={"id": "pk", "at": "at"},
    default="-at",
)
FILTERS = {
    "account": d.uuid(),
    "kind": d.text(enum=ActivityKind.values),
    "since": d.moment("Happened at or after this moment"),
    "until": d.moment("Happened before this moment"),
}
ACTIVITY_ANSWER = ACTIVITIES.schema()


class ActivityList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "activity.log"}
    describe = {
        "GET": Operation(
            "List timeline entries", query=ACTIVITIES.query(**FILTERS), answers={200: d.page_of(ACTIVITY_ANSWER)}
        ),
        "POST": Operation(
            "Log a note, call, meeting or e-mail",
            f"Kinds to log: {', '.join(sorted(LOGGED_BY_HAND))}. Whoever sees the account may log on it.",
            body=schema_of(_NEW),
            answers={201: ACTIVITY_ANSWER},
        ),
    }

    def get(self, request: Request) -> Response:
        return ACTIVITIES.page(request, _asked_for(request, self.user), list(FILTERS))

    def post(self, request: Request) -> Response:
        values = read_fields(json_object(request), _NEW, self.user, partial=False)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        happened_at = values.pop("at", None)
        entry = log_touch(account, actor=self.user, at=timezone.now(), happened_at=happened_at, **values)
        return ACTIVITIES.one(request, Activity.objects.all(), 201, pk=entry.pk)


class ActivityDetail(Endpoint):
    policy = {"GET": "accounts.view"}
    describe = {"GET": Operation("Read a timeline entry", answers={200: ACTIVITY_ANSWER})}

    def get(self, request: Request, activity_id: UUID) -> Response:
        return ACTIVITIES.one(request, Activity.objects.visible_to(self.user), pk=activity_id)


def _asked_for(request: Request, user: User) -> Any:
    rows = Activity.objects.visible_to(user)
    if "account" in request.GET:
        rows = rows.filter(account=uuid_parameter(request, "account"))
    if "kind" in request.GET:
        rows = rows.filter(kind=request.GET["kind"])
    if "since" in request.GET:
        rows = rows.filter(at__gte=moment_parameter(request, "since"))
    if "until" in request.GET:
        rows = rows.filter(at__lt=moment_parameter(request, "until"))
    return rows


urlpatterns = [
    path("activities/", ActivityList.as_view(), name="activity-list"),
    path("activities/<uuid:activity_id>/", ActivityDetail.as_view(), name="activity-detail"),
]
