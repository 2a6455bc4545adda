"""What webhooks send, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhooks.catalogue import EVENT_TYPES, EventType

_TEXT = {"type": "string"}
_KEY = {"type": "string", "format": "uuid"}
_FACTS = {"type": "object", "additionalProperties": True}
_HEADERS = [
    {"name": name, "in": "header", "required": True, "schema": _TEXT, "description": told}
    for name, told in {
        "webhook-id": "The same at every attempt",
        "webhook-timestamp": "Seconds since 1970, of this attempt",
        "webhook-signature": "v1,<base64 of HMAC-SHA256 over id.timestamp.body>; several with blanks between",
    }.items()
]


def described_events(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Each type of event as OpenAPI 3.1 has it; resources point to their component among ``schemas``."""
    return {known.name: {"post": _described(known, schemas)} for known in EVENT_TYPES}


def _described(known: EventType, schemas: Mapping[str, Any]) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": known.name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened"},
            "data": _data(known, schemas),
        },
    }
    return {
        "summary": known.told,
        "tags": ["webhooks"],
        "parameters": _HEADERS,
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"2XX": {"description": "Taken. Anything else is tried again"}},
    }


def _data(known: EventType, schemas: Mapping[str, Any]) -> dict[str, Any]:
    component = known.resource.title()
    shown = {"$ref": f"#/components/schemas/{component}"} if component in schemas else _FACTS
    properties = {
        "id": _KEY,
        "account_id": {"type": ["string", "null"], "format": "uuid"},
        "changed": {"type": "array", "items": _TEXT, "description": "Shown fields that changed"},
        "via": {**_TEXT, "description": "What made the change: page, system, import, or api: and a token's name"},
        known.resource: {
            "anyOf": [shown, {"type": "null"}],
            "description": "As it is now, without reasons and notes; null when it is gone",
        },
    }
    facts = {"before": _FACTS, "after": _FACTS} if known.tells_facts else {}
    return {"type": "object", "required": list(properties), "properties": {**properties, **facts}}
