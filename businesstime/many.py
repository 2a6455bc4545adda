"""Many deadlines at once, as arrays: what recomputing or replaying a whole desk needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from businesstime.calendar import Calendar, NoWorkingTime

Moments = npt.NDArray[np.int64]


class Deadlines:
    """A calendar laid out between two blocks of days, for additions in bulk.

    Moments and budgets are microseconds (since 1970, of working time). The layout grows when a budget reaches
    beyond it; one layout serves any number of questions.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._first = self._last = 0
        self._starts = self._ends = self._worked = np.zeros(0, np.int64)

    def add(self, starts: Moments, budgets: Moments | int) -> Moments:
        """The first instants at which ``budgets`` (above zero) are used up since ``starts``: as ``Calendar.add``.

        Raises NoWorkingTime where the calendar does not hold that much.
        """
        if not len(starts):
            return starts
        low, high = self.calendar.block_of(int(starts.min())), self.calendar.block_of(int(starts.max()))
        self._lay_out(low, high)
        wanted = self._used_before(starts) + budgets
        while wanted.max() > self._worked[-1]:
            self._lay_out(low, self._last + 1)
            wanted = self._used_before(starts) + budgets
        position = np.searchsorted(self._worked, wanted, side="left") - 1
        return self._starts[position] + wanted - self._worked[position]

    def _used_before(self, moments: Moments) -> Any:
        """Working time of the layout before each moment."""
        position = np.maximum(np.searchsorted(self._starts, moments, side="right") - 1, 0)
        inside = np.clip(moments, self._starts[position], self._ends[position]) - self._starts[position]
        return self._worked[position] + inside

    def _lay_out(self, low: int, high: int) -> None:
        if len(self._starts) and self._first <= low and high <= self._last:
            return
        first, last = (min(low, self._first), max(high, self._last)) if len(self._starts) else (low, high)
        starts: list[int] = []
        ends: list[int] = []
        for index in range(first, last + 1):
            opens, closes = self.calendar.block_spans(index)
            starts += opens
            ends += closes
        if not starts:
            raise NoWorkingTime("the calendar does not hold that much working time")
        self._first, self._last = first, last
        self._starts, self._ends = np.array(starts, np.int64), np.array(ends, np.int64)
        self._worked = np.concatenate((np.zeros(1, np.int64), np.cumsum(self._ends - self._starts)))
