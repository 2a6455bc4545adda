"""Answers: JSON, whatever the Accept header asks for."""

from __future__ import annotations

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from api import json


class JSONRenderer(BaseRenderer):
    """UTF-8 JSON by orjson: decimals as text, moments in UTC."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """The bytes; none for an answer without a body."""
        return b"" if data is None else json.dumps(data)


class FirstRenderer(DefaultContentNegotiation):
    """Always the view's first renderer: a caller with an Accept header of a browser gets JSON as well, and no 406."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """The renderer and its media type."""
        return renderers[0], renderers[0].media_type
