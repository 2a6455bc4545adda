"""What came in: batches and what became of them, and the accounts that senders name and nobody knows."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.actions import set_external_id
from accounts.errors import RuleViolated
from accounts.models import Account
from accounts.policy import may, requires
from ui import keyset
from usage import queries
from usage.actions import discard_parked
from usage.forms import MappingForm
from usage.models import IngestReceipt
from usage.tasks import nudge

PAGE_SIZE = 50
# Names offered while typing; any other name can be typed in full.
SUGGESTED = 500


@requires(GET="usage.view")
def receipt_index(request: HttpRequest) -> HttpResponse:
    """Receipts, newest first, and the state of the feed."""
    order = keyset.Order("created_at", descending=True)
    field = IngestReceipt._meta.get_field("created_at")
    page = keyset.page(queries.receipts(), order, field, request.GET.get("after", ""), PAGE_SIZE)
    context = {
        "rows": page.rows,
        "next": _url(page.next),
        "previous": _url(page.previous),
        "feed": queries.feed(timezone.now()),
        "unknown": len(queries.parked_accounts()),
    }
    return render(request, "usage/receipt_list.html", context)


def _url(cursor: str) -> str:
    return f"?{urlencode({'after': cursor})}" if cursor else ""


@requires(GET="usage.view")
def receipt_detail(request: HttpRequest, receipt_id: UUID) -> HttpResponse:
    """One batch with the items it lost and why."""
    receipt = get_object_or_404(IngestReceipt, pk=receipt_id)
    return render(request, "usage/receipt_detail.html", {"receipt": receipt})


@requires(GET="usage.view")
def parked_index(request: HttpRequest) -> HttpResponse:
    """Unknown accounts with what waits for each; leaders say which account a name stands for."""
    may_map = may(request.user, "usage.ingest")
    context = {
        "parked": queries.parked_accounts(),
        "may_map": may_map,
        "names": list(_choices(request).values_list("name", flat=True)[:SUGGESTED]) if may_map else [],
    }
    return render(request, "usage/parked_list.html", context)


def _choices(request: HttpRequest) -> QuerySet[Account]:
    return Account.objects.editable_by(request.user).unarchived().order_by("name")  # type: ignore[arg-type]


@require_POST
@requires(POST="usage.ingest")
def parked_map(request: HttpRequest) -> HttpResponse:
    """Say which account an unknown name stands for; what is parked under it counts within seconds."""
    form = MappingForm(request.POST, accounts=_choices(request))
    if not form.is_valid():
        messages.error(request, form.errors.get("account", ["Choose an account."])[0])
        return redirect("usage:parked-list")
    chosen = form.cleaned_data
    try:
        set_external_id(
            chosen["account"], chosen["source"], chosen["external_id"], actor=request.user, at=timezone.now()
        )
    except RuleViolated as refused:
        messages.error(request, str(refused))
    else:
        nudge()
        messages.success(request, f"{chosen['external_id']} is {chosen['account']}. What waited is being counted.")
    return redirect("usage:parked-list")


@require_POST
@requires(POST="usage.ingest")
def parked_discard(request: HttpRequest) -> HttpResponse:
    """Throw away what waits for a name that stands for nobody."""
    source, account = request.POST.get("source", "")[:40], request.POST.get("account", "")[:120]
    gone = discard_parked(source=source, account=account, actor=request.user, at=timezone.now())
    messages.success(request, f"{gone} parked item{'' if gone == 1 else 's'} of {account} thrown away.")
    return redirect("usage:parked-list")
