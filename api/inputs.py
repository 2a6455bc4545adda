"""Bodies of the API read by the field tables of ``accounts.record_fields``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.bulk.references import References
from accounts.fields import Field, FieldError, read_row
from accounts.models import User
from accounts.results import Outcome, RowResult
from api import describe
from api.plain import answer
from api.problems import field_errors, refuse
from api.reading import item_list, json_object

DEFAULT_SOURCE = "api"
SOURCE = describe.text("The system whose ids these are", maxLength=40, default=DEFAULT_SOURCE)


def schema_of(fields: Mapping[str, Field], *, partial: bool = False, without: Collection[str] = ()) -> dict[str, Any]:
    """The schema of a body with these fields."""
    properties = {name: _property(known) for name, known in fields.items() if name not in without}
    required = () if partial else tuple(name for name, known in fields.items() if known.required and name in properties)
    return describe.shape(required, **properties) | {"additionalProperties": False}


def _property(known: Field) -> dict[str, Any]:
    schema = {**known.schema, **({"description": known.help} if known.help else {})}
    return describe.nullable(schema) if known.nullable else schema


def read_fields(
    body: Mapping[str, Any], fields: Mapping[str, Field], user: User, *, partial: bool, source: str = DEFAULT_SOURCE
) -> dict[str, Any]:
    """The clean values of ``body``, references to tiers, owners and accounts resolved. Raises Problem 422."""
    reading = read_row(fields, body, partial=partial)
    references = References(source=source, actor=user)
    references.load([reading.values])
    errors = reading.errors + references.resolve(reading.values)
    if errors:
        raise refuse(errors)
    return reading.values


def read_source(value: Any) -> str:
    """The name of a source. Raises Problem 422."""
    if not isinstance(value, str) or not value.strip() or len(value) > 40 or not value.isprintable():
        raise refuse([FieldError("source", "source", "A source has a name of up to 40 characters.")])
    return value.strip()


def bulk(request: Request, name: str, upsert: Callable[..., list[RowResult]], limit: int, **given: Any) -> Response:
    """Answer a bulk call: the list under ``name`` is handed to ``upsert``, each item answered by its index."""
    body = json_object(request)
    items: Sequence[Any] = item_list(body, name, limit)
    source = read_source(body.get("source", DEFAULT_SOURCE))
    results = upsert(items, source=source, **given)
    counts = {outcome.value: sum(1 for result in results if result.outcome is outcome) for outcome in Outcome}
    return answer({**counts, "results": [_shown(result) for result in results]})


def _shown(result: RowResult) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": result.index, "outcome": result.outcome.value, "id": result.id}
    if result.errors:
        shown["errors"] = field_errors(result.errors)
    return shown


def bulk_schema(name: str, fields: Mapping[str, Field], limit: int) -> dict[str, Any]:
    """The schema of a bulk call's body."""
    items = describe.listed(schema_of(fields, partial=True), maxItems=limit)
    return describe.shape((name,), **{name: items, "source": SOURCE})


_ERROR = describe.shape(pointer=describe.text(), code=describe.text(), detail=describe.text())
BULK_ANSWER = describe.shape(
    **{outcome.value: describe.number() for outcome in Outcome},
    results=describe.listed(
        describe.shape(
            ("index", "outcome", "id"),
            index=describe.number(),
            outcome=describe.text(enum=[outcome.value for outcome in Outcome]),
            id=describe.nullable(describe.uuid()),
            errors=describe.listed(_ERROR),
        )
    ),
)
