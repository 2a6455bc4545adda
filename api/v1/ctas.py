"""``ctas``: calls to action, what can be done with them, and their tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, choice, day, identifier, text
from accounts.models import Account, User
from accounts.models.stand_ins import worked_by
from accounts.record_fields import ACCOUNT_REFERENCE
from api.problems import bad_parameter
from api.schema import IF_MATCH
from api.scope import require_editable
from api.serializers import DayField, QuerySerializer, RecordSerializer, RowSerializer, invalid, record
from api.views import Endpoint
from playbooks import actions
from playbooks.choices import CtaKind, CtaStatus, Outcome, Priority
from playbooks.models import Cta

_EDIT = {
    "title": text(200, required=True),
    "reason": text(4000, lines=True),
    "kind": choice(CtaKind.values, empty=CtaKind.ACTIVITY),
    "priority": choice(Priority.values, empty=Priority.MEDIUM),
    "due_on": day(help="By priority in business days if absent"),
}
CtaRecord = record("CtaRecord", _EDIT)
NewCta = record(
    "NewCta",
    {
        "account": ACCOUNT_REFERENCE,
        **_EDIT,
        "owner": text(254, help="E-mail address or id of a colleague; the account's owner if absent"),
        "playbook": text(80, help="Key of the playbook whose tasks are copied"),
        "duplicate_key": text(200, help="While one with this key is not closed on the account, another is refused"),
    },
)
ClosedCta = record(
    "ClosedCta", {"outcome": replace(choice(Outcome.values), required=True), "note": text(4000, lines=True)}
)
SnoozedCta = record("SnoozedCta", {"until": day(required=True), "reason": text(200, required=True)})
ReassignedCta = record(
    "ReassignedCta", {"owner": text(254, required=True, help="E-mail address or id"), "reason": text(200)}
)


class CtaSerializer(RowSerializer):
    class Meta:
        model = Cta
        fields = """id account account_name title reason kind priority status owner due_on trigger duplicate_key
            evidence playbook opened_at opened_by snoozed_until snooze_reason closed_at outcome close_note
            version""".split()
        paths = {
            "account_name": "account__name",
            "owner": "owner__email",
            "trigger": "trigger_key",
            "playbook": "playbook__key",
            "opened_by": "opened_by__email",
            "snoozed_until": "snoozed_until_on",
        }
        blank_as_null = ("trigger", "outcome")
        versioned = True


class CtaQuery(QuerySerializer):
    status = serializers.ChoiceField(CtaStatus.choices)
    kind = serializers.ChoiceField(CtaKind.choices)
    priority = serializers.ChoiceField(Priority.choices)
    account = serializers.UUIDField()
    owner = serializers.CharField(help_text="E-mail address or id, me (also of whom one stands in for), or none")
    due_before = DayField(source="due_on__lt", help_text="Due before this day")


class CtaList(Endpoint):
    policy = {"GET": "ctas.view", "POST": "ctas.work"}
    serializer_class = CtaSerializer
    query_class = CtaQuery
    ordering_fields = {"id": "pk", "due_on": "due_on", "opened_at": "opened_at"}
    ordering = "due_on"

    @extend_schema(summary="List CTAs")
    def get(self, request: Request) -> Response:
        query = self.query
        owner = query.pop("owner", "")
        rows = Cta.objects.visible_to(self.user).filter(**query)
        return self.page(_owned(rows, owner, self.user) if owner else rows)

    @extend_schema(summary="Open a CTA", request=NewCta)
    def post(self, request: Request) -> Response:
        values = self.read(NewCta)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        playbook = values.pop("playbook", "") or None
        cta = actions.create_cta(account, actor=self.user, at=timezone.now(), playbook_key=playbook, **values)
        return self.one(Cta.objects.all(), 201, pk=cta.pk)


class CtaDetail(Endpoint):
    policy = {"GET": "ctas.view", "PATCH": "ctas.work"}
    serializer_class = CtaSerializer

    @extend_schema(summary="Read a CTA")
    def get(self, request: Request, cta_id: UUID) -> Response:
        return self.one(Cta.objects.visible_to(self.user), pk=cta_id)

    @extend_schema(summary="Change a CTA", request=CtaRecord, parameters=[IF_MATCH])
    def patch(self, request: Request, cta_id: UUID) -> Response:
        cta = workable(self.user, cta_id)
        values = self.read(CtaRecord, partial=True)
        if values.get("due_on", cta.due_on) is None:
            raise invalid(FieldError("due_on", "required", "A CTA has a day."))
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        actions.update_cta(cta, **given, **values)
        return self.one(Cta.objects.all(), pk=cta_id)


class CtaVerb(Endpoint):
    """One verb on one CTA; ``body_class`` reads its body where it has one."""

    serializer_class = CtaSerializer
    body_class: ClassVar[type[RecordSerializer] | None] = None
    act: Callable[..., Any]

    def perform(self, cta_id: UUID) -> Response:
        """The CTA after ``act``. Raises Http404, PermissionDenied, ValidationError, Problem 412."""
        cta = workable(self.user, cta_id)
        values = self.read(self.body_class) if self.body_class else {}
        given = {"actor": self.user, "at": timezone.now(), "expected_version": self.expected_version}
        type(self).act(cta, given, **values)
        return self.one(Cta.objects.all(), pk=cta_id)


class CtaClose(CtaVerb):
    policy = {"POST": "ctas.work"}
    body_class = ClosedCta

    @extend_schema(summary="Close a CTA", request=ClosedCta, parameters=[IF_MATCH])
    def post(self, request: Request, cta_id: UUID) -> Response:
        return self.perform(cta_id)

    @staticmethod
    def act(cta: Cta, given: dict[str, Any], *, outcome: str, note: str = "") -> None:
        actions.close_cta(cta, outcome=outcome, note=note, **given)


class CtaReopen(CtaVerb):
    policy = {"POST": "ctas.work"}

    @extend_schema(summary="Open a closed CTA again", parameters=[IF_MATCH])
    def post(self, request: Request, cta_id: UUID) -> Response:
        return self.perform(cta_id)

    @staticmethod
    def act(cta: Cta, given: dict[str, Any]) -> None:
        actions.reopen_cta(cta, **given)


class CtaSnooze(CtaVerb):
    policy = {"POST": "ctas.work"}
    body_class = SnoozedCta

    @extend_schema(summary="Put a CTA off, with a reason", request=SnoozedCta, parameters=[IF_MATCH])
    def post(self, request: Request, cta_id: UUID) -> Response:
        return self.perform(cta_id)

    @staticmethod
    def act(cta: Cta, given: dict[str, Any], *, until: date, reason: str) -> None:
        actions.snooze_cta(cta, until_on=until, reason=reason, **given)


class CtaWake(CtaVerb):
    policy = {"POST": "ctas.work"}

    @extend_schema(summary="End a snooze now", parameters=[IF_MATCH])
    def post(self, request: Request, cta_id: UUID) -> Response:
        return self.perform(cta_id)

    @staticmethod
    def act(cta: Cta, given: dict[str, Any]) -> None:
        actions.wake_cta(cta, **given)


class CtaReassign(CtaVerb):
    policy = {"POST": "ctas.work"}
    body_class = ReassignedCta

    @extend_schema(summary="Hand a CTA over", request=ReassignedCta, parameters=[IF_MATCH])
    def post(self, request: Request, cta_id: UUID) -> Response:
        return self.perform(cta_id)

    @staticmethod
    def act(cta: Cta, given: dict[str, Any], *, owner: User, reason: str = "") -> None:
        actions.reassign_cta(cta, owner, reason=reason, **given)


def workable(user: User, cta_id: UUID) -> Cta:
    """The CTA ``user`` may change. Raises Http404, or PermissionDenied when they may only see it."""
    cta = Cta.objects.visible_to(user).filter(pk=cta_id).first()
    if cta is None:
        raise Http404
    if not Cta.objects.workable_by(user).filter(pk=cta_id).exists():
        raise PermissionDenied("You may see this CTA and not change it.")
    return cta


def _owned(rows: QuerySet[Cta], wanted: str, user: User) -> QuerySet[Cta]:
    if wanted == "me":
        return rows.filter(owner__in=worked_by(user))
    if wanted == "none":
        return rows.filter(owner=None)
    if "@" in wanted:
        return rows.filter(owner__email__iexact=wanted)
    if identifier(wanted) is None:
        raise bad_parameter("owner", "this is not an id.")
    return rows.filter(owner=identifier(wanted))


urlpatterns = [
    path("ctas/", CtaList.as_view(), name="cta-list"),
    path("ctas/<uuid:cta_id>/", CtaDetail.as_view(), name="cta-detail"),
    path("ctas/<uuid:cta_id>/close/", CtaClose.as_view(), name="cta-close"),
    path("ctas/<uuid:cta_id>/reopen/", CtaReopen.as_view(), name="cta-reopen"),
    path("ctas/<uuid:cta_id>/snooze/", CtaSnooze.as_view(), name="cta-snooze"),
    path("ctas/<uuid:cta_id>/wake/", CtaWake.as_view(), name="cta-wake"),
    path("ctas/<uuid:cta_id>/reassign/", CtaReassign.as_view(), name="cta-reassign"),
]
