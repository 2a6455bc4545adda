"""``support/checklists``: reviews of a month, habits and cycles, with their steps and owners."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from api.schema import IF_MATCH
from api.serializers import RowSerializer
from api.v1.sla import body_of
from api.v1.ticket_inputs import active_colleague
from api.views import Endpoint
from support import actions
from support.models import Checklist, ChecklistTemplate
from support.queries import checklists as queries


class TemplateSerializer(RowSerializer):
    class Meta:
        model = ChecklistTemplate
        fields = "id pack key name steps is_monthly".split()


class ChecklistSerializer(RowSerializer):
    class Meta:
        model = Checklist
        fields = "id template name month notes opened_at opened_by closed_at version".split()
        paths = {"name": "template__name", "opened_by": "opened_by__email"}
        versioned = True


class StartBody(serializers.Serializer):
    """Which checklist, and for which month where it is about one (the last one if not given)."""

    template = serializers.UUIDField()
    month = serializers.DateField(allow_null=True, default=None)


class StepBody(serializers.Serializer):
    """One step: by its id, with what changes of it."""

    id = serializers.UUIDField()
    done = serializers.BooleanField(required=False)
    owner = serializers.EmailField(required=False, allow_blank=True, help_text="Empty: nobody's")


class WorkBody(serializers.Serializer):
    """The steps that change, and the notes."""

    steps = serializers.ListField(child=StepBody(), default=list, max_length=100)
    notes = serializers.CharField(max_length=10_000, allow_blank=True, required=False)


class TemplateList(Endpoint):
    policy = {"GET": "escalations.view"}
    serializer_class = TemplateSerializer
    ordering_fields = {"name": "name"}
    ordering = "name"

    @extend_schema(summary="Checklists that can be started")
    def get(self, request: Request) -> Response:
        return self.page(ChecklistTemplate.objects.filter(retired_at=None, **self.query))


class ChecklistList(Endpoint):
    policy = {"GET": "escalations.view", "POST": "support.configure"}
    serializer_class = ChecklistSerializer
    ordering_fields = {"opened_at": "opened_at"}
    ordering = "-opened_at"

    @extend_schema(summary="List checklists that were started")
    def get(self, request: Request) -> Response:
        return self.page(Checklist.objects.filter(**self.query))

    @extend_schema(summary="Start a checklist", request=StartBody)
    def post(self, request: Request) -> Response:
        values = body_of(self, StartBody)
        template = get_object_or_404(queries.templates(), pk=values["template"])
        made = actions.start_checklist(template, actor=self.user, at=timezone.now(), month=values["month"])
        return self.one(Checklist.objects.all(), 201, pk=made.pk)


class ChecklistDetail(Endpoint):
    policy = {"GET": "escalations.view", "PATCH": "escalations.work"}

    @extend_schema(
        summary="Read a checklist with its steps",
        description="For a month's review also what came again among its escalations.",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request, checklist_id: UUID) -> Response:
        self.refuse_parameters()
        return Response(self._told(_checklist(checklist_id)))

    @extend_schema(
        summary="Work a checklist: whose steps are, which are done, notes",
        request=WorkBody, responses=OpenApiTypes.OBJECT, parameters=[IF_MATCH],
    )  # fmt: skip
    def patch(self, request: Request, checklist_id: UUID) -> Response:
        checklist = _checklist(checklist_id)
        values = body_of(self, WorkBody, partial=True)
        done = {item.pk for item in checklist.items.all() if item.done_at}
        owners: dict[UUID, User | None] = {}
        for step in values.get("steps", []):
            if "done" in step:
                (done.add if step["done"] else done.discard)(step["id"])
            if "owner" in step:
                owners[step["id"]] = active_colleague(step["owner"], field="steps") if step["owner"] else None
        # What is not named stays as it was read: somebody else's tick meanwhile refuses this one, and is not undone.
        seen = checklist.version if self.expected_version is None else self.expected_version
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now(), "expected_version": seen}
        notes = values.get("notes", checklist.notes)
        actions.work_checklist(checklist, owners=owners, done=list(done), notes=notes, **given)
        return Response(self._told(_checklist(checklist_id)))

    def _told(self, checklist: Checklist) -> dict[str, Any]:
        return {
            **ChecklistSerializer.read(Checklist.objects.all(), pk=checklist.pk),
            "steps": [
                {
                    "id": str(item.pk), "text": item.text, "owner": item.owner.email if item.owner else None,
                    "done_at": item.done_at.isoformat() if item.done_at else None,
                }
                for item in checklist.items.all()
            ],
            "recurring": queries.recurring(self.user, checklist),
        }  # fmt: skip


def _checklist(key: UUID) -> Checklist:
    found = queries.checklist_of(key)
    if found is None:
        raise Http404
    return found


urlpatterns = [
    path("support/checklist-templates/", TemplateList.as_view(), name="checklist-template-list"),
    path("support/checklists/", ChecklistList.as_view(), name="checklist-list"),
    path("support/checklists/<uuid:checklist_id>/", ChecklistDetail.as_view(), name="checklist-detail"),
]
