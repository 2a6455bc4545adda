"""What the OpenAPI document and the docs page say of an operation, stated beside the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    ``query`` maps parameter names to schemas (their ``description`` is shown); ``body`` is the schema of the
    request's JSON; ``answers`` maps statuses to schemas (None: no content).
    """

    summary: str
    detail: str = ""
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_type: str = "application/json"
    answers: Mapping[int, Schema | None] = field(default_factory=dict)
    answer_type: str = "application/json"
    errors: tuple[int, ...] = ()
    example: Any = None


def text(description: str = "", **more: Any) -> dict[str, Any]:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def number(description: str = "", **more: Any) -> dict[str, Any]:
    """A whole number."""
    return {"type": "integer", **({"description": description} if description else {}), **more}


def decimal(description: str = "") -> dict[str, Any]:
    """A decimal number as a string."""
    return text(description, format="decimal")


def day(description: str = "") -> dict[str, Any]:
    """A day."""
    return text(description, format="date")


def moment(description: str = "") -> dict[str, Any]:
    """A moment."""
    return text(description, format="date-time")


def uuid(description: str = "") -> dict[str, Any]:
    """A row's key."""
    return text(description, format="uuid")


def flag(description: str = "") -> dict[str, Any]:
    """True or false."""
    return {"type": "boolean", **({"description": description} if description else {})}


def nullable(schema: Schema) -> dict[str, Any]:
    """``schema`` or null."""
    return {**schema, "type": [schema["type"], "null"]}


def listed(item: Schema, **more: Any) -> dict[str, Any]:
    """A list of ``item``."""
    return {"type": "array", "items": dict(item), **more}


def shape(required: tuple[str, ...] | None = None, /, **properties: Schema) -> dict[str, Any]:
    """An object with these properties; all of them required unless ``required`` says which."""
    wanted = list(properties) if required is None else list(required)
    found: dict[str, Any] = {"type": "object", "properties": {name: dict(item) for name, item in properties.items()}}
    return found | {"required": wanted} if wanted else found


def free(description: str = "") -> dict[str, Any]:
    """An object of any shape."""
    return {"type": "object", "additionalProperties": True, **({"description": description} if description else {})}


def page_of(item: Schema) -> dict[str, Any]:
    """A page of a list."""
    link = {"type": ["string", "null"], "format": "uri-reference"}
    return shape(results=listed(item), next=link, previous=link)
