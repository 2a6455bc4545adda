"""Days and meetings as an iCalendar (RFC 5545) that Outlook, Google and Apple subscribe to. Pure: no Django."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from icalendar import Calendar, Event

PRODUCT = "-//Tenure//My work//EN"
REFRESH = timedelta(hours=1)
MEETING = timedelta(minutes=30)
# RFC 5545 §3.1 has none in a text: a calendar may refuse the whole feed for one.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Item(NamedTuple):
    """One thing with its day; one that ``begins`` at a moment is a meeting of half an hour.

    ``key`` never changes for the same thing, ``changed_at`` is aware, ``sequence`` counts its changes.
    """

    key: str
    title: str
    day: date
    begins: datetime | None
    changed_at: datetime
    sequence: int
    url: str


def calendar_of(items: Iterable[Item], *, name: str) -> bytes:
    """The items as a calendar called ``name``: the same items give the same bytes.

    Lines end in CRLF and are folded at 75 octets, moments are in UTC. A whole day blocks no time.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _line(name))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for item in sorted(items, key=lambda item: (item.day, item.key)):
        calendar.add_component(_event(item))
    return bytes(calendar.to_ical())


def _line(text: str) -> str:
    """``text`` on one line: a line break in a name must not begin a property, and control characters are none."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def _event(item: Item) -> Event:
    event = Event()
    event.add("uid", f"{item.key}@tenure")
    event.add("dtstamp", item.changed_at.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", item.sequence)
    event.add("summary", _line(item.title))
    if item.begins is None:
        event.add("dtstart", item.day)
        event.add("dtend", item.day + timedelta(days=1))
    else:
        begins = item.begins.astimezone(UTC)
        event.add("dtstart", begins)
        event.add("dtend", begins + MEETING)
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT" if item.begins is None else "OPAQUE")
    event.add("url", item.url)
    return event
