"""The customer's side."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.policy import requires
from portal.queries import accounts_of, shared_with, team_of


@requires(GET="portal.view")
def home(request: HttpRequest, account_id: UUID | None = None) -> HttpResponse:
    """One account of the reader's: the first, or the one in the address."""
    mine = accounts_of(request.user)
    chosen = next((account for account in mine if account_id in {None, account.id}), None)
    if account_id is not None and chosen is None:
        raise Http404
    context = {
        "mine": mine,
        "account": chosen,
        "team": team_of(chosen.id) if chosen else [],
        "entries": shared_with(request.user, chosen.id) if chosen else [],
    }
    return render(request, "portal/home.html", context)
