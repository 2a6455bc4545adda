"""When a failed delivery is tried again, how long a failing endpoint rests, and what ``Retry-After`` asks. Pure.

The waits are those that Standard Webhooks suggests: ten attempts in 75 hours and 35 minutes.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(WAITS) + 1
# A wait is up to a tenth longer, so that what failed together is not tried again together.
JITTER = 0.1
# An endpoint that failed so often in a row is asked with one delivery at a time, after a rest.
BREAKER = 5
RESTS = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10))
LONGEST_WISH = timedelta(hours=24)


def next_try(key: str, attempts: int, *, at: datetime, wish: timedelta | None = None) -> datetime | None:
    """When the delivery ``key`` that failed at its ``attempts``-th attempt is tried again; None: never.

    ``wish`` is what the receiver asked for; it makes the wait longer, never shorter. The jitter follows from the
    key, so the same failure is planned alike wherever it is worked out.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    wait = WAITS[attempts - 1]
    share = hashlib.sha256(f"{key}:{attempts}".encode()).digest()[0] / 255
    return at + max(wait * (1 + JITTER * share), wish or timedelta())


def rest_after(failures: int) -> timedelta | None:
    """How long an endpoint rests after so many failures in a row; None while it is not failing for good."""
    return RESTS[min(failures - BREAKER, len(RESTS) - 1)] if failures >= BREAKER else None


def retry_after(text: str, *, at: datetime) -> timedelta | None:
    """What a ``Retry-After`` header asks: seconds or a date, at most a day. None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WISH)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a receiver may write what it likes, such as a zone of a million hours
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - at, timedelta()), LONGEST_WISH)
