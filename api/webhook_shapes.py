"""Resources as webhooks show them: the API's own rows, without what was written for colleagues."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import orjson

from accounts.keys import is_key
from api.json import dumps
from api.serializers import RowSerializer
from api.v1.accounts import AccountSerializer
from api.v1.contacts import ContactSerializer
from api.v1.contracts import ContractSerializer
from api.v1.ctas import CtaSerializer
from api.v1.escalations import EscalationSerializer
from api.v1.imports import ImportSerializer
from api.v1.tickets import TicketSerializer


class Shape(NamedTuple):
    """The rows of the API that a resource is shown by, and which of their fields stay in the house."""

    serializer: type[RowSerializer]
    left_out: frozenset[str] = frozenset()


# SECURITY: reasons, notes and evidence are colleagues' words about a customer; a receiver that may have them reads
# the resource through the API.
SHAPES = {
    "account": Shape(AccountSerializer),
    "contact": Shape(ContactSerializer),
    "contract": Shape(ContractSerializer),
    "cta": Shape(CtaSerializer, frozenset({"reason", "evidence", "snooze_reason", "close_note"})),
    "ticket": Shape(TicketSerializer),
    "escalation": Shape(EscalationSerializer, frozenset({"reason", "message", "outcome_note"})),
    "import": Shape(ImportSerializer, frozenset({"headers", "mapping"})),
}


def shapes(resource: str, keys: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """The resources with these keys that exist, in plain JSON values. One or two queries, however many.

    For the whole workspace, as its administrators see it: nobody else sets up webhooks.
    """
    shape = SHAPES[resource]
    serializer = shape.serializer()
    rows = shape.serializer.Meta.model._default_manager.filter(pk__in=[key for key in keys if is_key(key)])
    shown = serializer.represent(list(rows.values(*serializer.paths)))
    kept = [{name: value for name, value in row.items() if name not in shape.left_out} for row in shown]
    return {row["id"]: row for row in orjson.loads(dumps(kept))}
