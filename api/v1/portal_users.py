"""``portal-users``: the customers' people who sign in to the portal, and how signing in goes for them."""

from __future__ import annotations

from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.choices import SignInOutcome
from accounts.models import User
from accounts.models.people import UserQuerySet
from api.serializers import QuerySerializer, RowSerializer
from api.views import Endpoint

KEPT = "; null where there was none in 90 days"


class PortalUserSerializer(RowSerializer):
    last_try = serializers.ChoiceField(
        SignInOutcome.choices, read_only=True, allow_null=True, help_text=f"How the last try ended{KEPT}"
    )
    last_try_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text=f"When that was{KEPT}")
    last_failure = serializers.ChoiceField(
        SignInOutcome.choices, read_only=True, allow_null=True, help_text=f"Why the last that failed did{KEPT}"
    )
    last_failure_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text=f"When that was{KEPT}")
    failures = serializers.IntegerField(
        read_only=True, allow_null=True, help_text=f"How often it failed so since the last sign-in before{KEPT}"
    )

    class Meta:
        model = User
        fields = """id email name role is_active last_login last_try last_try_at last_failure last_failure_at failures
            created_at""".split()
        paths = {
            "last_try": "tried",
            "last_try_at": "tried_at",
            "last_failure": "failed",
            "last_failure_at": "failed_at",
            "failures": "failed_times",
        }


class PortalUserQuery(QuerySerializer):
    account = serializers.UUIDField(source="portal_accounts")
    active = serializers.BooleanField(source="is_active")
    email = serializers.CharField(source="email__iexact")


def _portal_users(viewer: User) -> UserQuerySet:
    return User.objects.visible_to(viewer).portal().with_tries()


class PortalUserList(Endpoint):
    policy = {"GET": "accounts.view"}
    serializer_class = PortalUserSerializer
    query_class = PortalUserQuery
    ordering_fields = {"id": "pk", "email": "email", "name": "name", "created_at": "created_at"}
    ordering = "email"

    @extend_schema(summary="List portal users")
    def get(self, request: Request) -> Response:
        return self.page(_portal_users(self.user).filter(**self.query))


class PortalUserDetail(Endpoint):
    policy = {"GET": "accounts.view"}
    serializer_class = PortalUserSerializer

    @extend_schema(summary="Read a portal user")
    def get(self, request: Request, user_id: UUID) -> Response:
        return self.one(_portal_users(self.user), pk=user_id)


urlpatterns = [
    path("portal-users/", PortalUserList.as_view(), name="portal-user-list"),
    path("portal-users/<uuid:user_id>/", PortalUserDetail.as_view(), name="portal-user-detail"),
]
