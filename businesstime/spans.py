"""From wall-clock windows to instants, exact where the clocks are changed.

Inside a gap no wall time exists, so a window there shrinks; in a fold wall times happen twice, so a window is
worked twice. Both follow from one rule: an instant is open when its wall time lies in a window.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from businesstime.rules import DAY_SECONDS, Rules

EPOCH = date(1970, 1, 1)
Span = tuple[int, int]
# (from, offset): from this instant on wall time is UTC plus ``offset`` seconds.
Offsets = list[tuple[int, int]]
STEP = 6 * 3600


def open_spans(rules: Rules, first: date, days: int) -> list[Span]:
    """Open spans between the UTC midnights of ``first`` and ``first + days``, in seconds since 1970.

    They are sorted, disjoint and joined where they touch. Cost: about 1 ms a year.
    """
    begins = (first - EPOCH).days * DAY_SECONDS
    ends = begins + days * DAY_SECONDS
    offsets = _offsets(rules, begins, ends)
    # Windows reach two days back (overnight) and zones a day either way.
    local_days = [first + timedelta(days=day) for day in range(-3, days + 2)]
    open_wall = _joined([window for day in local_days for window in _wall(day, rules.windows_of(day))])
    if rules.breaks:
        shut = _joined([window for day in local_days for window in _wall(day, rules.breaks.get(day, ()))])
        open_wall = _without(open_wall, shut)
    return _joined(_instants(open_wall, offsets, begins, ends))


def _wall(day: date, windows: tuple[Span, ...]) -> list[Span]:
    """Windows of ``day`` as wall-clock seconds since 1970."""
    midnight = (day - EPOCH).days * DAY_SECONDS
    return [(midnight + start, midnight + end) for start, end in windows]


def _instants(open_wall: list[Span], offsets: Offsets, begins: int, ends: int) -> list[Span]:
    """The instants whose wall time is open: each stretch of constant offset maps windows by a shift."""
    found: list[Span] = []
    for index, (since, offset) in enumerate(offsets):
        until = offsets[index + 1][0] if index + 1 < len(offsets) else ends
        low, high = max(since, begins), min(until, ends)
        for start, end in open_wall:
            if end - offset > low and start - offset < high:
                found.append((max(start - offset, low), min(end - offset, high)))
    return found


def _offsets(rules: Rules, begins: int, ends: int) -> Offsets:
    """Every offset of the zone between two instants, with the second at which it begins."""
    found = [(begins, _offset(rules, begins))]
    for at in range(begins, ends, STEP):
        if _offset(rules, at + STEP) != found[-1][1]:
            found.append(_change(rules, at, at + STEP))
    return found


def _change(rules: Rules, low: int, high: int) -> tuple[int, int]:
    """The second between ``low`` and ``high`` at which the offset changes, found by halving."""
    before = _offset(rules, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(rules, middle) == before:
            low = middle
        else:
            high = middle
    return high, _offset(rules, high)


def _offset(rules: Rules, at: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    offset = moment.astimezone(rules.zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _joined(spans: list[Span]) -> list[Span]:
    """Spans in order, overlapping and touching ones made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined


def _without(spans: list[Span], shut: list[Span]) -> list[Span]:
    """``spans`` with every part that lies in ``shut`` cut out; both are sorted and disjoint."""
    left: list[Span] = []
    for start, end in spans:
        for cut_start, cut_end in shut:
            if cut_end <= start or cut_start >= end:
                continue
            if cut_start > start:
                left.append((start, cut_start))
            start = max(start, cut_end)
            if start >= end:
                break
        if start < end:
            left.append((start, end))
    return left
