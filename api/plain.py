"""Answers without a serializer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """``body`` as JSON."""
    return Response(body, status, headers=dict(headers or {}))


def no_content() -> Response:
    """204."""
    return Response(status=204)
