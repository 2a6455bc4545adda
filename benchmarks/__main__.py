"""``python -m benchmarks [area …] [--size S] [--reps 7] [--check] [--json FILE]``: one table of figures."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.bench import SIZES, Bench, bench_database, prepare_database
from benchmarks.harness import HEAD, Result, measure, row_of, table

AREAS = (
    "ingest", "rollups", "recompute", "backtest", "delay", "pages", "statements", "work", "everypage", "tenancy",
    "deadlines", "desk", "queue",
)  # fmt: skip
# Minutes long: not for every change.
CHECKED = tuple(area for area in AREAS if area not in {"backtest", "delay", "everypage"})
# A small, busy machine that checks every change gets this much more room than the goals; what others do on it moves
# the clock far more than the CPU that is counted.
CHECK_SLACK = {"cpu": 2.0, "wall": 4.0, "rate": 4.0, "p95": 4.0, "seconds": 4.0}


def main(arguments: list[str] | None = None) -> int:
    """Measure the chosen areas; 1 when ``--check`` finds a goal missed."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("areas", nargs="*", default=[], help=f"of {', '.join(AREAS)}; default: all")
    parser.add_argument("--size", choices=sorted(SIZES), help="accounts: S 1,000, M 10,000, L 100,000")
    parser.add_argument("--reps", type=int, help="pairs per case")
    parser.add_argument("--check", action="store_true", help="small and quick; fail when a goal is missed by far")
    parser.add_argument("--json", type=Path, help="write the results to this file as well")
    options = parser.parse_args(arguments)
    unknown = set(options.areas) - set(AREAS)
    if unknown:
        parser.error(f"unknown area: {', '.join(sorted(unknown))}")
    size = options.size or ("S" if options.check else "M")
    reps = options.reps or (3 if options.check else 7)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with bench_database():
        results = run(options.areas or (CHECKED if options.check else AREAS), size=size, reps=reps)
    print()
    slack = CHECK_SLACK if options.check else {}
    print(table([row_of(result, slack=slack.get(result.case.measure, 1.0)) for result in results], HEAD))
    if options.json:
        options.json.write_text(json.dumps([result.as_json() for result in results], indent=1) + "\n")
    missed = [result for result in results if not result.reached(slack.get(result.case.measure, 1.0))]
    return 1 if options.check and missed else 0


def run(areas: Sequence[str], *, size: str, reps: int) -> list[Result]:
    """Every case of the areas, measured one after the other, with a line of progress each."""
    import django

    django.setup()
    from django.db import connections

    bench = Bench(size, dt.datetime.now(dt.UTC))
    prepare_database(bench)
    results = []
    try:
        for area in areas:
            for case in import_module(f"benchmarks.{area}").cases(bench):
                result = measure(case, reps=reps)
                results.append(result)
                print(f"{area}: {case.name}: {result.ratio:.2f}", file=sys.stderr)
    finally:
        connections.close_all()
    return results


if __name__ == "__main__":
    # Whoever runs out of patience ends us with SIGTERM: the workers and servers a case has started end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
