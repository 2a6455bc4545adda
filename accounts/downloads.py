"""Giving out a file that somebody uploaded: always as a download, never as a page of ours."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def download(found: Any) -> HttpResponse:
    """A stored row (``file``, ``name``, ``content_type``) as a download. Ten megabytes at most, read at once."""
    with found.file.open("rb") as file:
        response = HttpResponse(file.read(), content_type=found.content_type)
    name = content_disposition_header(as_attachment=True, filename=found.name)
    response["Content-Disposition"] = name or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
