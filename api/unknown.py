"""Addresses below ``/api/v1/`` that nothing serves."""

from __future__ import annotations

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import Endpoint


class Unknown(Endpoint):
    """404 as a problem, whatever is tried."""

    policy = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), "anonymous")

    def get(self, request: Request, rest: str) -> Response:
        raise Http404

    post = put = patch = delete = get
