"""What happens to each request of a signed-in person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import sessions

Response = Callable[[HttpRequest], HttpResponse]
SEEN_EVERY_SECONDS = 300
ASKED_EVERY_SECONDS = 60
MOST_ASKED = 10_000


class SessionBindingMiddleware:
    """Ends a session that is another tenant's or too old (``accounts.sessions``) and notes when it was used.

    A session made without the sign-in page (a test client, a command) is bound at its first request.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response
        self._asked: dict[str, float] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            self._check(request)
        return self.get_response(request)

    def _check(self, request: HttpRequest) -> None:
        now = timezone.now()
        if sessions.SCHEMA not in request.session:
            sessions.bind(request.session, now)
        if not sessions.is_valid(request.session, now):
            logout(request)
            return
        sessions.renew(request.session, now)
        self._note(request.session.session_key, now)

    def _note(self, key: str, now: datetime) -> None:
        """One write in five minutes, not one a page; and this process asks the cache once a minute, not every time."""
        if now.timestamp() < self._asked.get(key, 0.0):
            return
        if len(self._asked) >= MOST_ASKED:
            self._asked.clear()
        self._asked[key] = now.timestamp() + ASKED_EVERY_SECONDS
        if cache.add(f"seen:{key}", 1, SEEN_EVERY_SECONDS):
            UserSession.objects.filter(session_key=key).update(last_seen_at=now)


class TimezoneMiddleware:
    """Shows times in the user's zone, or the workspace's where they chose none."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.session.session_key or not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


def zone_of(user: object) -> ZoneInfo:
    """The zone ``user`` reads times in; UTC should a stored name no longer exist."""
    try:
        return ZoneInfo(user.timezone or user.workspace_settings.timezone)  # type: ignore[attr-defined]
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
