"""``segments``: named sets of accounts by a rule, who is in them, and who came and went."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import Field, text
from api.problems import Problem, error_at
from api.schema import IF_MATCH
from api.serializers import QuerySerializer, RecordSerializer, RowSerializer, record
from api.views import Endpoint
from health.actions import change_segment, create_segment, delete_segment
from health.models import Segment, SegmentMember
from health.queries.segments import matching
from health.segments.catalogue import fields
from health.segments.rules import MOST_CONDITIONS, MOST_GROUPS, OPERATORS, RuleError, checked

_JOIN = {"type": "string", "enum": ["all", "any"], "default": "all"}
_CONDITION = {
    "type": "object",
    "required": ["field", "op"],
    "properties": {
        "field": {"type": "string", "description": "A field of segments/fields/"},
        "op": {"type": "string", "enum": sorted({op for known in OPERATORS.values() for op in known})},
        "value": {"description": "A number, a text, or a list of options", "type": ["string", "number", "array"]},
    },
}
_GROUP = {
    "type": "object",
    "required": ["conditions"],
    "properties": {
        "join": _JOIN,
        "conditions": {"type": "array", "items": _CONDITION, "minItems": 1, "maxItems": MOST_CONDITIONS},
    },
}
_RULE = {
    "type": "object",
    "required": ["groups"],
    "properties": {
        "join": _JOIN,
        "groups": {"type": "array", "items": _GROUP, "minItems": 1, "maxItems": MOST_GROUPS},
    },
}
# A rule travels as it is; ``_values`` checks it against the workspace's fields.
RULE = Field(lambda raw: raw, _RULE, required=True)
SegmentRecord = record("SegmentRecord", {"name": text(80, required=True), "description": text(300), "rule": RULE})
RuleRecord = record("RuleRecord", {"rule": RULE})
_QUIET = {"field": "touch_days", "op": ">", "value": "30"}
_LARGE = {"field": "arr", "op": ">=", "value": "50000"}
_EXAMPLE = {"join": "all", "groups": [{"join": "all", "conditions": [_LARGE, _QUIET]}]}


class SegmentSerializer(RowSerializer):
    rule = serializers.DictField(read_only=True, help_text="Groups of conditions, each joined by all or any")

    class Meta:
        model = Segment
        fields = "id name description rule created_by created_at updated_at evaluated_at version".split()
        paths = {"created_by": "created_by__email"}
        versioned = True


class SegmentStaySerializer(RowSerializer):
    class Meta:
        model = SegmentMember
        fields = "account account_name entered_at left_at".split()
        paths = {"account": "account_id", "account_name": "account__name"}


class StayQuery(QuerySerializer):
    state = serializers.ChoiceField(["in", "left"], help_text="in: those that last; left: those that ended")


class CountSerializer(serializers.Serializer):
    accounts = serializers.IntegerField()


class OptionSerializer(serializers.Serializer):
    value = serializers.CharField()
    label = serializers.CharField()


class RuleFieldSerializer(serializers.Serializer):
    field = serializers.CharField()
    name = serializers.CharField()
    group = serializers.CharField()
    kind = serializers.ChoiceField(list(OPERATORS))
    ops = serializers.ListField(child=serializers.CharField())
    options = OptionSerializer(many=True)


class RuleFieldsSerializer(serializers.Serializer):
    results = RuleFieldSerializer(many=True)


class SegmentList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "segments.edit"}
    serializer_class = SegmentSerializer
    ordering_fields = {"id": "pk", "name": "name", "created_at": "created_at"}
    ordering = "name"

    @extend_schema(summary="List segments")
    def get(self, request: Request) -> Response:
        return self.page(Segment.objects.filter(**self.query))

    @extend_schema(
        summary="Make a segment",
        description="Its members are found before the answer. GET accounts/?segment=<id> lists them.",
        request=SegmentRecord,
        responses={201: SegmentSerializer},
        examples=[OpenApiExample("Segment", {"name": "Large and quiet", "rule": _EXAMPLE}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        segment = create_segment(actor=self.user, at=timezone.now(), **_values(self, SegmentRecord))
        return self.one(Segment.objects.all(), 201, pk=segment.pk)


class SegmentDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "segments.edit", "DELETE": "segments.edit"}
    serializer_class = SegmentSerializer

    @extend_schema(summary="Read a segment")
    def get(self, request: Request, segment_id: UUID) -> Response:
        return self.one(Segment.objects.all(), pk=segment_id)

    @extend_schema(
        summary="Change a segment",
        description="Another rule finds its members anew; entries and exits are kept.",
        request=SegmentRecord,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request, segment_id: UUID) -> Response:
        segment = get_object_or_404(Segment, pk=segment_id)
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        change_segment(segment, **given, **_values(self, SegmentRecord, partial=True))
        return self.one(Segment.objects.all(), pk=segment_id)

    @extend_schema(summary="Delete a segment and its history", parameters=[IF_MATCH])
    def delete(self, request: Request, segment_id: UUID) -> Response:
        segment = get_object_or_404(Segment, pk=segment_id)
        delete_segment(segment, actor=self.user, at=timezone.now(), expected_version=self.expected_version)
        return Response(status=204)


class SegmentStays(Endpoint):
    policy = {"GET": "accounts.view"}
    serializer_class = SegmentStaySerializer
    query_class = StayQuery
    ordering_fields = {"id": "pk", "entered_at": "entered_at", "left_at": "left_at"}
    ordering = "entered_at"

    @extend_schema(
        summary="Stays of accounts in a segment",
        description="One row a stay: an account that left and came back has two. Without state those of all time.",
    )
    def get(self, request: Request, segment_id: UUID) -> Response:
        segment = get_object_or_404(Segment, pk=segment_id)
        state = self.query.get("state")
        stays = SegmentMember.objects.visible_to(self.user).filter(segment=segment)
        return self.page(stays.filter(left_at__isnull=state == "in") if state else stays)


class SegmentPreview(Endpoint):
    policy = {"POST": "segments.edit"}

    @extend_schema(
        summary="Count the accounts that a rule matches now",
        description="Nothing is stored. The count is of the accounts that the caller sees.",
        request=RuleRecord,
        responses=CountSerializer,
        examples=[OpenApiExample("Rule", {"rule": _EXAMPLE}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        rule = _values(self, RuleRecord)["rule"]
        return Response({"accounts": matching(rule, self.user, at=timezone.now()).count()})


class SegmentFields(Endpoint):
    policy = {"GET": "accounts.view"}

    @extend_schema(
        summary="What a segment's rule may test",
        description="Fields of accounts, contracts, health and work, and the workspace's metrics.",
        responses=RuleFieldsSerializer,
    )
    def get(self, request: Request) -> Response:
        self.refuse_parameters()
        found = [
            {
                "field": field.key,
                "name": field.label,
                "group": field.group,
                "kind": field.kind,
                "ops": list(OPERATORS[field.kind]),
                "options": [{"value": value, "label": label} for value, label in field.options],
            }
            for field in fields().values()
        ]
        return Response({"results": found})


def _values(endpoint: Endpoint, wanted: type[RecordSerializer], *, partial: bool = False) -> dict[str, Any]:
    """The fields that were sent, the rule in its canonical shape. Raises Problem 422 naming the place in it."""
    values = endpoint.read(wanted, partial=partial)
    if "rule" in values:
        try:
            values["rule"] = checked(values["rule"], fields())
        except RuleError as wrong:
            errors = [error_at(f"/rule{wrong.where}", "rule", wrong.message)]
            raise Problem("refused", wrong.message, errors=errors) from wrong
    return values


urlpatterns = [
    path("segments/", SegmentList.as_view(), name="segment-list"),
    path("segments/fields/", SegmentFields.as_view(), name="segment-fields"),
    path("segments/preview/", SegmentPreview.as_view(), name="segment-preview"),
    path("segments/<uuid:segment_id>/", SegmentDetail.as_view(), name="segment-detail"),
    path("segments/<uuid:segment_id>/members/", SegmentStays.as_view(), name="segment-members"),
]
