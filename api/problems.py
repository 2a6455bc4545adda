"""Every error of the API is a problem of RFC 9457: a type, a title, a status, and what is wrong where."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.errors import RuleViolated, StaleVersion
from accounts.fields import FieldError

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title and what a caller does about it (for the docs)."""

    status: int
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "malformed": Kind(400, "Malformed request", "Correct the request; repeating it as it is cannot succeed."),
    "unauthenticated": Kind(401, "No valid token", "Send Authorization: Bearer with a token that is not over."),
    "forbidden": Kind(403, "Not allowed", "The token's scopes or its user's role do not include this."),
    "not-found": Kind(404, "Not found", "It does not exist, or you may not see it; both look the same."),
    "method-not-allowed": Kind(405, "Method not allowed", "The Allow header names the methods."),
    "conflict": Kind(409, "Conflict", "Something else is under way or in the way; wait or look, then repeat."),
    "stale": Kind(412, "Changed in the meantime", "Load it again, look at the change, repeat with the new ETag."),
    "too-large": Kind(413, "Too large", "Send less at once; the limits are at /api/v1/quotas/."),
    "unsupported-media-type": Kind(415, "Unsupported media type", "Send application/json."),
    "refused": Kind(422, "Refused", "The request was understood; errors names each item, field and rule."),
    "rate-limited": Kind(429, "Too many requests", "Wait as long as Retry-After says."),
    "internal": Kind(500, "Our mistake", "Repeat with the same Idempotency-Key; tell us the request_id if it stays."),
}


class Problem(Exception):
    """Raise it anywhere below an endpoint to answer with that problem."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def error_at(pointer: str, code: str, detail: str) -> dict[str, str]:
    """One entry of ``errors``: a JSON pointer into the body, the rule's code, the sentence."""
    return {"pointer": pointer, "code": code, "detail": detail}


def bad_parameter(name: str, rule: str) -> Problem:
    """The 400 for the query parameter ``name``."""
    detail = f"{name}: {rule}"
    return Problem("malformed", detail, errors=[error_at("", name, detail)])


def field_errors(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Errors of ``accounts.fields`` as entries of ``errors``; ``custom.key`` is a step inside ``custom``."""
    return [error_at(_pointer_to(error.field), error.rule, error.message) for error in errors]


def _pointer_to(field: str) -> str:
    bag, point, rest = field.partition(".")
    steps = (bag, rest) if bag == "custom" and point else (field,) if field else ()
    return "".join(f"/{escaped(step)}" for step in steps)


def problem_of(error: Exception) -> Problem | None:
    """The problem that ``error`` amounts to; None for one that is our mistake."""
    for types, convert in _CONVERSIONS:
        if isinstance(error, types):
            return convert(error)
    return None


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer for any exception below a view. Our own mistakes are logged, reported and answered 500."""
    request = context["request"]
    problem = problem_of(error)
    if problem is None:
        log.error("api: %s %s failed", request.method, request.path, exc_info=error)
        got_request_exception.send(sender=None, request=request._request)
        problem = Problem("internal", "The request failed through no fault of yours.")
    kind = KINDS[problem.kind]
    body: dict[str, Any] = {
        "type": f"/api/docs/#problem-{problem.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "errors": problem.errors,
        # By this number the log finds the request.
        "request_id": str(getattr(request, "request_id", "")),
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(body, status=kind.status, headers=headers, content_type=MEDIA_TYPE)


def _from_rule(error: RuleViolated) -> Problem:
    # A rule names a place inside a field with slashes: rules/0/response.
    pointer = "".join(f"/{part.replace('~', '~0')}" for part in error.field.split("/")) if error.field else ""
    return Problem("refused", str(error), errors=[error_at(pointer, error.rule, str(error))])


def _from_validation(error: exceptions.ValidationError) -> Problem:
    errors = list(_flat(error.detail, ""))
    return Problem("refused", errors[0]["detail"] if errors else "The request was refused.", errors=errors)


def _from_parsing(error: exceptions.ParseError) -> Problem:
    return Problem("malformed", str(error.detail), errors=list(_flat(error.detail, "")))


def _flat(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """The errors of a serializer, each with the JSON pointer of its place."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, f"{pointer}/{escaped(str(name))}" if name else pointer)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, pointer)
    else:
        yield error_at(pointer, detail.code, str(detail))


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _unauthenticated(detail: str, error: Any) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": error.auth_header})


NOT_FOUND = "There is nothing here, or you may not see it."
# The first that fits counts, so subclasses stand before their bases.
_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Problem]], ...] = (
    (Problem, lambda error: error),
    (StaleVersion, lambda error: Problem("stale", str(error), headers={"ETag": f'"{error.actual}"'})),
    (RuleViolated, _from_rule),
    ((Http404, ObjectDoesNotExist), lambda _error: Problem("not-found", NOT_FOUND)),
    (PermissionDenied, lambda _error: Problem("forbidden", "Your role or the token's scopes do not include this.")),
    (RequestDataTooBig, lambda _error: Problem("too-large", "The body is larger than this endpoint takes.")),
    (UnreadablePostError, lambda _error: Problem("malformed", "The body ended before it was complete.")),
    (SuspiciousOperation, lambda _error: Problem("malformed", "The request could not be read.")),
    (exceptions.ValidationError, _from_validation),
    (exceptions.NotAuthenticated, lambda error: _unauthenticated("Send a token: Authorization: Bearer …", error)),
    (exceptions.AuthenticationFailed, lambda error: _unauthenticated(str(error.detail), error)),
    (exceptions.PermissionDenied, lambda error: Problem("forbidden", str(error.detail))),
    (exceptions.NotFound, lambda _error: Problem("not-found", NOT_FOUND)),
    (exceptions.MethodNotAllowed, lambda error: Problem("method-not-allowed", "This method is not possible here.")),
    (exceptions.UnsupportedMediaType, lambda error: Problem("unsupported-media-type", str(error.detail))),
    (exceptions.Throttled, lambda error: Problem("rate-limited", f"Too many calls; wait {error.wait} seconds.")),
    (
        exceptions.ParseError,
        lambda error: Problem("malformed", str(error.detail), errors=list(_flat(error.detail, ""))),
    ),
)
