"""In which order a person's day is worked, with the reason for each place in words. Pure: no database, no Django.

Every entry gathers points; more points stand higher. The weights are few, whole numbers and all here, so that the
order can be explained (docs/my-day.md repeats them for readers). No signal ever lowers an entry, so a worse fact
never moves something down:

==========================  ===================================================================================
when it is due              today 40; each day late 2 more, up to 60; in 1 to 7 days 35 down to 5; later 0
a meeting today             20 more: it cannot be worked later
priority                    high 24, medium 10
the account's band          red 16, orange 12, yellow 4
its score fell              1 for each point, up to 20
its band changed yesterday  for the worse 20, for the better 6
its renewal                 20 on the day and after it, down to 0 in 90 days
its size                    up to 10, in proportion to the largest account of the book
a message to review         8
a renewal without a call    6
==========================  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

TODAY, A_DAY_LATE, LATEST, NEAR, A_DAY_EARLIER, NEAR_DAYS = 40, 2, 60, 35, 5, 7
MEETING_TODAY = 20
PRIORITIES = {"high": 24, "medium": 10}
COLOURS = {"red": 16, "orange": 12, "yellow": 4}
MOST_FALL = 20
BAND_WORSE, BAND_BETTER = 20, 6
RENEWAL, RENEWAL_DAYS = 20, 90
SIZE = 10
MESSAGE = 8
NO_CALL = 6
# Ties are settled by kind in this order: what stands in the calendar first, news last.
KINDS = ("step", "cta", "call", "task", "account", "notice")
REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What the place of one entry follows from. Days are counted from the reader's today; negative ones are past.

    ``fell`` is how many points the score lost over ``fell_over`` (negative: it gained). ``band_moved`` is -1 where
    the band got worse since yesterday, 1 where better. ``share`` is the account's ARR over the book's largest, 0 to 1.
    """

    key: Hashable
    kind: str
    days_left: int | None = None
    begins: time | None = None
    priority: str = ""
    colour: str = ""
    band: str = ""
    fell: Decimal = Decimal(0)
    fell_over: str = ""
    band_moved: int = 0
    band_before: str = ""
    renewal_days: int | None = None
    share: Decimal = Decimal(0)


class Part(NamedTuple):
    """Points that one signal gives, and what it says."""

    points: int
    words: str


_NOTHING = Part(0, "")
_ZERO, _ONE = Decimal(0), Decimal(1)


class Place(NamedTuple):
    """An entry's points and the reasons for them, the weightiest first."""

    key: Hashable
    points: int
    reasons: tuple[str, ...]


def rank(entries: Iterable[Signals]) -> list[Place]:
    """All entries, the most pressing first. The same entries in any order give the same list."""
    judged = [(_order(signals, parts := parts_of(signals)), signals, parts) for signals in entries]
    return [_place(signals, -order[0], parts) for order, signals, parts in sorted(judged, key=itemgetter(0))]


def parts_of(signals: Signals) -> list[Part]:
    """Every signal that gives points, the weightiest first."""
    parts = [_due(signals), _meeting(signals), *_facts(signals), _account(signals), _message(signals), _call(signals)]
    return sorted((part for part in parts if part.points), key=lambda part: -part.points)


def _order(signals: Signals, parts: Sequence[Part]) -> tuple[int, int, time, int, str]:
    days = signals.days_left if signals.days_left is not None else NEAR_DAYS + 1
    kind = KINDS.index(signals.kind)
    return (-sum(part.points for part in parts), days, signals.begins or time.max, kind, str(signals.key))


def _place(signals: Signals, points: int, parts: Sequence[Part]) -> Place:
    told = tuple(part.words for part in parts if part.words)[:REASONS]
    return Place(signals.key, points, told or ("on your list",))


def _due(signals: Signals) -> Part:
    days = signals.days_left
    if days is None:
        return _NOTHING
    if days < 0:
        return Part(min(TODAY - days * A_DAY_LATE, LATEST), f"{_days(-days)} late")
    if days == 0:
        return Part(TODAY, "due today" if signals.begins is None else f"today at {signals.begins:%H:%M}")
    if days <= NEAR_DAYS:
        return Part(NEAR - (days - 1) * A_DAY_EARLIER, "due tomorrow" if days == 1 else f"due in {days} days")
    return _NOTHING


def _meeting(signals: Signals) -> Part:
    # Its hour is told with the day.
    return Part(MEETING_TODAY, "") if signals.begins is not None and signals.days_left == 0 else _NOTHING


def _facts(signals: Signals) -> list[Part]:
    band = f"account in {signals.band or signals.colour}"
    return [
        Part(PRIORITIES.get(signals.priority, 0), "high priority" if signals.priority == "high" else ""),
        Part(0 if signals.band_moved else COLOURS.get(signals.colour, 0), band),
        _fall(signals),
        _band(signals),
    ]


def _fall(signals: Signals) -> Part:
    points = min(int(signals.fell), MOST_FALL)
    if points <= 0:
        return _NOTHING
    over = f" {signals.fell_over}" if signals.fell_over else ""
    return Part(points, f"score down {int(signals.fell)}{over}")


def _band(signals: Signals) -> Part:
    colour = COLOURS.get(signals.colour, 0)
    if signals.band_moved < 0:
        return Part(BAND_WORSE + colour, f"fell from {signals.band_before or 'no band'} to {signals.band or 'no band'}")
    if signals.band_moved > 0:
        return Part(BAND_BETTER + colour, f"rose from {signals.band_before or 'no band'} to {signals.band}")
    return _NOTHING


def _account(signals: Signals) -> Part:
    """Renewal, or else size: one part, since both speak of the money at stake."""
    size = int(SIZE * min(max(signals.share, _ZERO), _ONE))
    days = signals.renewal_days
    if days is None or days > RENEWAL_DAYS:
        return Part(size, "among your largest accounts" if size >= SIZE // 2 else "")
    points = RENEWAL if days <= 0 else RENEWAL * (RENEWAL_DAYS - days) // RENEWAL_DAYS
    # A call that waits tells the day itself.
    return Part(points + size, "" if signals.kind == "call" else _renewal(days))


def _renewal(days: int) -> str:
    if days == 0:
        return "renewal today"
    return f"renewal in {_days(days)}" if days > 0 else f"renewal {_days(-days)} overdue"


def _message(signals: Signals) -> Part:
    return Part(MESSAGE, "a message to review") if signals.kind == "notice" else _NOTHING


def _call(signals: Signals) -> Part:
    """A renewal that waits for a call: one reason with its day."""
    if signals.kind != "call" or signals.renewal_days is None:
        return _NOTHING
    return Part(NO_CALL, f"{_renewal(signals.renewal_days)}, no call yet")


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
