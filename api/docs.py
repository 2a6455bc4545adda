"""The documentation for people: one page, made from the OpenAPI document."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.policy import requires
from api.openapi import document
from api.problems import KINDS

METHODS = ("get", "post", "put", "patch", "delete")


@requires(GET="anonymous")
def docs_page(request: HttpRequest) -> HttpResponse:
    """The page. Whoever reaches the workspace may read it; it tells nothing about the workspace."""
    context = {
        "groups": _groups(),
        "problems": [(name, kind) for name, kind in KINDS.items()],
        "limits": {
            "caller": settings.API_CALLS_PER_MINUTE,
            "workspace": settings.API_CALLS_PER_MINUTE_TENANT,
            "address": settings.API_CALLS_PER_MINUTE_ANONYMOUS,
        },
        "base": request.build_absolute_uri("/api/v1/"),
    }
    return render(request, "api/docs.html", context)


def _groups() -> list[dict[str, Any]]:
    found = [
        (address, method, item[method])
        for address, item in document()["paths"].items()
        for method in METHODS
        if method in item
    ]
    found.sort(key=lambda entry: entry[2]["tags"][0])
    return [
        {"name": tag, "operations": [_shown(*entry) for entry in members]}
        for tag, members in groupby(found, key=lambda entry: entry[2]["tags"][0])
    ]


def _shown(address: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = _content(operation.get("requestBody", {}))
    return {
        "id": operation["operationId"],
        "address": address,
        "method": method.upper(),
        "summary": operation["summary"],
        "detail": operation["description"].rpartition("Needs ")[0].strip(),
        "capability": operation.get("x-capability", ""),
        "scope": "".join(scope for needed in operation["security"] for scope in needed["token"]),
        "query": [
            _field(item["name"], item["schema"] | item)
            for item in operation.get("parameters", ())
            if item["in"] == "query"
        ],
        "fields": _fields(body.get("schema")),
        "example": _example(body),
        "answers": [
            {"status": status, "fields": _fields(_content(response).get("schema"))}
            for status, response in operation["responses"].items()
            if status < "300"
        ],
    }


def _content(part: dict[str, Any]) -> dict[str, Any]:
    """The first media type of a body or an answer; they all have one schema."""
    return next(iter(part.get("content", {}).values()), {})


def _example(body: dict[str, Any]) -> str:
    examples = body.get("examples", {})
    return json.dumps(next(iter(examples.values()))["value"], indent=2) if examples else ""


def _resolved(schema: Any) -> dict[str, Any]:
    """The schema itself where it is a reference to a component."""
    if "$ref" not in (schema or {}):
        return schema or {}
    found: dict[str, Any] = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _fields(schema: Any) -> list[dict[str, Any]]:
    found = _resolved(schema)
    required = set(found.get("required", ()))
    return [_field(name, item) | {"required": name in required} for name, item in found.get("properties", {}).items()]


def _field(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    inner = _resolved(schema.get("items")).get("properties") if kind == "array" else None
    return {
        "name": name,
        "kind": schema.get("format") or ("list of " + ", ".join(list(inner)[:12]) if inner else kind),
        "choices": schema.get("enum", []),
        "help": schema.get("description", ""),
    }
