"""What a caller sent, looked at before a serializer reads it."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from api.problems import Problem, error_at, escaped


def check_address(request: Request) -> None:
    """Raise Problem 400 for an address that holds a NUL, which no database takes."""
    if "\x00" in request.path or any(
        "\x00" in part for name, values in request.query_params.lists() for part in (name, *values)
    ):
        raise Problem("malformed", "The address holds a NUL character.")


def json_object(request: Request, *, items: bool = False) -> dict[str, Any]:
    """The JSON object of the body. Raises 415 for a body without a type, 400 when it is something else.

    A NUL, which no database takes, is refused with its place; with ``items`` whoever reads each item sees to it.
    """
    if not request.content_type:
        raise UnsupportedMediaType("", "Send the body as application/json.")
    if request.stream is None:
        raise ParseError("The body is empty.", "json")
    if not isinstance(request.data, dict):
        raise ParseError("The body must be a JSON object.", "type")
    place = None if items else _nul_in(request.data)
    if place is not None:
        detail = "A text cannot hold a NUL character."
        raise Problem("refused", detail, errors=[error_at(place, "nul", detail)])
    return request.data


def _nul_in(value: Any, pointer: str = "") -> str | None:
    """The JSON pointer of the first text with a NUL in it, be it a name; None without one."""
    if isinstance(value, str):
        return pointer if "\x00" in value else None
    if isinstance(value, dict):
        named = next((name for name in value if "\x00" in name), None)
        if named is not None:
            return pointer
        inside = ((inner, f"{pointer}/{escaped(name)}") for name, inner in value.items())
    elif isinstance(value, list):
        inside = ((inner, f"{pointer}/{place}") for place, inner in enumerate(value))
    else:
        return None
    return next((found for inner, place in inside if (found := _nul_in(inner, place)) is not None), None)
