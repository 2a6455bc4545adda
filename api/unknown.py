"""Addresses below ``/api/v1/`` that nothing serves."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from api.plain import endpoint


@endpoint(GET="anonymous", POST="anonymous", PUT="anonymous", PATCH="anonymous", DELETE="anonymous")
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """404 as a problem."""
    raise Http404
