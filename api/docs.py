"""The documentation for people: one page, made from the same statements as the OpenAPI document."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.policy import ANONYMOUS, CAPABILITIES, requires
from api.openapi import operations
from api.problems import KINDS


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
    described = sorted(operations(), key=lambda found: found[0].split("/")[3])
    return [
        {"name": name, "operations": [_shown(*found) for found in members]}
        for name, members in groupby(described, key=lambda found: found[0].split("/")[3])
    ]


def _shown(address: str, method: str, capability: str, name: str, operation: Any) -> dict[str, Any]:
    return {
        "id": f"{method.lower()}-{name}",
        "address": address,
        "method": method,
        "summary": operation.summary,
        "detail": operation.detail,
        "capability": "" if capability == ANONYMOUS else capability,
        "scope": "" if capability == ANONYMOUS else CAPABILITIES[capability].scope,
        "query": [_parameter(key, schema) for key, schema in operation.query.items()],
        "fields": _fields(operation.body),
        "example": json.dumps(operation.example, indent=2) if operation.example is not None else "",
        "answers": [
            {"status": status, "fields": _fields(schema)} for status, schema in (operation.answers or {}).items()
        ],
    }


def _fields(schema: Any) -> list[dict[str, Any]]:
    properties = (schema or {}).get("properties", {})
    required = set((schema or {}).get("required", ()))
    return [_parameter(name, item) | {"required": name in required} for name, item in properties.items()]


def _parameter(name: str, schema: Any) -> dict[str, Any]:
    kind = schema.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    inner = schema.get("items", {}).get("properties") if kind == "array" else None
    return {
        "name": name,
        "kind": schema.get("format") or ("list of " + ", ".join(list(inner)[:12]) if inner else kind),
        "choices": schema.get("enum", []),
        "help": schema.get("description", ""),
    }
