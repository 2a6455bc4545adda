"""The calendar feed: the page where one opens and ends it, and the calendar itself behind its secret address."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import never_cache

from accounts.links import absolute
from accounts.models import User
from accounts.policy import ANONYMOUS, requires
from myday.feed import MONTHS_AHEAD, MONTHS_BACK, feed_of, reader_of, renew_feed, revoke_feed
from myday.models import CalendarFeed


@requires(GET="ctas.work", POST="ctas.work")
@never_cache
def feed_settings(request: HttpRequest) -> HttpResponse:
    """Whether there is an address. POST makes a new one and shows it, this once; with ``revoke`` it ends."""
    user: User = request.user  # type: ignore[assignment]
    context: dict[str, Any] = {"back": MONTHS_BACK, "ahead": MONTHS_AHEAD}
    if request.method == "POST" and "revoke" in request.POST:
        if revoke_feed(user, at=timezone.now()):
            messages.success(request, "The address is no more. Calendars that had it get nothing from now on.")
        return redirect("myday:feed-settings")
    if request.method == "POST":
        secret = renew_feed(user, at=timezone.now())
        context["url"] = absolute(reverse("myday:feed", args=[secret]))
    context["feed"] = CalendarFeed.objects.filter(user=user).first()
    return render(request, "myday/feed.html", context, status=201 if "url" in context else 200)


@requires(GET=ANONYMOUS)
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar of whoever the address belongs to; 304 while nothing in it changed, 404 once it ended."""
    user = reader_of(secret)
    if user is None:
        raise Http404
    body = feed_of(user, at=timezone.now())
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="tenure.ics"',
        # SECURITY: the address is a secret; no page it is opened from or leads to is told of it.
        "Referrer-Policy": "no-referrer",
    }
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)
    return get_conditional_response(request, etag=etag, response=response) or response
