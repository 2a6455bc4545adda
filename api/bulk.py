"""Many records in one call: each is answered by its index, a rejected one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.response import Response

from accounts.actions.bulk import MAX_ROWS
from accounts.fields import Field, FieldError
from accounts.results import Outcome, RowResult
from api.problems import Problem, error_at, field_errors
from api.reading import json_object
from api.serializers import DEFAULT_SOURCE, invalid, schema_of
from api.views import Endpoint

SOURCE = {
    "type": "string",
    "maxLength": 40,
    "default": DEFAULT_SOURCE,
    "description": "The system whose ids these are",
}


class ErrorSerializer(serializers.Serializer):
    """Where, which rule, and the sentence."""

    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkItemSerializer(serializers.Serializer):
    """What became of one item."""

    index = serializers.IntegerField()
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    id = serializers.UUIDField(allow_null=True)
    errors = ErrorSerializer(many=True, required=False)


class BulkAnswerSerializer(serializers.Serializer):
    """How many items had which outcome, and each of them."""

    results = BulkItemSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        return {outcome.value: serializers.IntegerField() for outcome in Outcome} | super().get_fields()


def bulk_schema(name: str, table: Mapping[str, Field]) -> dict[str, Any]:
    """The body of a bulk call whose list is under ``name``, for ``extend_schema``."""
    items = {"type": "array", "items": schema_of(table, partial=True), "maxItems": MAX_ROWS}
    body = {"type": "object", "properties": {name: items, "source": SOURCE}, "required": [name]}
    return {"application/json": body}


class BulkEndpoint(Endpoint):
    """A list under ``name`` is handed to ``upsert``."""

    name: ClassVar[str]
    upsert: ClassVar[Callable[..., list[RowResult]]]

    def upload(self) -> Response:
        """Answer with counts and results. Raises Problem 400, 413 or 422 when the list cannot be read at all."""
        body = json_object(self.request, items=True)
        items = _items(body, self.name)
        source = read_source(body.get("source", DEFAULT_SOURCE))
        results = type(self).upsert(items, source=source, actor=self.user, at=timezone.now())
        counts = {outcome.value: sum(1 for result in results if result.outcome is outcome) for outcome in Outcome}
        return Response({**counts, "results": [_shown(result) for result in results]})


def _shown(result: RowResult) -> dict[str, Any]:
    shown: dict[str, Any] = {"index": result.index, "outcome": result.outcome.value, "id": result.id}
    return shown | {"errors": field_errors(result.errors)} if result.errors else shown


def _items(body: dict[str, Any], name: str) -> list[Any]:
    """The list under ``name``; Problem 400 when it is none, 413 when it is too long."""
    items = body.get(name)
    if not isinstance(items, list) or body.keys() - {name, "source"}:
        detail = f'The body must be an object with the list "{name}".'
        raise Problem("malformed", detail, errors=[error_at(f"/{name}", "type", detail)])
    if len(items) > MAX_ROWS:
        detail = f"At most {MAX_ROWS} items a call."
        raise Problem("too-large", detail, errors=[error_at(f"/{name}", "too_many", detail)])
    return items


def read_source(value: Any) -> str:
    """The name of a source. Raises ValidationError."""
    if not isinstance(value, str) or not value.strip() or len(value) > 40 or not value.isprintable():
        raise invalid(FieldError("source", "source", "A source has a name of up to 40 characters."))
    return value.strip()
