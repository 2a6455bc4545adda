"""Which metrics a pack's scorecards and triggers ask for, and which values each may take. No Django."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from health.conditions import HEALTH_BAND, HEALTH_CHANGE, HEALTH_SCORE
from ui import wording

# The product works these out itself; nobody states them.
DERIVED = frozenset({HEALTH_BAND, HEALTH_SCORE, HEALTH_CHANGE, "days_to_renewal"})
FULL = 100


@dataclass(frozen=True, slots=True)
class InputMetric:
    """One metric: number within bounds (None: none), or a choice of ``options``."""

    key: str
    name: str
    unit: str = ""
    options: tuple[str, ...] = ()
    lowest: int | None = None
    highest: int | None = None
    description: str = field(default="", compare=False)


def input_metrics(definition: dict[str, Any]) -> list[InputMetric]:
    """Every metric that ``definition``'s scorecards and triggers read from outside, once, by key.

    Values below zero or over 100 % are refused, except over 100 where the formula caps (AMB-123); a net
    promoter score lies between -100 and 100; a change has no bounds.
    """
    found: dict[str, InputMetric] = {}
    for metric in (*_of_scorecards(definition), *_of_conditions(definition)):
        known = found.get(metric.key)
        if known is None:
            found[metric.key] = metric
        elif known.highest is not None and metric.highest is None and metric.unit:
            found[metric.key] = replace(known, highest=None)
    return [found[key] for key in sorted(found) if key not in DERIVED]


def _of_scorecards(definition: dict[str, Any]) -> Iterator[InputMetric]:
    for scorecard in definition["scorecards"]:
        for dimension in scorecard["dimensions"]:
            for measure in dimension["measures"]:
                yield from _of_measure(measure)


def _of_measure(measure: dict[str, Any]) -> Iterator[InputMetric]:
    scoring = measure["scoring"]
    named = [condition["metric"] for level in scoring.get("levels", []) for condition in level["when"]]
    keys = list(dict.fromkeys([scoring["input"]] if "input" in scoring else named))
    for key in keys:
        name = measure["name"] if len(keys) == 1 else wording.titled(key)
        lowest, highest = _bounds(key, measure["unit"], capped=scoring["kind"] == "linear")
        options = tuple(scoring.get("options", ()))
        if options:
            yield InputMetric(key, name, measure["unit"], options)
        else:
            yield InputMetric(key, name, measure["unit"], (), lowest, highest)


def _of_conditions(definition: dict[str, Any]) -> Iterator[InputMetric]:
    flags = [flag for scorecard in definition["scorecards"] for flag in scorecard["red_flags"]]
    for owner in (*definition["triggers"], *flags):
        for key in _metrics_in(owner["condition"]):
            lowest = None if _may_fall(key) else 0
            unit = "percent" if wording.figure(key).unit == "%" else ""
            yield InputMetric(key, wording.titled(key), unit, (), lowest, None)


def _metrics_in(condition: Any) -> Iterator[str]:
    if isinstance(condition, dict):
        if "metric" in condition:
            yield condition["metric"]
        for part in (*condition.get("any", ()), *condition.get("all", ())):
            yield from _metrics_in(part)


def _bounds(key: str, unit: str, *, capped: bool) -> tuple[int | None, int | None]:
    if unit == "nps":
        return -FULL, FULL
    if _may_fall(key):
        return None, None
    if unit in {"percent", "score"} and not capped:
        return 0, FULL
    return 0, None


def _may_fall(key: str) -> bool:
    return "change" in key.split("_") or key == "nps"
