"""Downloads of the accounts list."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.policy import requires
from health.book.accounts.asked import Asked
from health.book.accounts.export import CSV, MEDIA, XLSX, written


@requires(GET="accounts.export")
def account_export_csv(request: HttpRequest) -> HttpResponse:
    """What the list shows for the same address, every page of it, as CSV."""
    return _download(request, CSV)


@requires(GET="accounts.export")
def account_export_xlsx(request: HttpRequest) -> HttpResponse:
    """The same as a workbook."""
    return _download(request, XLSX)


def _download(request: HttpRequest, kind: str) -> HttpResponse:
    today = timezone.localdate()
    body = written(kind, request.user, Asked.read(request.GET), today=today, now=timezone.now())
    name = f"accounts-{today.isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(body, content_type=MEDIA[kind], headers=headers)
