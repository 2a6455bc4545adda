"""What a caller sent, looked at before a serializer reads it."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from api.problems import Problem


def check_address(request: Request) -> None:
    """Raise Problem 400 for an address that holds a NUL, which no database takes."""
    if "\x00" in request.path or any(
        "\x00" in part for name, values in request.query_params.lists() for part in (name, *values)
    ):
        raise Problem("malformed", "The address holds a NUL character.")


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body. Raises 415 for a body without a type, 400 when it is something else."""
    if not request.content_type:
        raise UnsupportedMediaType("", "Send the body as application/json.")
    if request.stream is None:
        raise ParseError("The body is empty.", "json")
    if not isinstance(request.data, dict):
        raise ParseError("The body must be a JSON object.", "type")
    return request.data
