"""``playbooks`` and ``tasks``: recipes, and what is to be done for CTAs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, day, text
from accounts.models import User
from api import describe as d
from api.describe import Operation
from api.inputs import read_fields, schema_of
from api.problems import Problem, refuse
from api.reading import bad_parameter, day_parameter, json_object, uuid_parameter
from api.resources import Column, Resource, Row, expected_version
from api.v1.ctas import workable
from api.views import Endpoint
from playbooks import actions
from playbooks.models import Playbook, PlaybookTask, Task


def _with_tasks(rows: Sequence[Row]) -> None:
    """The tasks of all playbooks of a page: one query."""
    found: dict[UUID, list[dict[str, Any]]] = {row["_pk"]: [] for row in rows}
    for task in PlaybookTask.objects.filter(playbook__in=found).order_by("position"):
        found[task.playbook_id].append(
            {
                "step": task.step,
                "title": task.title,
                "detail": task.detail,
                "offset_days": task.offset_days,
                "unit": task.unit,
                "optional": task.optional,
            }
        )
    for row in rows:
        row["tasks"] = found[row["_pk"]]


PLAYBOOKS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "key": Column("key", d.text()),
        "name": Column("name", d.text()),
        "objective": Column("objective", d.text()),
        "entry": Column("entry", d.text("When to start it, in words")),
        "triggers": Column("trigger_keys", d.listed(d.text("Key of a trigger that starts it"))),
        "pack": Column("pack", d.text()),
        "pack_version": Column("version", d.text()),
        "retired_at": Column("retired_at", d.nullable(d.moment())),
    },
    orderings={"id": "pk", "name": "name", "key": "key"},
    default="name",
    extra={"tasks": d.listed(d.free())},
    extend=_with_tasks,
)
TASKS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "cta": Column("cta_id", d.uuid()),
        "account": Column("cta__account_id", d.uuid()),
        "step": Column("step", d.text()),
        "title": Column("title", d.text()),
        "detail": Column("detail", d.text()),
        "position": Column("position", d.number()),
        "due_on": Column("due_on", d.day()),
        "optional": Column("optional", d.flag()),
        "completed_at": Column("completed_at", d.nullable(d.moment())),
        "completed_by": Column("completed_by__email", d.nullable(d.text())),
        "version": Column("version", d.number()),
    },
    orderings={"id": "pk", "due_on": "due_on", "position": "position"},
    default="due_on",
    versioned=True,
)
PLAYBOOK, TASK = PLAYBOOKS.schema(), TASKS.schema()
TASK_FILTERS = {
    "cta": d.uuid(),
    "account": d.uuid(),
    "done": d.flag("Only completed ones, or only open ones"),
    "due_before": d.day("Due before this day"),
}
_TASK = {
    "title": text(200, required=True),
    "detail": text(4000, lines=True),
    "due_on": day(help="With its CTA if absent"),
}
_NEW_TASK = {"cta": text(36, required=True, help="The CTA's id"), **_TASK}


class PlaybookList(Endpoint):
    policy = {"GET": "playbooks.view"}
    describe = {"GET": Operation("List playbooks", query=PLAYBOOKS.query(), answers={200: d.page_of(PLAYBOOK)})}

    def get(self, request: Request) -> Response:
        return PLAYBOOKS.page(request, Playbook.objects.all())


class PlaybookDetail(Endpoint):
    policy = {"GET": "playbooks.view", "PATCH": "methodology.edit"}
    describe = {
        "GET": Operation("Read a playbook", answers={200: PLAYBOOK}),
        "PATCH": Operation(
            "Choose the triggers that start a playbook",
            body=d.shape(("triggers",), triggers=d.listed(d.text())),
            answers={200: PLAYBOOK},
        ),
    }

    def get(self, request: Request, playbook_id: UUID) -> Response:
        return PLAYBOOKS.one(request, Playbook.objects.all(), pk=playbook_id)

    def patch(self, request: Request, playbook_id: UUID) -> Response:
        playbook = Playbook.objects.filter(pk=playbook_id).first()
        if playbook is None:
            raise Http404
        body = json_object(request)
        keys = body.get("triggers")
        if set(body) != {"triggers"} or not isinstance(keys, list) or not all(_is_key(key) for key in keys):
            raise refuse([FieldError("triggers", "type", "A list of at most 100 trigger keys.")])
        actions.set_trigger_keys(playbook, keys[:100], actor=self.user, at=timezone.now())
        return PLAYBOOKS.one(request, Playbook.objects.all(), pk=playbook_id)


class TaskList(Endpoint):
    policy = {"GET": "ctas.view", "POST": "ctas.work"}
    describe = {
        "GET": Operation("List tasks", query=TASKS.query(**TASK_FILTERS), answers={200: d.page_of(TASK)}),
        "POST": Operation("Add a task to a CTA", body=schema_of(_NEW_TASK), answers={201: TASK}),
    }

    def get(self, request: Request) -> Response:
        return TASKS.page(request, _asked_for(request, self.user), list(TASK_FILTERS))

    def post(self, request: Request) -> Response:
        values = read_fields(json_object(request), _NEW_TASK, self.user, partial=False)
        try:
            cta_id = UUID(values.pop("cta"))
        except ValueError as error:
            raise refuse([FieldError("cta", "id", "This is not an id.")]) from error
        task = actions.add_task(workable(self.user, cta_id), actor=self.user, at=timezone.now(), **values)
        return TASKS.one(request, Task.objects.all(), 201, pk=task.pk)


class TaskDetail(Endpoint):
    policy = {"GET": "ctas.view", "PATCH": "ctas.work"}
    describe = {
        "GET": Operation("Read a task", answers={200: TASK}),
        "PATCH": Operation("Change a task", body=schema_of(_TASK, partial=True), answers={200: TASK}, errors=(412,)),
    }

    def get(self, request: Request, task_id: UUID) -> Response:
        return TASKS.one(request, Task.objects.visible_to(self.user), pk=task_id)

    def patch(self, request: Request, task_id: UUID) -> Response:
        task = _workable_task(self.user, task_id)
        values = read_fields(json_object(request), _TASK, self.user, partial=True)
        if values.get("due_on", task.due_on) is None:
            raise refuse([FieldError("due_on", "required", "A task has a day.")])
        given = {"actor": self.user, "at": timezone.now(), "expected_version": expected_version(request)}
        actions.update_task(task, **given, **values)
        return TASKS.one(request, Task.objects.all(), pk=task_id)


class TaskComplete(Endpoint):
    policy = {"POST": "ctas.work"}
    describe = {"POST": Operation("Tick a task", body=d.shape(), answers={200: TASK}, errors=(412,))}
    act = staticmethod(actions.complete_task)

    def post(self, request: Request, task_id: UUID) -> Response:
        given = {"actor": self.user, "at": timezone.now(), "expected_version": expected_version(request)}
        self.act(_workable_task(self.user, task_id), **given)
        return TASKS.one(request, Task.objects.all(), pk=task_id)


class TaskReopen(TaskComplete):
    describe = {"POST": Operation("Take a task's tick away", body=d.shape(), answers={200: TASK}, errors=(412,))}
    act = staticmethod(actions.reopen_task)


def _workable_task(user: User, task_id: UUID) -> Task:
    task = Task.objects.visible_to(user).filter(pk=task_id).first()
    if task is None:
        raise Http404
    if not Task.objects.workable_by(user).filter(pk=task_id).exists():
        raise Problem("forbidden", "You may see this task and not change it.")
    return task


def _asked_for(request: Request, user: User) -> Any:
    rows = Task.objects.visible_to(user)
    query = request.GET
    if "cta" in query:
        rows = rows.filter(cta=uuid_parameter(request, "cta"))
    if "account" in query:
        rows = rows.filter(cta__account=uuid_parameter(request, "account"))
    if "due_before" in query:
        rows = rows.filter(due_on__lt=day_parameter(request, "due_before"))
    if "done" in query:
        if query["done"] not in {"true", "false"}:
            raise bad_parameter("done", "true or false.")
        rows = rows.filter(completed_at__isnull=query["done"] == "false")
    return rows


def _is_key(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 80 and value.isprintable()


urlpatterns = [
    path("playbooks/", PlaybookList.as_view(), name="playbook-list"),
    path("playbooks/<uuid:playbook_id>/", PlaybookDetail.as_view(), name="playbook-detail"),
    path("tasks/", TaskList.as_view(), name="task-list"),
    path("tasks/<uuid:task_id>/", TaskDetail.as_view(), name="task-detail"),
    path("tasks/<uuid:task_id>/complete/", TaskComplete.as_view(), name="task-complete"),
    path("tasks/<uuid:task_id>/reopen/", TaskReopen.as_view(), name="task-reopen"),
]
