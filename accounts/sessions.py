"""Sessions belong to one tenant and do not last for ever.

A session ends 7 days after its last use (``SESSION_COOKIE_AGE``, renewed once a day) and in any case 30 days
after the sign-in, however busy it is. A changed password ends all of a user's other sessions (Django's session
hash); a deactivated user is signed out at the next request, because the back end no longer finds them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

    from accounts.models import User

SCHEMA = "schema"
SIGNED_IN = "signed_in_at"
RENEWED = "renewed_at"
LONGEST = timedelta(days=30)
RENEWAL = timedelta(days=1)


def bind(session: SessionBase, at: datetime) -> None:
    """Tie ``session`` to the selected tenant and to the moment of the sign-in."""
    session[SCHEMA] = connection.schema_name
    session[SIGNED_IN] = session[RENEWED] = at.timestamp()


def is_valid(session: SessionBase, at: datetime) -> bool:
    """Whether a signed-in session may go on at ``at``: it is this tenant's and not too old."""
    return session[SCHEMA] == connection.schema_name and at.timestamp() < session[SIGNED_IN] + LONGEST.total_seconds()


def renew(session: SessionBase, at: datetime) -> None:
    """Begin the 7 idle days again, at most once a day, so that reading pages seldom writes."""
    if at.timestamp() >= session[RENEWED] + RENEWAL.total_seconds():
        session[RENEWED] = at.timestamp()


def end_all(user: User, *, except_key: str = "") -> int:
    """Sign ``user`` out everywhere, but for the session ``except_key``. How many sessions ended; 4 statements."""
    rows = UserSession.objects.filter(user=user).exclude(session_key=except_key)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    rows.delete()
    return len(keys)
