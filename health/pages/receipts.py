"""The receipt of a score as a page and as a document to keep."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from accounts.models import Account
from accounts.policy import requires
from health.actions import issue_receipts
from health.queries.receipts import receipt_json, receipt_of
from health.receipts import text_of


@requires(GET="health.view", POST="health.view")
def receipt(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The receipt of an account's score, of ``?on=`` a day, against ``?since=`` one.

    POST gives it to keep, sealed in the audit log; ``?format=json`` the same without a seal.
    """
    account = get_object_or_404(Account.objects.visible_to(request.user), pk=account_id)
    on, since = _day(request, "on"), _day(request, "since")
    found = receipt_of(account, on=on, since=since)
    if found is None:
        raise Http404
    if request.method == "POST":
        document = receipt_json(found)
        (sealed,) = issue_receipts([(account, document)], actor=request.user, at=timezone.now())
        return receipt_response(f"receipt-{account.pk}-{found.row.computed_on}.json", sealed)
    if request.GET.get("format") == "json":
        return receipt_response(f"receipt-{account.pk}-{found.row.computed_on}.json", receipt_json(found))
    month_ago = found.row.computed_on - timedelta(days=30)
    context = {"account": account, "receipt": found, "month_ago": month_ago}
    return render(request, "health/receipt.html", context)


def receipt_response(name: str, document: dict[str, Any]) -> HttpResponse:
    """A receipt as a download, in its one text."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(text_of(document), content_type="application/json; charset=utf-8", headers=headers)


def _day(request: HttpRequest, name: str) -> date | None:
    raw = request.GET.get(name, "")
    try:
        return date.fromisoformat(raw) if raw else None
    except ValueError as error:
        raise Http404 from error
