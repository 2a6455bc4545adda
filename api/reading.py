"""Reading what a caller sent: bodies within limits, and query parameters that are known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from accounts.fields import Unreadable, read_day, read_moment
from api.problems import Problem, bad_parameter, error_at


def check_address(request: Request) -> None:
    """Raise Problem 400 for an address that holds a NUL, which no database takes."""
    if "\x00" in request.path or any(
        "\x00" in part for name, values in request.query_params.lists() for part in (name, *values)
    ):
        raise Problem("malformed", "The address holds a NUL character.")


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body. Raises Problem 415 for a body without a type, 400 when it is something else."""
    if not request.content_type:
        raise UnsupportedMediaType("", "Send the body as application/json.")
    if request.stream is None:
        raise ParseError("The body is empty.", "json")
    if not isinstance(request.data, dict):
        raise ParseError("The body must be a JSON object.", "type")
    return request.data


def item_list(body: dict[str, Any], name: str, limit: int) -> list[Any]:
    """The list under ``name``; Problem 400 when it is none, 413 above ``limit`` items."""
    items = body.get(name)
    if not isinstance(items, list) or body.keys() - {name, "source"}:
        detail = f'The body must be an object with the list "{name}".'
        raise Problem("malformed", detail, errors=[error_at(f"/{name}", "type", detail)])
    if len(items) > limit:
        detail = f"At most {limit} items a call."
        raise Problem("too-large", detail, errors=[error_at(f"/{name}", "too_many", detail)])
    return items


def known_parameters(request: Request, known: Collection[str]) -> None:
    """Raise Problem 400 for a query parameter that means nothing here: a misspelt filter must not match all."""
    unknown = sorted(set(request.GET) - set(known))
    if unknown:
        detail = f"There is no parameter {unknown[0][:60]}. Known: {', '.join(sorted(known))}."
        raise Problem("malformed", detail, errors=[error_at("", "unknown_parameter", detail)])


def uuid_parameter(request: Request, name: str) -> UUID:
    """The UUID in the query parameter ``name``. Raises Problem 400."""
    try:
        return UUID(request.GET[name])
    except ValueError as error:
        raise bad_parameter(name, "this is not an id.") from error


def day_parameter(request: Request, name: str) -> date:
    """The day in the query parameter ``name``. Raises Problem 400."""
    try:
        return read_day(request.GET[name])
    except Unreadable as error:
        raise bad_parameter(name, error.message) from error


def moment_parameter(request: Request, name: str) -> datetime:
    """The moment in the query parameter ``name``; a + that arrived as a blank is understood. Raises Problem 400."""
    try:
        return read_moment(request.GET[name].replace(" ", "+"))
    except Unreadable as error:
        raise bad_parameter(name, error.message) from error
