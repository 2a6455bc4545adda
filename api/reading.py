"""Reading what a caller sent: bodies within limits, and query parameters that are known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from accounts.fields import Unreadable, read_day, read_moment
from api import json
from api.problems import Problem, error_at

MAX_BODY = 8 * 1024 * 1024


def check_request(request: HttpRequest) -> None:
    """Raise Problem 400 for an address that holds a NUL, which no database takes."""
    if "\x00" in request.path or any(
        "\x00" in part for name, values in request.GET.lists() for part in (name, *values)
    ):
        raise Problem("malformed", "The address holds a NUL character.")


def json_body(request: HttpRequest, limit: int = MAX_BODY) -> Any:
    """The JSON of the body. Raises Problem 415 for another media type, 413 above ``limit`` bytes, 400 otherwise."""
    if request.content_type not in {"application/json", "application/merge-patch+json"}:
        raise Problem("unsupported-media-type", "Send the body as application/json.")
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise Problem("unsupported-media-type", "JSON is sent in UTF-8.")
    check_length(request, limit)
    try:
        return json.loads(request.body)
    except json.BadJson as error:
        raise Problem("malformed", str(error), errors=[error_at("", "json", str(error))]) from error


def json_object(request: HttpRequest, limit: int = MAX_BODY) -> dict[str, Any]:
    """The JSON object of the body; Problem 400 when it is something else."""
    value = json_body(request, limit)
    if not isinstance(value, dict):
        detail = "The body must be a JSON object."
        raise Problem("malformed", detail, errors=[error_at("", "type", detail)])
    return value


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


def check_length(request: HttpRequest, limit: int) -> None:
    """Raise Problem 413 before a body above ``limit`` bytes is read."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError as error:
        raise Problem("malformed", "Content-Length is not a number.") from error
    if length > limit:
        raise Problem("too-large", f"At most {limit // (1024 * 1024)} MB a request.")


def known_parameters(request: HttpRequest, known: Collection[str]) -> None:
    """Raise Problem 400 for a query parameter that means nothing here: a misspelt filter must not match all."""
    unknown = sorted(set(request.GET) - set(known))
    if unknown:
        detail = f"There is no parameter {unknown[0][:60]}. Known: {', '.join(sorted(known))}."
        raise Problem("malformed", detail, errors=[error_at("", "unknown_parameter", detail)])


def bad_parameter(name: str, rule: str) -> Problem:
    """The 400 for the query parameter ``name``."""
    detail = f"{name}: {rule}"
    return Problem("malformed", detail, errors=[error_at("", name, detail)])


def uuid_parameter(request: HttpRequest, name: str) -> UUID:
    """The UUID in the query parameter ``name``. Raises Problem 400."""
    try:
        return UUID(request.GET[name])
    except ValueError as error:
        raise bad_parameter(name, "this is not an id.") from error


def day_parameter(request: HttpRequest, name: str) -> date:
    """The day in the query parameter ``name``. Raises Problem 400."""
    try:
        return read_day(request.GET[name])
    except Unreadable as error:
        raise bad_parameter(name, error.message) from error


def moment_parameter(request: HttpRequest, name: str) -> datetime:
    """The moment in the query parameter ``name``; a + that arrived as a blank is understood. Raises Problem 400."""
    try:
        return read_moment(request.GET[name].replace(" ", "+"))
    except Unreadable as error:
        raise bad_parameter(name, error.message) from error
