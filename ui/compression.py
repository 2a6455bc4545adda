"""Pages go out compressed: a list of fifty rows is 150 kB of markup and 15 kB on the wire."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from gzip import GzipFile
from io import BytesIO

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.text import get_valid_filename

LEAST_BYTES = 1_000
# The fastest level: a millisecond for the largest page, and a few per cent more bytes than the slowest.
LEVEL = 1
MOST_PADDING = 100


class CompressPages:
    """Compresses HTML for whoever accepts gzip. Everything else, the API with its ETags included, goes out as it is.

    The length is blurred by up to 100 random bytes, so that it tells nobody what a guess inside the page compressed to
    (the attack BREACH); tokens against forged requests are masked anew in every answer besides.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            response.streaming
            or len(response.content) < LEAST_BYTES
            or response.has_header("Content-Encoding")
            or not response.get("Content-Type", "").startswith("text/html")
        ):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.content = _gzip(response.content)
            response.headers["Content-Length"] = str(len(response.content))
            response.headers["Content-Encoding"] = "gzip"
        return response


def _gzip(content: bytes) -> bytes:
    padding = get_valid_filename(secrets.token_urlsafe(MOST_PADDING))[: 1 + secrets.randbelow(MOST_PADDING)]
    buffer = BytesIO()
    with GzipFile(filename=padding, mode="wb", compresslevel=LEVEL, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()
