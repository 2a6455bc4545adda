"""``users``: the colleagues. Inviting and deactivating are pages."""

from __future__ import annotations

from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.choices import Role
from accounts.models import ApiToken, User
from api.serializers import QuerySerializer, RowSerializer
from api.views import Endpoint


class UserSerializer(RowSerializer):
    class Meta:
        model = User
        fields = ["id", "email", "name", "title", "role", "is_active", "created_at"]


class UserQuery(QuerySerializer):
    role = serializers.ChoiceField(Role.choices)
    active = serializers.BooleanField(source="is_active")
    email = serializers.CharField(source="email__iexact")


class UserList(Endpoint):
    policy = {"GET": "users.view"}
    serializer_class = UserSerializer
    query_class = UserQuery
    ordering_fields = {"id": "pk", "email": "email", "name": "name", "created_at": "created_at"}
    ordering = "email"

    @extend_schema(summary="List colleagues")
    def get(self, request: Request) -> Response:
        return self.page(User.objects.staff().filter(**self.query))


class UserDetail(Endpoint):
    policy = {"GET": "users.view"}
    serializer_class = UserSerializer

    @extend_schema(summary="Read a colleague")
    def get(self, request: Request, user_id: UUID) -> Response:
        return self.one(User.objects.staff(), pk=user_id)


class TokenSerializer(serializers.ModelSerializer):
    class Meta:
        model = ApiToken
        fields = ["name", "scopes", "expires_at"]
        read_only_fields = fields


class MeSerializer(serializers.Serializer):
    user = UserSerializer()
    token = TokenSerializer(allow_null=True)


class Me(Endpoint):
    policy = {"GET": "profile.own"}

    @extend_schema(summary="Whom this token acts for", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        row = UserSerializer.read(User.objects.all(), pk=self.user.pk)
        token = TokenSerializer(request.auth).data if request.auth else None
        return Response({"user": row, "token": token})


urlpatterns = [
    path("users/", UserList.as_view(), name="user-list"),
    path("users/me/", Me.as_view(), name="user-me"),
    path("users/<uuid:user_id>/", UserDetail.as_view(), name="user-detail"),
]
