"""``audit``: who changed what, and whether the log is as it was written."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.audit import head, verify_chain
from accounts.models import AuditEntry
from api.serializers import MomentField, QuerySerializer, RowSerializer
from api.views import Endpoint


class AuditEntrySerializer(RowSerializer):
    class Meta:
        model = AuditEntry
        fields = """id at actor actor_id via action object_type object_id object_label account before after prev_hash
            hash""".split()
        paths = {"actor": "actor_label", "account": "account_id"}


class AuditQuery(QuerySerializer):
    account = serializers.UUIDField(source="account_id")
    action = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    since = MomentField(source="at__gte")
    until = MomentField(source="at__lt")


class AuditList(Endpoint):
    policy = {"GET": "audit.view"}
    serializer_class = AuditEntrySerializer
    query_class = AuditQuery
    ordering_fields = {"id": "pk"}
    ordering = "-id"

    @extend_schema(summary="List audit entries")
    def get(self, request: Request) -> Response:
        return self.page(AuditEntry.objects.filter(**self.query))


class VerificationSerializer(serializers.Serializer):
    intact = serializers.BooleanField()
    entries = serializers.IntegerField()
    broken_at = serializers.IntegerField(allow_null=True, help_text="First that does not fit")
    head = serializers.CharField(help_text="Hash of the newest entry")


class AuditVerification(Endpoint):
    policy = {"GET": "audit.view"}

    @extend_schema(
        summary="Verify the chain of the audit log",
        description="Every hash is computed again. Keep head elsewhere: then the removal of the newest entries shows "
        "too.",
        responses=VerificationSerializer,
    )
    def get(self, request: Request) -> Response:
        state = verify_chain()
        return Response(
            {"intact": state.intact, "entries": state.entries, "broken_at": state.broken_at, "head": head()}
        )


urlpatterns = [
    path("audit/", AuditList.as_view(), name="audit-list"),
    path("audit/verification/", AuditVerification.as_view(), name="audit-verification"),
]
