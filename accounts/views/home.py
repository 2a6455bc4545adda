"""Where a person lands, the search, and the theme."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import navigation
from accounts.choices import LEADER_ROLES, Role
from accounts.models import Account, Contact
from accounts.policy import requires

MOST_RESULTS = 8
SHORTEST = 2
THEMES = ("light", "dark", "auto")
_YEAR = 365 * 24 * 3600


@requires(GET="profile.own")
def home(request: HttpRequest) -> HttpResponse:
    """Leaders land on the portfolio, who works a book on their day, portal users in the portal, others on accounts."""
    user: Any = request.user
    if user.is_portal:
        return redirect("portal:home")
    if user.role in navigation.DAY_FIRST:
        return redirect("myday:day")
    leads = user.role in LEADER_ROLES | {Role.READ_ONLY}
    return redirect("accounts:portfolio" if leads else "accounts:account-list")


@requires(GET="accounts.view")
def search(request: HttpRequest) -> HttpResponse:
    """Accounts and contacts that the reader may see, and pages, by any part of their name: two queries.

    The palette takes the list alone; without script this is a page.
    """
    words = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    accounts: list[Account] = []
    contacts: list[Contact] = []
    if len(words) >= SHORTEST:
        found = Account.objects.visible_to(request.user).unarchived().filter(name__icontains=words)
        accounts = list(found.select_related("owner").order_by("name", "pk")[:MOST_RESULTS])
        people = Contact.objects.visible_to(request.user).present().filter(name__icontains=words)
        contacts = list(people.select_related("account").order_by("name", "pk")[:MOST_RESULTS])
    pages = [
        (entry, url)
        for entry, url in navigation.entries_for(request.user)
        if words and words.casefold() in entry.label.casefold()
    ]
    context = {"words": words, "accounts": accounts, "contacts": contacts, "pages": pages}
    partial = request.headers.get("HX-Request") == "true"
    response = render(request, "accounts/_search_options.html" if partial else "accounts/search.html", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


@requires(POST="profile.own")
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie and return to where the reader was."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("theme: light, dark or auto")
    back = request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if allowed else "/")
    response.set_cookie("theme", chosen, max_age=_YEAR, samesite="Lax", secure=request.is_secure())
    return response
