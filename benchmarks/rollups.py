"""Daily rows: what keeping them costs on top of storing events, and what reading a window of them costs."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

# The drain's statement without daily rows and signals: storing alone.
_FOLDED, _SIGNALS = "folded AS (", "signals AS ("


def store_only(now: dt.datetime) -> None:
    """Empty the inbox into usage_event with the shipped statement, less the daily rows."""
    from usage.actions.draining import DRAIN
    from usage.fold import FOLD
    from usage.partitions import window_floor

    raw = DRAIN.format(share_only="").replace(f"folded AS ({FOLD}),", "").replace("FROM folded", "FROM events")
    raw = raw[: raw.index(_SIGNALS)] + raw[raw.index("arrived AS (") :]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
            " set_config('enable_nestloop', 'off', true)"
        )
        cursor.execute(raw, {"share": 100_000, "floor": window_floor(now), "zone": "UTC", "at": now})
        cursor.fetchone()
