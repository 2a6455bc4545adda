"""Cases measured against a limit in the same run: interleaved pairs, CPU beside wall time, medians.

A case has two callables, the shipped code and its limit (a plain COPY, one scan, an empty view). Each repetition
runs both, in alternating order, and takes the ratio of the pair; the median of the ratios is the figure. CPU is
this process's plus that of the PostgreSQL backends it talks to (and of any server process a case names), from
/proc/<pid>/schedstat. CPU ratios repeat within about 10 % on a busy machine; wall ratios do not, so goals are set
on CPU unless a case says otherwise. Where the slow ones count, both callables return how long each of many answers
took, and the figure compares their 95th percentiles; where only the clock counts, there is no limit beside the goal.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Pids = Callable[[], Iterable[int]]
Measure = Literal["cpu", "wall", "rate", "p95", "seconds"]


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table.

    ``run`` and ``floor`` do the same work, the shipped way and the cheapest way; ``prepare`` brings the world
    to the same state before each and is not measured. ``goal`` bounds the ratio run / floor: at most, or for
    ``rate`` (floor / run: how much of the limit's speed is reached) at least. With ``p95`` both return the seconds
    of each answer, and the ratio is that of the 95th percentiles of all repetitions; with ``seconds`` only ``run``
    does, there is no ``floor``, and the goal is the 95th percentile itself. Without a goal the figure is only told.
    ``units`` is how many things one run handles; ``warm`` runs both sides once before measuring. ``verify`` runs once
    before that and raises when the result is wrong.
    """

    area: str
    name: str
    run: Callable[[], Any]
    floor: Callable[[], Any] | None
    goal: float | None
    measure: Measure = "cpu"
    units: int = 1
    unit: str = ""
    floor_name: str = ""
    prepare: Callable[[], Any] | None = None
    verify: Callable[[], Any] | None = None
    pids: Pids | None = None
    reps: int | None = None
    warm: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of a case, in seconds of one run, and the medians of the ratios of its pairs."""

    case: Case
    run_wall: float
    floor_wall: float
    run_cpu: float
    floor_cpu: float
    wall: float
    cpu: float
    reps: int

    @property
    def ratio(self) -> float:
        """The figure the goal speaks of."""
        if self.case.measure == "rate":
            return 1 / self.wall
        if self.case.measure == "seconds":
            return self.run_wall
        return self.cpu if self.case.measure == "cpu" else self.wall

    def reached(self, slack: float = 1.0) -> bool:
        """Whether the goal is reached, with ``slack`` times as much room; a figure without one is only told."""
        if self.case.goal is None:
            return True
        if self.case.measure == "rate":
            return self.ratio * slack >= self.case.goal
        return self.ratio <= self.case.goal * slack

    def as_json(self) -> dict[str, Any]:
        return {
            "area": self.case.area,
            "figure": self.case.name,
            "limit": self.case.floor_name,
            "measure": self.case.measure,
            "ratio": round(self.ratio, 3),
            "goal": self.case.goal,
            "reached": self.reached(),
            "cpu_ratio": round(self.cpu, 3),
            "wall_ratio": round(self.wall, 3),
            "run_ms": round(self.run_wall * 1000, 3),
            "limit_ms": round(self.floor_wall * 1000, 3),
            "per_second": round(self.case.units / max(self.run_wall, 1e-9)),
            "unit": self.case.unit,
            "reps": self.reps,
        }


def cpu_of(pids: Iterable[int]) -> dict[int, float]:
    """CPU seconds so far of each of these processes that still lives."""
    return {pid: seconds for pid in pids if (seconds := _of(pid))}


def _of(pid: int) -> float:
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def measure(case: Case, *, reps: int) -> Result:
    """Verify, warm up once unless the case is too long for it, then time ``reps`` interleaved pairs."""
    if case.verify is not None:
        case.verify()
    if case.measure in {"p95", "seconds"}:
        return _percentiles(case, reps=case.reps or reps)
    assert case.floor is not None
    reps = case.reps or reps
    for work in (case.floor, case.run) if case.warm else ():
        _timed(work, case)
    pairs: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for repetition in range(reps):
        if repetition % 2:
            run = _timed(case.run, case)
            floor = _timed(case.floor, case)
        else:
            floor = _timed(case.floor, case)
            run = _timed(case.run, case)
        pairs.append((run, floor))
    median = statistics.median
    return Result(
        case,
        run_wall=median(run[0] for run, _ in pairs),
        floor_wall=median(floor[0] for _, floor in pairs),
        run_cpu=median(run[1] for run, _ in pairs),
        floor_cpu=median(floor[1] for _, floor in pairs),
        wall=median(run[0] / max(floor[0], 1e-9) for run, floor in pairs),
        cpu=median(run[1] / max(floor[1], 1e-9) for run, floor in pairs),
        reps=reps,
    )


def _percentiles(case: Case, *, reps: int) -> Result:
    """The 95th percentiles over all repetitions, both sides in turn; one round of each warms up."""
    sides = {"run": case.run} | ({"floor": case.floor} if case.floor else {})
    samples: dict[str, list[float]] = {side: [] for side in sides}
    for repetition in range(-1 if case.floor else 0, reps):
        for side in sorted(sides, reverse=bool(repetition % 2)):
            if case.prepare is not None:
                case.prepare()
            found = sides[side]()
            if repetition >= 0:
                samples[side] += found
    run, floor = percentile(samples["run"]), percentile(samples.get("floor", []))
    ratio = run / floor if floor else 0.0
    return Result(case, run_wall=run, floor_wall=floor, run_cpu=0, floor_cpu=0, wall=ratio, cpu=0, reps=reps)


def percentile(samples: Sequence[float], share: float = 0.95) -> float:
    """The value that ``share`` of the samples do not exceed, as an order statistic; 0 without samples."""
    ordered = sorted(samples)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else 0.0


def _timed(work: Callable[[], Any], case: Case) -> tuple[float, float]:
    """Wall and CPU seconds. Servers renew their processes: one that came in between counts whole, one gone not."""
    if case.prepare is not None:
        case.prepare()
    pids = case.pids or (lambda: ())
    before = cpu_of(pids())
    gc.collect()
    gc.disable()
    try:
        own, wall = time.process_time(), time.perf_counter()
        work()
        wall, own = time.perf_counter() - wall, time.process_time() - own
    finally:
        gc.enable()
    others = sum(seconds - before.get(pid, 0.0) for pid, seconds in cpu_of(pids()).items())
    return wall, own + others


HEAD = ("figure", "limit (same run)", "limit ms", "ms", "per second", "x wall", "x CPU", "goal", "")


def row_of(result: Result, *, slack: float = 1.0) -> tuple[str, ...]:
    """The cells of one line of the table."""
    case = result.case
    rate = f"{case.units / result.run_wall:,.0f} {case.unit}".strip() if case.units > 1 else ""
    goals = {
        "cpu": "CPU ≤ {:g}x".format,
        "wall": "wall ≤ {:g}x".format,
        "rate": "≥ {:.0%} of its rate".format,
        "p95": "p95 ≤ {:g}x".format,
        "seconds": "p95 ≤ {:g} s".format,
    }
    goal = "" if case.goal is None else goals[case.measure](case.goal)
    verdict = "ok" if result.reached() else "ok with slack" if result.reached(slack) else "MISSED"
    if case.measure == "rate":
        verdict = f"{result.ratio:.0%} {verdict}"
    return (
        case.name,
        case.floor_name,
        f"{result.floor_wall * 1000:,.2f}" if case.floor else "",
        f"{result.run_wall * 1000:,.2f}",
        rate,
        f"{result.wall:.2f}" if result.wall else "",
        f"{result.cpu:.2f}" if result.cpu else "",
        goal,
        "" if case.goal is None else verdict,
    )


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = HEAD) -> str:
    """The lines as aligned text; columns of figures are set to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    right = {2, 3, 4, 5, 6}
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines)
