"""The filters of the accounts list, in the words of the API, answered by the list the pages use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from accounts.fields import identifier
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.queries.workspace import workspace_day
from api.problems import bad_parameter
from api.serializers import MomentField, QuerySerializer
from health.book.accounts.own_filters import CHOSEN, OwnFilter, is_own, read_own_filters
from health.book.accounts.parameters import split
from health.book.filters import COLOURS, MINE, NOBODY, RENEWALS, STATUSES, AccountFilters


class AccountQuery(QuerySerializer):
    q = serializers.CharField(allow_blank=True, help_text="Part of the name, or an external id")
    band = serializers.ChoiceField(list(COLOURS), allow_blank=True, help_text="Colour of the band")
    owner = serializers.CharField(allow_blank=True, help_text="me, none, an e-mail address or an id")
    tier = serializers.CharField(allow_blank=True, help_text="Key or id")
    segment = serializers.CharField(
        allow_blank=True, help_text="Name typed on the account, or id of a segment of segments/"
    )
    stage = serializers.CharField(allow_blank=True, help_text="Key or id")
    renewal = serializers.ChoiceField(RENEWALS, allow_blank=True, help_text="Renews within so many days, or overdue")
    change = serializers.ChoiceField(["down", "up"], allow_blank=True, help_text="Score against 30 days ago")
    status = serializers.ChoiceField(
        STATUSES, allow_blank=True, help_text="live, which leaves out churned and archived ones, if absent"
    )
    external_id = serializers.CharField(
        source="external_ids__external_id", help_text="Exactly this external id, in any source"
    )
    arr_min = serializers.DecimalField(14, 2, source="arr__gte")
    arr_max = serializers.DecimalField(14, 2, source="arr__lte")
    updated_since = MomentField(source="updated_at__gte", help_text="Changed at or after this moment")

    @classmethod
    def read(cls, request: Request, also: Collection[str] = ()) -> dict[str, Any]:
        """The values by what they filter, and under ``own`` the filters by own fields."""
        named = [name for name in request.query_params if is_own(name)]
        found = super().read(request, (*also, *named))
        filters = read_own_filters(request.query_params)
        known = {name: each for each in filters for name in each.parameters()}
        for name in named:
            if name not in known or _unread(known[name], name, request.query_params[name]):
                raise bad_parameter(name[:80], "there is no such field, or it cannot hold this value.")
        return found | {"own": filters}


def accounts_asked_for(query: Mapping[str, Any], user: User) -> QuerySet[Account]:
    """The accounts of ``user`` that an ``AccountQuery`` asks for. Raises Problem 400 for a key nobody knows."""
    asked = {name: value for name, value in query.items() if name in AccountFilters.__dataclass_fields__}
    asked |= {name: _key_of(name, query[name]) for name in ("owner", "tier", "stage") if query.get(name)}
    rows: QuerySet[Account] = AccountFilters.read(asked).accounts(user, workspace_day(timezone.now()))
    rows = rows.filter(**{name: value for name, value in query.items() if "__" in name})
    rows = rows.filter(*(each.condition() for each in query.get("own", ())))
    return rows.distinct() if "external_ids__external_id" in query else rows


def _unread(found: OwnFilter, name: str, text: str) -> bool:
    """Whether a part of what was asked was dropped: a misspelt option must not widen the list."""
    return name == found.name and found.field.kind in CHOSEN and set(split(text)) != set(found.values)


def _key_of(name: str, value: str) -> str:
    """The id that a word of the query stands for. Raises Problem 400 when there is none."""
    if identifier(value) is not None or (name == "owner" and value in {MINE, NOBODY}):
        return value
    model, column = {"owner": (User, "email__iexact"), "tier": (Tier, "key"), "stage": (LifecycleStage, "key")}[name]
    found = model._default_manager.filter(**{column: value}).values_list("pk", flat=True).first()
    if found is None:
        raise bad_parameter(name, f"there is no {name} {value[:60]}.")
    return str(found)
