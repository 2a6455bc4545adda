"""``playbooks`` and ``tasks``: recipes, and what is to be done for CTAs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, day, text
from accounts.models import User
from api.schema import IF_MATCH
from api.serializers import BodySerializer, DayField, QuerySerializer, Row, RowSerializer, invalid, record
from api.v1.ctas import workable
from api.views import Endpoint
from playbooks import actions
from playbooks.models import Playbook, PlaybookTask, Task

_TASK = {
    "title": text(200, required=True),
    "detail": text(4000, lines=True),
    "due_on": day(help="With its CTA if absent"),
}
TaskRecord = record("TaskRecord", _TASK)
NewTask = record("NewTask", {"cta": text(36, required=True, help="The CTA's id"), **_TASK})


class StepSerializer(RowSerializer):
    class Meta:
        model = PlaybookTask
        fields = ["step", "title", "detail", "offset_days", "unit", "optional"]


class PlaybookSerializer(RowSerializer):
    tasks = StepSerializer(many=True, read_only=True)

    class Meta:
        model = Playbook
        fields = "id key name objective entry triggers pack pack_version retired_at tasks".split()
        paths = {"triggers": "trigger_keys", "pack_version": "version"}
        extended = ("tasks",)

    def extend(self, rows: Sequence[Row]) -> None:
        """The tasks of all playbooks of a page: one query."""
        found: dict[UUID, list[dict[str, Any]]] = {row["_pk"]: [] for row in rows}
        steps = PlaybookTask.objects.filter(playbook__in=found).order_by("position")
        for step in steps.values("playbook_id", *StepSerializer.Meta.fields):
            found[step.pop("playbook_id")].append(step)
        for row in rows:
            row["tasks"] = found[row["_pk"]]


class ChosenTriggersSerializer(BodySerializer):
    triggers = serializers.ListField(
        child=serializers.CharField(max_length=80), max_length=100, help_text="Keys of the triggers that start it"
    )


class PlaybookList(Endpoint):
    policy = {"GET": "playbooks.view"}
    serializer_class = PlaybookSerializer
    ordering_fields = {"id": "pk", "name": "name", "key": "key"}
    ordering = "name"

    @extend_schema(summary="List playbooks")
    def get(self, request: Request) -> Response:
        return self.page(Playbook.objects.filter(**self.query))


class PlaybookDetail(Endpoint):
    policy = {"GET": "playbooks.view", "PATCH": "methodology.edit"}
    serializer_class = PlaybookSerializer

    @extend_schema(summary="Read a playbook")
    def get(self, request: Request, playbook_id: UUID) -> Response:
        return self.one(Playbook.objects.all(), pk=playbook_id)

    @extend_schema(summary="Choose the triggers that start a playbook", request=ChosenTriggersSerializer)
    def patch(self, request: Request, playbook_id: UUID) -> Response:
        playbook = get_object_or_404(Playbook, pk=playbook_id)
        keys = self.read(ChosenTriggersSerializer)["triggers"]
        actions.set_trigger_keys(playbook, keys, actor=self.user, at=timezone.now())
        return self.one(Playbook.objects.all(), pk=playbook_id)


class TaskSerializer(RowSerializer):
    class Meta:
        model = Task
        fields = """id cta account step title detail position due_on optional completed_at completed_by
            version""".split()
        paths = {"account": "cta__account_id", "completed_by": "completed_by__email"}
        versioned = True


class TaskQuery(QuerySerializer):
    cta = serializers.UUIDField()
    account = serializers.UUIDField(source="cta__account")
    done = serializers.BooleanField(help_text="Only completed ones, or only open ones")
    due_before = DayField(source="due_on__lt", help_text="Due before this day")


class TaskList(Endpoint):
    policy = {"GET": "ctas.view", "POST": "ctas.work"}
    serializer_class = TaskSerializer
    query_class = TaskQuery
    ordering_fields = {"id": "pk", "due_on": "due_on", "position": "position"}
    ordering = "due_on"

    @extend_schema(summary="List tasks")
    def get(self, request: Request) -> Response:
        query = self.query
        if "done" in query:
            query["completed_at__isnull"] = not query.pop("done")
        return self.page(Task.objects.visible_to(self.user).filter(**query))

    @extend_schema(summary="Add a task to a CTA", request=NewTask)
    def post(self, request: Request) -> Response:
        values = self.read(NewTask)
        try:
            cta_id = UUID(values.pop("cta"))
        except ValueError as error:
            raise invalid(FieldError("cta", "id", "This is not an id.")) from error
        task = actions.add_task(workable(self.user, cta_id), actor=self.user, at=timezone.now(), **values)
        return self.one(Task.objects.all(), 201, pk=task.pk)


class TaskDetail(Endpoint):
    policy = {"GET": "ctas.view", "PATCH": "ctas.work"}
    serializer_class = TaskSerializer

    @extend_schema(summary="Read a task")
    def get(self, request: Request, task_id: UUID) -> Response:
        return self.one(Task.objects.visible_to(self.user), pk=task_id)

    @extend_schema(summary="Change a task", request=TaskRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, task_id: UUID) -> Response:
        task = _workable_task(self.user, task_id)
        values = self.read(TaskRecord, partial=True)
        if values.get("due_on", task.due_on) is None:
            raise invalid(FieldError("due_on", "required", "A task has a day."))
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.update_task(task, **given, **values)
        return self.one(Task.objects.all(), pk=task_id)


class TaskComplete(Endpoint):
    policy = {"POST": "ctas.work"}
    serializer_class = TaskSerializer

    @extend_schema(summary="Tick a task", parameters=[IF_MATCH])
    def post(self, request: Request, task_id: UUID) -> Response:
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.complete_task(_workable_task(self.user, task_id), **given)
        return self.one(Task.objects.all(), pk=task_id)


class TaskReopen(Endpoint):
    policy = {"POST": "ctas.work"}
    serializer_class = TaskSerializer

    @extend_schema(summary="Take a task's tick away", parameters=[IF_MATCH])
    def post(self, request: Request, task_id: UUID) -> Response:
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.reopen_task(_workable_task(self.user, task_id), **given)
        return self.one(Task.objects.all(), pk=task_id)


def _workable_task(user: User, task_id: UUID) -> Task:
    task = Task.objects.visible_to(user).filter(pk=task_id).first()
    if task is None:
        raise Http404
    if not Task.objects.workable_by(user).filter(pk=task_id).exists():
        raise PermissionDenied("You may see this task and not change it.")
    return task


urlpatterns = [
    path("playbooks/", PlaybookList.as_view(), name="playbook-list"),
    path("playbooks/<uuid:playbook_id>/", PlaybookDetail.as_view(), name="playbook-detail"),
    path("tasks/", TaskList.as_view(), name="task-list"),
    path("tasks/<uuid:task_id>/", TaskDetail.as_view(), name="task-detail"),
    path("tasks/<uuid:task_id>/complete/", TaskComplete.as_view(), name="task-complete"),
    path("tasks/<uuid:task_id>/reopen/", TaskReopen.as_view(), name="task-reopen"),
]
