"""Where a person lands, the search, and the theme."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import navigation
from accounts.choices import LEADER_ROLES, Role
from accounts.policy import requires
from accounts.search import cleaned, find

MOST_IN_PALETTE, MOST_ON_PAGE = 5, 20
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
    """Whatever the reader may see and open, by any part of its name, grouped by kind, and pages: one query.

    The palette takes the options alone; without script this is a page.
    """
    words = cleaned(request.GET.get("q", ""))
    partial = request.headers.get("HX-Request") == "true"
    groups = find(request.user, words, most=MOST_IN_PALETTE if partial else MOST_ON_PAGE)  # type: ignore[arg-type]
    pages = [
        (entry, url)
        for entry, url in navigation.entries_for(request.user)
        if words and words.casefold() in entry.label.casefold()
    ]
    context = {"words": words, "groups": groups, "pages": pages}
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
