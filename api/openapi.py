"""The OpenAPI 3.1 document, made from the addresses, their policies and what stands beside each view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.urls import URLPattern
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.policy import ANONYMOUS, CAPABILITIES
from api import describe as d
from api.describe import Operation
from api.problems import KINDS
from api.views import Endpoint

BASE = "/api/v1/"
VERSION = "1.0.0"
_CONVERTER = re.compile(r"<(?:(\w+):)?(\w+)>")
_PATH_SCHEMAS = {"uuid": d.uuid(), "int": d.number(), "date": d.day()}
PROBLEM = d.shape(
    type=d.text(format="uri-reference"),
    title=d.text(),
    status=d.number(),
    detail=d.text(),
    errors=d.listed(d.shape(pointer=d.text("JSON pointer into the body"), code=d.text(), detail=d.text())),
    request_id=d.text(),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def operations() -> Iterator[tuple[str, str, str, str, Operation]]:
    """(path, method, capability, name, operation) of every described operation, in the order of the addresses."""
    from api.urls import RESOURCES

    for pattern in RESOURCES:
        yield from _of(pattern)


def _of(pattern: URLPattern) -> Iterator[tuple[str, str, str, str, Operation]]:
    view = getattr(pattern.callback, "view_class", pattern.callback)
    described = getattr(view, "describe", {})
    address = BASE + _CONVERTER.sub(r"{\2}", str(pattern.pattern))
    for method in METHODS:
        if method in view.policy:
            operation = described.get(method) or Operation(f"{method} {address}")
            yield address, method, view.policy[method], pattern.name or address, operation


@cache
def document() -> dict[str, Any]:
    """The whole document. Made once a process."""
    paths: dict[str, dict[str, Any]] = {}
    from api.urls import RESOURCES

    converters = {
        BASE + _CONVERTER.sub(r"{\2}", str(pattern.pattern)): _CONVERTER.findall(str(pattern.pattern))
        for pattern in RESOURCES
    }
    for address, method, capability, name, operation in operations():
        item = paths.setdefault(address, {"parameters": _path_parameters(converters[address])})
        item[method.lower()] = _operation(method, capability, name, operation, address)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tenure API",
            "version": VERSION,
            "description": "Accounts, usage, health and CTAs. Limits, errors and idempotency: /api/docs/.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in sorted({_tag(address) for address in paths})],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
            "headers": {
                "RateLimit-Limit": {"schema": d.number("Calls a minute")},
                "RateLimit-Remaining": {"schema": d.number("Calls left in this minute")},
                "RateLimit-Reset": {"schema": d.number("Seconds until the next minute")},
            },
            "responses": {str(kind.status): _problem(kind.title) for kind in KINDS.values()},
        },
    }


def _operation(method: str, capability: str, name: str, operation: Operation, address: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": f"{method.lower()}-{name}",
        "tags": [_tag(address)],
        "summary": operation.summary,
        "description": _description(capability, operation),
        "parameters": [{"name": key, "in": "query", "schema": dict(schema)} for key, schema in operation.query.items()]
        + _headers(method, operation),
        "responses": _responses(method, capability, operation, address),
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": dict(operation.body)}
        if operation.example is not None:
            content["example"] = operation.example
        found["requestBody"] = {"required": True, "content": {operation.body_type: content}}
    if capability == ANONYMOUS:
        found["security"] = []
    return found


def _description(capability: str, operation: Operation) -> str:
    needs = (
        "Needs no token."
        if capability == ANONYMOUS
        else f"Needs `{capability}`, and a token with the scope `{CAPABILITIES[capability].scope}`."
    )
    return f"{operation.detail}\n\n{needs}".strip()


def _headers(method: str, operation: Operation) -> list[dict[str, Any]]:
    found = []
    if method == "POST":
        found.append({"name": "Idempotency-Key", "in": "header", "schema": d.text(maxLength=255)})
    if 412 in operation.errors:
        found.append({"name": "If-Match", "in": "header", "schema": d.text("The ETag you read")})
    return found


def _responses(method: str, capability: str, operation: Operation, address: str) -> dict[str, Any]:
    limits = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in limits}
    found: dict[str, Any] = {}
    for status, schema in (operation.answers or {200: d.free()}).items():
        found[str(status)] = {"description": _words(status), "headers": headers}
        if schema is not None:
            found[str(status)]["content"] = {operation.answer_type: {"schema": dict(schema)}}
    codes = {400, 429, *operation.errors}
    codes |= set() if capability == ANONYMOUS else {401, 403}
    codes |= {404} if "{" in address else set()
    codes |= {413, 415, 422} if operation.body is not None else set()
    codes |= {409} if method == "POST" else set()
    found |= {str(code): {"$ref": f"#/components/responses/{code}"} for code in sorted(codes)}
    return found


def _words(status: int) -> str:
    return {200: "Done", 201: "Created", 202: "Stored; worked on next", 204: "Done"}.get(status, "Answer")


def _problem(title: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": title, "content": {"application/problem+json": {"schema": schema}}}


def _path_parameters(converters: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(kind, d.text())}
        for kind, name in converters
    ]


def _tag(address: str) -> str:
    return address.removeprefix(BASE).split("/")[0]


class OpenApi(Endpoint):
    """The document as JSON."""

    policy = {"GET": "anonymous"}

    def get(self, request: Request) -> Response:
        return Response(document())
