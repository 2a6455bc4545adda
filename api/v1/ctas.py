"""``ctas``: calls to action, what can be done with them, and their tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.fields import FieldError, choice, day, text
from accounts.models import Account, User
from accounts.record_fields import ACCOUNT_REFERENCE
from api import describe as d
from api.describe import Operation
from api.inputs import read_fields, schema_of
from api.problems import Problem, refuse
from api.reading import bad_parameter, day_parameter, json_object, uuid_parameter
from api.resources import Column, Resource, expected_version
from api.scope import require_editable
from api.views import Endpoint
from playbooks import actions
from playbooks.choices import CtaKind, CtaStatus, Outcome, Priority
from playbooks.models import Cta

CTAS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "account": Column("account_id", d.uuid()),
        "account_name": Column("account__name", d.text()),
        "title": Column("title", d.text()),
        "reason": Column("reason", d.text()),
        "kind": Column("kind", d.text(enum=CtaKind.values)),
        "priority": Column("priority", d.text(enum=Priority.values)),
        "status": Column("status", d.text(enum=CtaStatus.values)),
        "owner": Column("owner__email", d.nullable(d.text())),
        "due_on": Column("due_on", d.day()),
        "trigger": Column("trigger_key", d.nullable(d.text()), lambda key: key or None),
        "duplicate_key": Column("duplicate_key", d.text()),
        "evidence": Column("evidence", d.free()),
        "playbook": Column("playbook__key", d.nullable(d.text())),
        "opened_at": Column("opened_at", d.moment()),
        "opened_by": Column("opened_by__email", d.nullable(d.text("Null: a rule"))),
        "snoozed_until": Column("snoozed_until_on", d.nullable(d.day())),
        "snooze_reason": Column("snooze_reason", d.text()),
        "closed_at": Column("closed_at", d.nullable(d.moment())),
        "outcome": Column("outcome", d.nullable(d.text(enum=[*Outcome.values, None])), lambda value: value or None),
        "close_note": Column("close_note", d.text()),
        "version": Column("version", d.number()),
    },
    orderings={"id": "pk", "due_on": "due_on", "opened_at": "opened_at"},
    default="due_on",
    versioned=True,
)
FILTERS = {
    "status": d.text(enum=CtaStatus.values),
    "kind": d.text(enum=CtaKind.values),
    "priority": d.text(enum=Priority.values),
    "account": d.uuid(),
    "owner": d.text("E-mail address or id, me, or none"),
    "due_before": d.day("Due before this day"),
}
CTA = CTAS.schema()
_EDIT = {
    "title": text(200, required=True),
    "reason": text(4000, lines=True),
    "kind": choice(CtaKind.values, empty=CtaKind.ACTIVITY),
    "priority": choice(Priority.values, empty=Priority.MEDIUM),
    "due_on": day(help="By priority in business days if absent"),
}
_NEW = {
    "account": ACCOUNT_REFERENCE,
    **_EDIT,
    "owner": text(254, help="E-mail address or id of a colleague; the account's owner if absent"),
    "playbook": text(80, help="Key of the playbook whose tasks are copied"),
    "duplicate_key": text(200, help="While one with this key is not closed on the account, another is refused"),
}
_CLOSE = {"outcome": replace(choice(Outcome.values), required=True), "note": text(4000, lines=True)}
_SNOOZE = {"until": day(required=True), "reason": text(200, required=True)}
_REASSIGN = {"owner": text(254, required=True, help="E-mail address or id"), "reason": text(200)}


class CtaList(Endpoint):
    policy = {"GET": "ctas.view", "POST": "ctas.work"}
    describe = {
        "GET": Operation("List CTAs", query=CTAS.query(**FILTERS), answers={200: d.page_of(CTA)}),
        "POST": Operation("Open a CTA", body=schema_of(_NEW), answers={201: CTA}),
    }

    def get(self, request: Request) -> Response:
        return CTAS.page(request, _asked_for(request, self.user), list(FILTERS))

    def post(self, request: Request) -> Response:
        values = read_fields(json_object(request), _NEW, self.user, partial=False)
        account: Account = values.pop("account")
        require_editable(self.user, account.pk)
        playbook = values.pop("playbook", "") or None
        cta = actions.create_cta(account, actor=self.user, at=timezone.now(), playbook_key=playbook, **values)
        return CTAS.one(request, Cta.objects.all(), 201, pk=cta.pk)


class CtaDetail(Endpoint):
    policy = {"GET": "ctas.view", "PATCH": "ctas.work"}
    describe = {
        "GET": Operation("Read a CTA", answers={200: CTA}),
        "PATCH": Operation("Change a CTA", body=schema_of(_EDIT, partial=True), answers={200: CTA}, errors=(412,)),
    }

    def get(self, request: Request, cta_id: UUID) -> Response:
        return CTAS.one(request, Cta.objects.visible_to(self.user), pk=cta_id)

    def patch(self, request: Request, cta_id: UUID) -> Response:
        cta = workable(self.user, cta_id)
        values = read_fields(json_object(request), _EDIT, self.user, partial=True)
        if values.get("due_on", cta.due_on) is None:
            raise refuse([FieldError("due_on", "required", "A CTA has a day.")])
        actions.update_cta(
            cta, actor=self.user, at=timezone.now(), expected_version=expected_version(request), **values
        )
        return CTAS.one(request, Cta.objects.all(), pk=cta_id)


class CtaVerb(Endpoint):
    """One verb on one CTA; ``fields`` are what its body holds."""

    fields: Any = {}
    act: Callable[..., Any]

    def post(self, request: Request, cta_id: UUID) -> Response:
        cta = workable(self.user, cta_id)
        values = read_fields(json_object(request), self.fields, self.user, partial=False) if self.fields else {}
        given = {"actor": self.user, "at": timezone.now(), "expected_version": expected_version(request)}
        type(self).act(cta, given, **values)
        return CTAS.one(request, Cta.objects.all(), pk=cta_id)


class CtaClose(CtaVerb):
    policy = {"POST": "ctas.work"}
    describe = {"POST": Operation("Close a CTA", body=schema_of(_CLOSE), answers={200: CTA}, errors=(412,))}
    fields = _CLOSE

    @staticmethod
    def act(cta: Cta, given: dict[str, Any], *, outcome: str, note: str = "") -> None:
        actions.close_cta(cta, outcome=outcome, note=note, **given)


class CtaReopen(CtaVerb):
    policy = {"POST": "ctas.work"}
    describe = {"POST": Operation("Open a closed CTA again", body=d.shape(), answers={200: CTA}, errors=(412,))}

    @staticmethod
    def act(cta: Cta, given: dict[str, Any]) -> None:
        actions.reopen_cta(cta, **given)


class CtaSnooze(CtaVerb):
    policy = {"POST": "ctas.work"}
    describe = {
        "POST": Operation("Put a CTA off, with a reason", body=schema_of(_SNOOZE), answers={200: CTA}, errors=(412,))
    }
    fields = _SNOOZE

    @staticmethod
    def act(cta: Cta, given: dict[str, Any], *, until: date, reason: str) -> None:
        actions.snooze_cta(cta, until_on=until, reason=reason, **given)


class CtaWake(CtaVerb):
    policy = {"POST": "ctas.work"}
    describe = {"POST": Operation("End a snooze now", body=d.shape(), answers={200: CTA}, errors=(412,))}

    @staticmethod
    def act(cta: Cta, given: dict[str, Any]) -> None:
        actions.wake_cta(cta, **given)


class CtaReassign(CtaVerb):
    policy = {"POST": "ctas.work"}
    describe = {"POST": Operation("Hand a CTA over", body=schema_of(_REASSIGN), answers={200: CTA}, errors=(412,))}
    fields = _REASSIGN

    @staticmethod
    def act(cta: Cta, given: dict[str, Any], *, owner: User, reason: str = "") -> None:
        actions.reassign_cta(cta, owner, reason=reason, **given)


def workable(user: User, cta_id: UUID) -> Cta:
    """The CTA ``user`` may change. Raises Http404, or Problem 403 when they may only see it."""
    cta = Cta.objects.visible_to(user).filter(pk=cta_id).first()
    if cta is None:
        raise Http404
    if not Cta.objects.workable_by(user).filter(pk=cta_id).exists():
        raise Problem("forbidden", "You may see this CTA and not change it.")
    return cta


def _asked_for(request: Request, user: User) -> Any:
    rows = Cta.objects.visible_to(user)
    query = request.GET
    for name in ("status", "kind", "priority"):
        if name in query:
            if query[name] not in FILTERS[name]["enum"]:
                raise bad_parameter(name, f"one of {', '.join(FILTERS[name]['enum'])}.")
            rows = rows.filter(**{name: query[name]})
    if "account" in query:
        rows = rows.filter(account=uuid_parameter(request, "account"))
    if "due_before" in query:
        rows = rows.filter(due_on__lt=day_parameter(request, "due_before"))
    if "owner" in query:
        rows = _owned(rows, request, user)
    return rows


def _owned(rows: Any, request: Request, user: User) -> Any:
    wanted = request.GET["owner"]
    if wanted == "me":
        return rows.filter(owner=user)
    if wanted == "none":
        return rows.filter(owner=None)
    if "@" in wanted:
        return rows.filter(owner__email__iexact=wanted)
    return rows.filter(owner=uuid_parameter(request, "owner"))


urlpatterns = [
    path("ctas/", CtaList.as_view(), name="cta-list"),
    path("ctas/<uuid:cta_id>/", CtaDetail.as_view(), name="cta-detail"),
    path("ctas/<uuid:cta_id>/close/", CtaClose.as_view(), name="cta-close"),
    path("ctas/<uuid:cta_id>/reopen/", CtaReopen.as_view(), name="cta-reopen"),
    path("ctas/<uuid:cta_id>/snooze/", CtaSnooze.as_view(), name="cta-snooze"),
    path("ctas/<uuid:cta_id>/wake/", CtaWake.as_view(), name="cta-wake"),
    path("ctas/<uuid:cta_id>/reassign/", CtaReassign.as_view(), name="cta-reassign"),
]
