"""From what happened to the stretches of time in which each clock ran."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

# Marks every clock knows; what else stops one is in its rule.
CREATED, STATUS, DONE, REOPENED, CANCELLED = "created", "status", "done", "reopened", "cancelled"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened. ``status`` is the one entered, of ``created``, ``status`` and ``reopened``."""

    kind: str
    at: datetime
    status: str = ""


@dataclass(frozen=True, slots=True)
class ClockRule:
    """What a clock obeys: the marks that stop it, the statuses that pause it.

    ``repeats``: stopping it starts the next cycle (a promise of the next update). ``lapses``: work that is done
    ends it although nothing stopped it.
    """

    stops: frozenset[str]
    pauses: frozenset[str] = frozenset()
    repeats: bool = False
    lapses: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    """Time that does not count, and why. An open one has no end yet."""

    start: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """One cycle of a clock. ``lapsed`` says that it ended without its own stop: neither met nor, by itself, missed.

    ``void``: the work was cancelled, so that not even a promise broken before counts.
    """

    clock: str
    cycle: int
    started_at: datetime
    stopped_at: datetime | None = None
    gaps: tuple[Gap, ...] = ()
    lapsed: bool = False
    void: bool = False

    @property
    def paused_since(self) -> datetime | None:
        """Since when it waits; None while it runs or has stopped."""
        last = self.gaps[-1] if self.gaps else None
        return last.start if last and last.end is None and self.stopped_at is None else None

    def spans(self) -> list[tuple[datetime, datetime | None]]:
        """The stretches that count, in order; the last is open while the clock runs."""
        found: list[tuple[datetime, datetime | None]] = []
        since: datetime | None = self.started_at
        for gap in self.gaps:
            if since is not None and gap.start > since:
                found.append((since, gap.start))
            since = gap.end
        if since is not None and (self.stopped_at is None or self.stopped_at > since):
            found.append((since, self.stopped_at))
        return found


@dataclass(slots=True)
class _Builder:
    """A run while the marks are read."""

    clock: str
    cycle: int
    started_at: datetime
    stopped_at: datetime | None = None
    lapsed: bool = False
    void: bool = False
    gaps: list[Gap] = field(default_factory=list)

    def pause(self, at: datetime, reason: str) -> None:
        if self.gaps and self.gaps[-1].end is None:
            if self.gaps[-1].reason == reason:
                return
            self.resume(at)
        self.gaps.append(Gap(at, None, reason))

    def resume(self, at: datetime) -> None:
        if self.gaps and self.gaps[-1].end is None:
            last = self.gaps.pop()
            if at > last.start:
                self.gaps.append(Gap(last.start, at, last.reason))

    def stop(self, at: datetime, *, lapsed: bool = False, void: bool = False) -> None:
        self.resume(at)
        self.stopped_at, self.lapsed, self.void = at, lapsed, void

    def go_on(self, at: datetime) -> None:
        """Run again; the time since it stopped does not count."""
        if self.stopped_at is not None:
            self.gaps.append(Gap(self.stopped_at, at, DONE))
        self.stopped_at, self.lapsed, self.void = None, False, False

    def done(self) -> Run:
        return Run(self.clock, self.cycle, self.started_at, self.stopped_at, tuple(self.gaps), self.lapsed, self.void)


def runs_of(clock: str, rule: ClockRule, marks: Iterable[Mark], *, reopen_within: timedelta | None = None) -> list[Run]:
    """The cycles of ``clock``, oldest first. Marks are read in the order of their moments, equal ones as given.

    Reopened within ``reopen_within`` (None: always) the same cycle goes on, without the time it was done;
    later, a new one begins. A repeating clock's cycle of no length is left out.
    """
    reader = _Reader(clock, rule, reopen_within)
    # In UTC: two moments of one zone are compared by their wall clocks, which happen twice when clocks go back.
    happened = [replace(mark, at=mark.at.astimezone(UTC)) for mark in marks]
    for mark in sorted(happened, key=lambda mark: mark.at):
        reader.read(mark)
    runs = [builder.done() for builder in reader.found]
    return [run for run in runs if not (rule.repeats and run.stopped_at == run.started_at)]


class _Reader:
    """Reads the marks of one clock, one after the other."""

    def __init__(self, clock: str, rule: ClockRule, reopen_within: timedelta | None) -> None:
        self.clock, self.rule, self.reopen_within = clock, rule, reopen_within
        self.found: list[_Builder] = []
        self.status = ""
        self.is_done = False

    @property
    def running(self) -> _Builder | None:
        return self.found[-1] if self.found and self.found[-1].stopped_at is None else None

    def read(self, mark: Mark) -> None:
        if mark.kind in {CREATED, STATUS, REOPENED}:
            self.status = mark.status
        if mark.kind == CREATED:
            self.start(mark.at)
        elif mark.kind == REOPENED:
            self.reopen(mark.at)
        elif (run := self.running) is None:
            return
        elif mark.kind in self.rule.stops:
            run.stop(mark.at)
            self.is_done = self.is_done or mark.kind == DONE
            if self.rule.repeats:
                self.start(mark.at)
        elif mark.kind == CANCELLED:
            run.stop(mark.at, lapsed=True, void=True)
        elif mark.kind == DONE and self.rule.lapses:
            run.stop(mark.at, lapsed=not self.rule.repeats)
        elif mark.kind == STATUS:
            self.settle(run, mark.at)

    def start(self, at: datetime) -> None:
        self.found.append(_Builder(self.clock, len(self.found) + 1, at))
        self.settle(self.found[-1], at)

    def settle(self, run: _Builder, at: datetime) -> None:
        if self.status in self.rule.pauses:
            run.pause(at, self.status)
        else:
            run.resume(at)

    def reopen(self, at: datetime) -> None:
        last = self.found[-1] if self.found else None
        if last is None or last.stopped_at is None:
            return
        if self.rule.repeats:
            self.start(at)
        elif last.lapsed or DONE in self.rule.stops:
            if self.reopen_within is None or at - last.stopped_at <= self.reopen_within:
                last.go_on(at)
                self.settle(last, at)
            else:
                self.start(at)
