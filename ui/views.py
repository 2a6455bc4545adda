"""Error pages: what happened, what to do, and the number by which the log finds the request. Nothing else leaks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_WORDS = {
    400: ("We could not read that request", "Go back, check what you entered and send it again."),
    403: ("You may not do this", "Your role does not include it. An administrator of your workspace can change that."),
    404: ("There is no such page", "It may have moved, or it belongs to somebody else. Search finds what you may see."),
    500: ("Something went wrong on our side", "It has been noted. Try again; if it stays, tell us the request number."),
}
_STALE = (
    "This form is too old",
    "You signed in again after opening it, or it lay open for long. Reload and send it again.",
)


def _page(request: HttpRequest, status: int, words: tuple[str, str] | None = None) -> HttpResponse:
    """The page for ``status``. It asks nothing of the database, which may be the thing that broke."""
    heading, advice = words or _WORDS[status]
    context = {
        "status": status,
        "heading": heading,
        "advice": advice,
        "request_id": getattr(request, "request_id", ""),
        "workspace": None,
        "messages": [],
    }
    return render(request, "errors/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400 for a page."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403 for a page."""
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404 for a page: the same words whether the thing is unknown or not visible."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 for a page."""
    return _page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token does not match; the reason stays in the log."""
    return _page(request, 403, _STALE)
