"""``activities``: the accounts' timelines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import actions
from accounts.actions.activity import LOGGED_BY_HAND
from accounts.choices import ActivityKind
from accounts.fields import day, text, yes_no
from accounts.models import Account, Activity, User
from accounts.record_fields import ACCOUNT_REFERENCE, ACTIVITY
from api.scope import editable_account, editable_row, require_editable
from api.serializers import MomentField, QuerySerializer, RowSerializer, record
from api.views import Endpoint

NewActivity = record("NewActivity", {**ACTIVITY, "account": ACCOUNT_REFERENCE})
EditedActivity = record(
    "EditedActivity",
    {
        **{name: kept for name, kept in ACTIVITY.items() if name != "data"},
        "pinned": yes_no(help="true keeps the entry above the others of its account, false lets it go"),
    },
)
MovedStep = record(
    "MovedStep",
    {
        "owner": text(254, help="E-mail address or id of a colleague"),
        "until": day(help="The day it is put off to; needs a reason"),
        "done": yes_no(help="true: it is done; false: it is not, after all"),
        "reason": text(200),
    },
)


class ActivitySerializer(RowSerializer):
    class Meta:
        model = Activity
        fields = """id account kind at title body actor visibility source external_id data attendees next_step
            next_step_on next_step_at next_step_owner next_step_done_at edited_at pinned_at""".split()
        paths = {"actor": "actor__email", "next_step_owner": "next_step_owner__email"}


class ActivityQuery(QuerySerializer):
    account = serializers.UUIDField()
    kind = serializers.ChoiceField(ActivityKind.choices)
    since = MomentField(source="at__gte", help_text="Happened at or after this moment")
    until = MomentField(source="at__lt", help_text="Happened before this moment")
    step = serializers.ChoiceField(["open", "done"], help_text="Entries whose next step is still open, or done")


class ActivityList(Endpoint):
    policy = {"GET": "accounts.view", "POST": "activity.log"}
    serializer_class = ActivitySerializer
    query_class = ActivityQuery
    ordering_fields = {"id": "pk", "at": "at"}
    ordering = "-at"

    @extend_schema(summary="List timeline entries")
    def get(self, request: Request) -> Response:
        query = self.query
        step = query.pop("step", "")
        rows = Activity.objects.visible_to(self.user).filter(**query)
        return self.page(rows.with_step().filter(next_step_done_at__isnull=step == "open") if step else rows)

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
        entry = actions.log_touch(account, actor=self.user, at=timezone.now(), happened_at=happened_at, **values)
        return self.one(Activity.objects.all(), 201, pk=entry.pk)


class ActivityDetail(Endpoint):
    policy = {"GET": "accounts.view", "PATCH": "activity.log", "DELETE": "activity.log"}
    serializer_class = ActivitySerializer

    @extend_schema(summary="Read a timeline entry")
    def get(self, request: Request, activity_id: UUID) -> Response:
        return self.one(Activity.objects.visible_to(self.user), pk=activity_id)

    @extend_schema(
        summary="Correct or pin a timeline entry",
        description="Words change where a person logged the entry; the audit log keeps those before.",
        request=EditedActivity,
    )
    def patch(self, request: Request, activity_id: UUID) -> Response:
        entry = editable_row(Activity.objects, self.user, activity_id)
        values = {name: value for name, value in self.read(EditedActivity, partial=True).items() if name in self.body}
        pinned = values.pop("pinned", None)
        given: dict[str, Any] = {"actor": self.user, "when": timezone.now()}
        with transaction.atomic():
            if values:
                actions.update_entry(entry, **given, **values)
            if pinned is not None:
                (actions.pin_entry if pinned else actions.unpin_entry)(entry, **given)
        return self.one(Activity.objects.all(), pk=activity_id)

    @extend_schema(
        summary="Delete a timeline entry",
        description="One that a person logged; `restore/` brings it back.",
    )
    def delete(self, request: Request, activity_id: UUID) -> Response:
        entry = editable_row(Activity.objects, self.user, activity_id)
        actions.delete_entry(entry, actor=self.user, when=timezone.now())
        return Response(status=204)


class ActivityRestore(Endpoint):
    policy = {"POST": "activity.log"}
    serializer_class = ActivitySerializer

    @extend_schema(summary="Bring a deleted timeline entry back", request=None)
    def post(self, request: Request, activity_id: UUID) -> Response:
        account_id = actions.account_of_entry(activity_id)
        if account_id is None:
            raise Http404
        editable_account(self.user, account_id)
        actions.restore_entry(activity_id, actor=self.user, when=timezone.now())
        return self.one(Activity.objects.all(), pk=activity_id)


class ActivityStep(Endpoint):
    """The next step of an entry."""

    policy = {"PATCH": "ctas.work"}
    serializer_class = ActivitySerializer

    @extend_schema(summary="Do, put off or hand over a next step", request=MovedStep)
    def patch(self, request: Request, activity_id: UUID) -> Response:
        entry = _workable(self.user, activity_id)
        values = self.read(MovedStep, partial=True)
        given: dict[str, Any] = {"actor": self.user, "at": timezone.now()}
        reason = values.get("reason", "")
        with transaction.atomic():
            if values.get("owner"):
                actions.hand_over_next_step(entry, values["owner"], reason=reason, **given)
            if values.get("until"):
                actions.put_off_next_step(entry, until_on=values["until"], reason=reason, **given)
            if "done" in values:
                verb = actions.complete_next_step if values["done"] else actions.reopen_next_step
                verb(entry, **given)
        return self.one(Activity.objects.all(), pk=activity_id)


def _workable(user: User, activity_id: UUID) -> Activity:
    """The entry whose next step ``user`` may change: 404 where they may not see it, 403 where only read it."""
    entry = Activity.objects.visible_to(user).filter(pk=activity_id).first()
    if entry is None:
        raise Http404
    if entry.next_step_owner_id != user.pk:
        require_editable(user, entry.account_id)
    return entry


urlpatterns = [
    path("activities/", ActivityList.as_view(), name="activity-list"),
    path("activities/<uuid:activity_id>/restore/", ActivityRestore.as_view(), name="activity-restore"),
    path("activities/<uuid:activity_id>/next-step/", ActivityStep.as_view(), name="activity-step"),
    path("activities/<uuid:activity_id>/", ActivityDetail.as_view(), name="activity-detail"),
]
