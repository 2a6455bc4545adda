"""``accounts/{id}/as-of``: an account as it was on a past day."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.asof import FIRST, KNOWN
from accounts.history import THEN, AsOf
from accounts.models import Account, Contact, Contract
from accounts.queries.past import Past, contacts_then, lines_then, past_of, team_then
from api.problems import bad_parameter
from api.serializers import DayField, QuerySerializer
from api.views import Endpoint
from health.book.past import score_as_of
from health.queries.scores import evidence_json, override_json
from playbooks.queries import ctas_as_of


class PastQuery(QuerySerializer):
    on = DayField(help_text="A day that is over: the account at its end")
    known = serializers.ChoiceField(
        [value for value, _label in KNOWN],
        help_text="then: only what had reached us by the end of the day; now (the default): with all we know today",
    )


class PastAccountSerializer(serializers.Serializer):
    on = serializers.DateField()
    known = serializers.ChoiceField([value for value, _label in KNOWN])
    on_record = serializers.BooleanField(help_text="Whether the account had been entered by then")
    account = serializers.DictField(help_text="The account's own fields")
    health = serializers.DictField(
        allow_null=True, help_text="The score that stood, as accounts/{id}/health/ shows one"
    )
    contacts = serializers.ListField(child=serializers.DictField())
    contracts = serializers.ListField(child=serializers.DictField())
    team = serializers.ListField(child=serializers.DictField())
    ctas = serializers.ListField(child=serializers.DictField(), help_text="Those not closed by then")
    not_kept = serializers.ListField(
        child=serializers.CharField(), help_text="What the record cannot say of that day, in words"
    )


class AccountAsOf(Endpoint):
    policy = {"GET": "accounts.view"}
    query_class = PastQuery

    @extend_schema(
        summary="An account as of a past day",
        description="Facts, score with its evidence, people, contracts, team and CTAs. Later edits are undone by the "
        "audit log; known=then leaves out what arrived after the day.",
        responses=PastAccountSerializer,
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        query = self.query
        day = query.get("on")
        if day is None or not FIRST <= day < timezone.localdate():
            raise bad_parameter("on", f"a day that is over, from {FIRST.year} on.")
        people = ("tier", "stage", "owner", "parent")
        account = Account.objects.visible_to(self.user).select_related(*people).filter(pk=account_id).first()
        if account is None:
            raise Http404
        past = past_of(account, AsOf(day, query.get("known") == THEN))
        return Response(self._answer(past))

    def _answer(self, past: Past) -> dict[str, Any]:
        asked, account = past.asked, past.account
        seen = past.is_known or not asked.as_known
        return {
            "on": asked.day,
            "known": asked.parameters["known"],
            "on_record": past.is_known,
            "account": _account(account) if seen else {},
            "health": _health(past) if seen else None,
            "contacts": [_contact(each) for each in contacts_then(past)],
            "contracts": [_contract(each) for each in lines_then(past)],
            "team": [{"user": user, "role": role} for user, role in team_then(past)],
            "ctas": [_cta(each) for each in ctas_as_of(self.user, account, past)],
            "not_kept": _not_kept(past),
        }


def _account(account: Account) -> dict[str, Any]:
    names = """name status segment industry country website currency arr seats assigned_users renewal_on
        customer_since_on churned_on custom archived_at""".split()
    return {
        "id": account.pk,
        **{name: getattr(account, name) for name in names},
        "tier": account.tier.name if account.tier else None,
        "stage": account.stage.name if account.stage else None,
        "owner": str(account.owner) if account.owner else None,
        "parent": account.parent_id,
    }


def _health(past: Past) -> dict[str, Any] | None:
    score = score_as_of(past.account, past.asked)
    if score is None:
        return None
    override = score.health.override
    return {
        **evidence_json(score.health, score.card),
        "change_30_days": None if score.health.change_30d is None else str(score.health.change_30d),
        "current_band": score.health.current_band or None,
        "override": None if override is None else override_json(override),
    }


def _contact(contact: Contact) -> dict[str, Any]:
    names = ("name", "email", "phone", "title", "stakeholder_role", "sentiment", "influence", "left_on")
    return {"id": contact.pk, **{name: getattr(contact, name) for name in names}}


def _contract(contract: Contract) -> dict[str, Any]:
    names = "number status start_on end_on notice_days auto_renew currency arr billing".split()
    lines = [
        {name: line[name] if isinstance(line, dict) else getattr(line, name) for name in ("product", "seats", "arr")}
        for line in contract.shown_lines  # type: ignore[attr-defined]
    ]
    return {"id": contract.pk, **{name: getattr(contract, name) for name in names}, "lines": lines}


def _cta(cta: Any) -> dict[str, Any]:
    names = ("title", "reason", "kind", "priority", "status", "due_on", "opened_at")
    tasks = [{"title": task.title, "due_on": task.due_on} for task in cta.open_tasks]
    owner = str(cta.owner) if cta.owner else None
    return {"id": cta.pk, **{name: getattr(cta, name) for name in names}, "owner": owner, "open_tasks": tasks}


def _not_kept(past: Past) -> list[str]:
    told = ["since when people entered later were there", "usage, targets, tickets and files by day"]
    if not past.is_known:
        told.append("owner, tier, segment and stage before the account was entered")
    gone = [(kind, past.removed(kind)) for kind in ("contact", "contract")]
    told += [f"{number} {kind}{'' if number == 1 else 's'} deleted since" for kind, number in gone if number]
    return told


urlpatterns = [path("accounts/<uuid:account_id>/as-of/", AccountAsOf.as_view(), name="account-as-of")]
