"""The OpenAPI 3.1 document, made by drf-spectacular from the addresses, their serializers and their policies."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import Endpoint


@cache
def document() -> dict[str, Any]:
    """The whole document. Made once a process; takes about a second."""
    from api.urls import RESOURCES

    generator = SchemaGenerator(patterns=[path("api/v1/", include(RESOURCES))])
    return generator.get_schema(public=True)  # type: ignore[no-any-return]


class OpenApi(Endpoint):
    """The document as JSON."""

    policy = {"GET": "anonymous"}

    def get(self, request: Request) -> Response:
        return Response(document())
