"""``activities``: the accounts' timelines."""

from __future__ import annotations

from uuid import UUID

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import log_touch
from accounts.actions.activity import LOGGED_BY_HAND
from accounts.choices import ActivityKind
from accounts.models import Account, Activity
from accounts.record_fields import ACCOUNT_REFERENCE, ACTIVITY
from api.scope import require_editable
from api.serializers import MomentField, QuerySerializer, RowSerializer, record
from api.views import Endpoint

NewActivity = record("NewActivity", {**ACTIVITY, "account": ACCOUNT_REFERENCE})


class ActivitySerializer(RowSerializer):
    class Meta:
        model = Activity
        fields = "id account kind at title body actor visibility source external_id data".split()
        paths = {"actor": "actor__email"}


class ActivityQuery(QuerySerializer):
    account = serializers.UUIDField()
    kind = serializers.ChoiceField(ActivityKind.choices)
    since = MomentField(source="at__gte", help_text="Happened at or after this moment")
    until = MomentField(source="at__lt", help_text="Happened before this moment")


class ActivityList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "activity.log"}
    serializer_class = ActivitySerializer
    query_class = ActivityQuery
    ordering_fields = {"id": "pk", "at": "at"}
    ordering = "-at"

    @extend_schema(summary="List timeline entries")
    def get(self, request: Request) -> Response:
        return self.page(Activity.objects.visible_to(self.user).filter(**self.query))

    @extend_schema(
        summary="Log a note, call, meeting or e-mail",
        description=f"Kinds to log: {', '.join(sorted(LOGGED_BY_HAND))}. Whoever sees the account may log on it.",
        request=NewActivity,
    )
    def post(self, request: Request) -> Response:
        values = self.read(NewActivity)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        happened_at = values.pop("at", None)
        entry = log_touch(account, actor=self.user, at=timezone.now(), happened_at=happened_at, **values)
        return self.one(Activity.objects.all(), 201, pk=entry.pk)


class ActivityDetail(Endpoint):
    policy = {"GET": "accounts.view"}
    serializer_class = ActivitySerializer

    @extend_schema(summary="Read a timeline entry")
    def get(self, request: Request, activity_id: UUID) -> Response:
        return self.one(Activity.objects.visible_to(self.user), pk=activity_id)


urlpatterns = [
    path("activities/", ActivityList.as_view(), name="activity-list"),
    path("activities/<uuid:activity_id>/", ActivityDetail.as_view(), name="activity-detail"),
]
