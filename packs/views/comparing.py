"""One account under all five methodologies."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.frame import account_or_404, frame
from accounts.policy import requires
from health.queries.methodologies import compare_methodologies
from packs.comparing import main_cards


@requires(GET="health.view")
def account_methodologies(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The account's figures of today under each methodology's scorecard, side by side. Nothing is stored."""
    account = account_or_404(request, account_id)
    at, zone = timezone.now(), request.user.workspace_settings.timezone
    comparison = compare_methodologies(account.pk, main_cards(), at=at, zone=zone)
    context = frame(request, account, "accounts:account-health", comparison=comparison, as_of=at)
    return render(request, "packs/account_methodologies.html", context)
