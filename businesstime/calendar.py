"""Arithmetic in working time: open spans of a year are built once and searched by bisection."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from businesstime.rules import Rules
from businesstime.spans import EPOCH, open_spans

MICRO = 1_000_000
TICK = timedelta(microseconds=1)
# Spans are built for this many days at once; a calendar with two windows a day has about 500 in one block.
BLOCK_DAYS = 366
# Beyond this an endless search would only hide a calendar that never opens again (sla-peers §7).
SEARCH_BLOCKS = 110
FIRST_DAY = date(1900, 1, 1).toordinal()
LAST_DAY = date(2200, 1, 1).toordinal()


class NoWorkingTime(ValueError):
    """The calendar does not hold that much working time before 2200 or after 1900."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Open spans of BLOCK_DAYS days in microseconds since 1970, and the time worked before each of them."""

    starts: list[int]
    ends: list[int]
    worked: list[int]

    @property
    def total(self) -> int:
        return self.worked[-1]

    def worked_until(self, at: int) -> int:
        """Microseconds of working time of this block before ``at``."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.worked[index] + min(at, self.ends[index]) - self.starts[index]


class Calendar:
    """Working time by ``rules``. Threads may share one: a block computed twice is the same block.

    ``source`` is the text it was read from, for whoever keeps it beside the answer.
    """

    def __init__(self, rules: Rules, source: str = "") -> None:
        self.rules = rules
        self.source = source
        self._blocks: dict[int, _Block] = {}

    def add(self, start: datetime, minutes: float | str | Decimal | Fraction) -> datetime:
        """The first instant at which ``minutes`` of working time since ``start`` are used up.

        A budget that ends exactly at closing is due at the closing instant. Negative minutes go back: the last
        instant from which that much is worked until ``start``. Zero is ``start``. The answer carries the
        calendar's zone. Raises NoWorkingTime where the calendar does not hold that much.
        """
        return self._moment(self._added(_micros(start), round(Fraction(minutes) * 60 * MICRO)))

    def after(self, start: datetime, amount: timedelta) -> datetime:
        """``add`` of a length of time, to the microsecond and without arithmetic in fractions."""
        return self._moment(self._added(_micros(start), amount // TICK))

    def _added(self, at: int, budget: int) -> int:
        if budget > 0:
            return self._forward(at, budget)
        if budget < 0:
            return self._back(at, -budget)
        return at

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from ``start`` to ``end``; negative when ``end`` is earlier."""
        if end < start:
            return -self.between(end, start)
        return timedelta(microseconds=self._worked_between(_micros(start), _micros(end)))

    def is_open(self, at: datetime) -> bool:
        """Whether the instant ``at`` is working time; the closing instant is not."""
        micros = _micros(at)
        block = self._block(self._index(micros))
        index = bisect_right(block.starts, micros) - 1
        return index >= 0 and micros < block.ends[index]

    def next_open(self, at: datetime) -> datetime:
        """``at`` itself while open, otherwise the next opening. Raises NoWorkingTime if there is none."""
        if self.is_open(at):
            return self._moment(_micros(at))
        micros = _micros(at)
        for index in self._following(self._index(micros)):
            block = self._block(index)
            position = bisect_right(block.starts, micros)
            if position < len(block.starts):
                return self._moment(block.starts[position])
        raise NoWorkingTime("the calendar does not open again")

    def windows(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches between ``start`` and ``end``, in order, cut to the two; touching ones are one."""
        low, high = _micros(start), _micros(end)
        held: tuple[int, int] | None = None
        for index in range(self._index(low), self._index(high) + 1):
            block = self._block(index)
            for position in range(max(bisect_right(block.starts, low) - 1, 0), bisect_left(block.starts, high)):
                opens, closes = max(block.starts[position], low), min(block.ends[position], high)
                if opens >= closes:
                    continue
                if held and held[1] == opens:
                    held = (held[0], closes)  # a window over the edge of two blocks
                    continue
                if held:
                    yield self._moment(held[0]), self._moment(held[1])
                held = (opens, closes)
        if held:
            yield self._moment(held[0]), self._moment(held[1])

    def block_of(self, micros: int) -> int:
        """The number of the block of days that holds an instant. Raises NoWorkingTime outside 1900 to 2200."""
        return self._index(micros)

    def block_spans(self, index: int) -> tuple[list[int], list[int]]:
        """Openings and closings of a block, in microseconds since 1970. Raises NoWorkingTime beyond the last."""
        if self._outside(index):
            raise NoWorkingTime("the calendar does not hold that much working time")
        block = self._block(index)
        return block.starts, block.ends

    # -- searching ---------------------------------------------------------------------------------------

    def _forward(self, at: int, budget: int) -> int:
        first = self._index(at)
        needed = budget + self._block(first).worked_until(at)
        for index in self._following(first):
            block = self._block(index)
            if needed <= block.total:
                # The earliest instant: the span that begins with less than needed and ends with enough.
                position = _last_below(block.worked, needed)
                return block.starts[position] + needed - block.worked[position]
            needed -= block.total
        raise NoWorkingTime("the calendar does not hold that much working time")

    def _back(self, at: int, budget: int) -> int:
        first = self._index(at)
        needed = budget - self._block(first).worked_until(at)
        if needed <= 0:
            return self._from_worked(self._block(first), -needed)
        for step in range(1, SEARCH_BLOCKS):
            index = first - step
            if self._outside(index):
                break
            block = self._block(index)
            if needed <= block.total:
                return self._from_worked(block, block.total - needed)
            needed -= block.total
        raise NoWorkingTime("the calendar does not hold that much working time")

    @staticmethod
    def _from_worked(block: _Block, worked: int) -> int:
        """The last instant of ``block`` before which exactly ``worked`` was worked (an opening, if one is)."""
        position = min(bisect_right(block.worked, worked) - 1, len(block.starts) - 1)
        return block.starts[position] + worked - block.worked[position]

    def _worked_between(self, start: int, end: int) -> int:
        first, last = self._index(start), self._index(end)
        worked = self._block(last).worked_until(end) - self._block(first).worked_until(start)
        return worked + sum(self._block(index).total for index in range(first, last))

    @staticmethod
    def _following(first: int) -> range:
        return range(first, min(first + SEARCH_BLOCKS, LAST_DAY // BLOCK_DAYS + 1))

    # -- blocks ------------------------------------------------------------------------------------------

    def _index(self, at: int) -> int:
        """The block that holds the instant ``at``: blocks are cut at UTC midnights."""
        index = (EPOCH.toordinal() + at // (86400 * MICRO)) // BLOCK_DAYS
        if self._outside(index):
            raise NoWorkingTime("working time is kept from 1900 to 2200")
        return index

    @staticmethod
    def _outside(index: int) -> bool:
        return not FIRST_DAY <= index * BLOCK_DAYS <= LAST_DAY

    def _block(self, index: int) -> _Block:
        block = self._blocks.get(index)
        if block is None:
            spans = open_spans(self.rules, date.fromordinal(index * BLOCK_DAYS), BLOCK_DAYS)
            starts = [start * MICRO for start, _ in spans]
            ends = [end * MICRO for _, end in spans]
            lengths = (end - start for start, end in zip(starts, ends, strict=True))
            block = self._blocks[index] = _Block(starts, ends, [0, *accumulate(lengths)])
        return block

    def _moment(self, micros: int) -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).astimezone(self.rules.zone)


def _last_below(worked: list[int], needed: int) -> int:
    """The last position whose value is below ``needed`` (which is above zero)."""
    return bisect_left(worked, needed) - 1


def _micros(moment: datetime) -> int:
    """Microseconds since 1970. A moment without an offset is refused: it would mean another one elsewhere."""
    if moment.tzinfo is None:
        raise ValueError("the moment has no offset")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
