"""When somebody's quiet hours end. Pure: moments, a zone and two times of day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(moment: datetime, zone: ZoneInfo, begins: time, ends: time) -> datetime | None:
    """The end of the quiet hours that ``moment`` lies in, as people in ``zone`` read clocks; None outside them.

    ``ends`` before ``begins`` is the next day's. The end itself is not quiet any more. On a day whose clocks jump over
    the end it is when the old clock would have shown it; where they repeat it, it is the next one to come.
    """
    local = moment.astimezone(zone)
    now, overnight = local.time(), ends <= begins
    inside = now >= begins or now < ends if overnight else begins <= now < ends
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if overnight and now >= begins else 0)
    until = datetime.combine(day, ends, zone).astimezone(UTC)
    # In a repeated hour for the second time: its first end is over already.
    return until if until > moment else datetime.combine(day, ends, zone).replace(fold=1).astimezone(UTC)
