"""Checks a scorecard or trigger definition before it is kept: every problem is named with its place and rule.

The shape is that of the packs' JSON Schema; here stand the rules a schema cannot say, and enough of the shape
that nothing unchecked reaches the compiler.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from health.conditions import EVENT_WINDOW_DAYS, OPERATORS, Condition
from health.scoring import KINDS, MILLION, POINTS_SUM, WEIGHTED_AVERAGE, number

COMBINES = frozenset({"sum_points", "weighted_mean", "mean", "direct", "start_minus_penalties"})
CTA_KINDS = ("risk", "opportunity", "lifecycle", "renewal", "activity")
PRIORITIES = ("high", "medium", "low")
RAGS = ("green", "yellow", "orange", "red")
_NUMBERS = {
    "linear": ("full_at",),
    "affine": ("offset", "factor"),
    "direct": (),
    "penalty": ("free", "per_unit"),
}
EVENT_KEY = re.compile(r"[a-z][a-z0-9_-]{1,79}")
_TOO_MUCH = 10**15
_MOST = {"dimensions": 20, "measures": 60, "bands": 10, "conditions": 50}


class Problem(NamedTuple):
    """One thing wrong with a definition: a JSON pointer, the rule's code, and a sentence."""

    pointer: str
    code: str
    detail: str


def scorecard_problems(definition: Any) -> list[Problem]:
    """Everything wrong with a scorecard definition; empty if it may go live."""
    if not isinstance(definition, Mapping):
        return [Problem("", "object", "a scorecard is an object")]
    return list(_unkeepable(definition)) or list(_scorecard(definition))


def trigger_problems(definition: Any) -> list[Problem]:
    """Everything wrong with a trigger definition; empty if it may go live."""
    if not isinstance(definition, Mapping):
        return [Problem("", "object", "a trigger is an object")]
    return list(_unkeepable(definition)) or list(_trigger(definition))


def _unkeepable(value: Any, at: str = "") -> Iterator[Problem]:
    """What no database or reader of JSON takes, wherever it stands: NULs and numbers beyond all measure."""
    if isinstance(value, str) and "\x00" in value:
        yield Problem(at, "control_characters", "a text cannot hold a NUL character")
    elif isinstance(value, int | float) and not abs(value) < _TOO_MUCH:
        yield Problem(at, "range", f"a number is under {_TOO_MUCH:,}")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unkeepable(str(name), at)
            yield from _unkeepable(inner, f"{at}/{name}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _unkeepable(inner, f"{at}/{place}")


def _scorecard(card: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _texts(card, ("key", "name"), "")
    if card.get("method") not in (POINTS_SUM, WEIGHTED_AVERAGE):
        yield Problem("/method", "choice", f"method must be {POINTS_SUM} or {WEIGHTED_AVERAGE}")
    if card.get("stale_policy", "count") not in ("count", "missing"):
        yield Problem("/stale_policy", "choice", "stale_policy must be count or missing")
    age = card.get("max_age_days")
    if age is not None and (not isinstance(age, int) or isinstance(age, bool) or age < 1):
        yield Problem("/max_age_days", "minimum", "max_age_days must be a whole number of days, 1 or more")
    least = card.get("min_coverage_pct")
    if least is not None and ((figure := number(least)) is None or not 1 <= figure <= 100):
        yield Problem("/min_coverage_pct", "range", "min_coverage_pct must be from 1 to 100")
    parts = card.get("dimensions")
    if not _is_list_of_objects(parts, 1, _MOST["dimensions"]):
        yield Problem("/dimensions", "list", f"a scorecard has 1 to {_MOST['dimensions']} dimensions")
        return
    yield from _unique(parts, "/dimensions")
    broken = False
    for at, part in enumerate(parts):
        for problem in _dimension(part, card.get("method"), f"/dimensions/{at}"):
            broken = True
            yield problem
    if not broken:
        yield from _weights(card, parts)
    yield from _bands(card.get("bands"))
    yield from _flags_and_recommendations(card, parts)


def _dimension(part: Mapping[str, Any], method: Any, at: str) -> Iterator[Problem]:
    yield from _texts(part, ("key", "name"), at)
    yield from _amounts(part, ("weight",), at, above_zero=True)
    yield from _amounts(part, [name for name in ("cap", "start", "floor") if part.get(name) is not None], at)
    combine = part.get("combine")
    if not isinstance(combine, str) or combine not in COMBINES:
        yield Problem(f"{at}/combine", "choice", f"combine must be one of {', '.join(sorted(COMBINES))}")
        return
    if (combine == "sum_points") != (method == POINTS_SUM):
        yield Problem(f"{at}/combine", "method", "sum_points belongs to points_sum scorecards and to no other")
    measures = part.get("measures")
    if not _is_list_of_objects(measures, 1, _MOST["measures"]):
        yield Problem(f"{at}/measures", "list", f"a dimension has 1 to {_MOST['measures']} measures")
        return
    yield from _unique(measures, f"{at}/measures")
    for place, measure in enumerate(measures):
        yield from _measure(measure, combine, f"{at}/measures/{place}")


def _measure(measure: Mapping[str, Any], combine: str, at: str) -> Iterator[Problem]:
    yield from _texts(measure, ("key", "name", "unit"), at)
    if combine == "sum_points":
        yield from _amounts(measure, ("points",), at, above_zero=True)
    elif combine in {"weighted_mean", "direct"}:
        yield from _amounts(measure, ("weight",), at, above_zero=True)
    elif "weight" in measure:
        yield from _amounts(measure, ("weight",), at)
    scoring = measure.get("scoring")
    kind = scoring.get("kind") if isinstance(scoring, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        yield Problem(f"{at}/scoring/kind", "choice", f"kind must be one of {', '.join(sorted(KINDS))}")
        return
    if (kind == "penalty") != (combine == "start_minus_penalties"):
        yield Problem(f"{at}/scoring/kind", "combine", "penalties belong to start_minus_penalties and to nothing else")
    yield from _scoring(scoring, measure, f"{at}/scoring")


def _scoring(scoring: Mapping[str, Any], measure: Mapping[str, Any], at: str) -> Iterator[Problem]:
    kind = scoring["kind"]
    if kind == "levels":
        yield from _levels(scoring, measure, at)
        return
    yield from _texts(scoring, ("input",), at)
    if kind == "choice":
        options = scoring.get("options")
        if not isinstance(options, Mapping) or len(options) < 2:
            yield Problem(f"{at}/options", "list", "a choice has at least two options")
            return
        yield from _worths(options, measure, f"{at}/options")
        return
    yield from _amounts(scoring, _NUMBERS[kind], at)
    yield from _amounts(scoring, [name for name in ("cap", "max") if scoring.get(name) is not None], at)
    for name in ("full_at", "unit_size", "factor"):
        value = number(scoring[name]) if scoring.get(name) is not None else 1
        if value is None or value <= 0:
            yield Problem(f"{at}/{name}", "minimum", f"{name} must be over 0")


def _levels(scoring: Mapping[str, Any], measure: Mapping[str, Any], at: str) -> Iterator[Problem]:
    levels = scoring.get("levels")
    if not _is_list_of_objects(levels, 2, 20):
        yield Problem(f"{at}/levels", "list", "there are 2 to 20 levels")
        return
    for place, level in enumerate(levels):
        yield from _texts(level, ("level",), f"{at}/levels/{place}")
        tests = level.get("when")
        if not isinstance(tests, Sequence) or isinstance(tests, str):
            yield Problem(f"{at}/levels/{place}/when", "list", "when is a list of tests")
            return
        for spot, test in enumerate(tests):
            yield from _metric_test(test, f"{at}/levels/{place}/when/{spot}", words=False)
    yield from _worths({str(place): level.get("points") for place, level in enumerate(levels)}, measure, f"{at}/levels")
    if levels[-1].get("when"):
        yield Problem(f"{at}/levels", "gap", "the last level takes what is left: its when must be empty")
    if not any(level.get("when") for level in levels):
        yield Problem(f"{at}/levels", "inputs", "no level reads a metric")
    optional = scoring.get("optional_inputs", [])
    if not isinstance(optional, list) or not all(isinstance(name, str) for name in optional):
        yield Problem(f"{at}/optional_inputs", "list", "optional_inputs is a list of metrics")


def _worths(worths: Mapping[str, Any], measure: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """Points of levels and options lie between 0 and the most the measure can give."""
    most = number(measure.get("points", 100))
    for name, worth in worths.items():
        value = number(worth)
        if value is None or value < 0 or (most is not None and value > most):
            yield Problem(f"{at}/{name}", "range", f"points must be from 0 to {most}")


def _weights(card: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """AMB-139: weights add to exactly 100 %, refused otherwise."""
    if card.get("method") == POINTS_SUM:
        for at, part in enumerate(parts):
            points = sum(Fraction(str(measure["points"])) for measure in part["measures"])
            if points != Fraction(str(part["weight"])):
                yield Problem(
                    f"/dimensions/{at}/weight",
                    "total",
                    f"the measures of {part['key']} have {_figure(points)} points, its weight is {part['weight']}",
                )
        whole = Fraction(100)
    else:
        whole = Fraction(1)
    total = sum(Fraction(str(part["weight"])) for part in parts)
    if total != whole:
        percent = total * 100 / whole
        yield Problem(
            "/dimensions", "total", f"the weights add to {_figure(percent)} %; they must add to exactly 100 %"
        )


def _figure(value: Fraction) -> str:
    return f"{float(value):g}"


def _bands(bands: Any) -> Iterator[Problem]:
    """Bands fall from best to worst, without a gap or an overlap, down to 0."""
    if not _is_list_of_objects(bands, 2, _MOST["bands"]):
        yield Problem("/bands", "list", f"a scorecard has 2 to {_MOST['bands']} bands")
        return
    yield from _unique(bands, "/bands")
    edges = []
    for at, band in enumerate(bands):
        yield from _texts(band, ("key", "name"), f"/bands/{at}")
        if band.get("rag") not in RAGS:
            yield Problem(f"/bands/{at}/rag", "choice", f"rag must be one of {', '.join(RAGS)}")
        edge = number(band.get("min"))
        if edge is None or not 0 <= edge <= 100 or (edge * MILLION) % 1:
            yield Problem(f"/bands/{at}/min", "range", "min must be from 0 to 100, with six decimals at most")
            return
        edges.append(edge)
    for at in range(1, len(edges)):
        if edges[at] >= edges[at - 1]:
            yield Problem(f"/bands/{at}/min", "overlap", "each band must begin below the one before it")
    if edges[-1] != 0:
        yield Problem(f"/bands/{len(edges) - 1}/min", "gap", "the last band must begin at 0")


def _flags_and_recommendations(card: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    keys = [part.get("key") for part in parts]
    flags, advice = card.get("red_flags", []), card.get("recommendations", [])
    if not _is_list_of_objects(flags, 0, 30) or not _is_list_of_objects(advice, 0, 60):
        yield Problem("/red_flags", "list", "red_flags and recommendations are lists of objects")
        return
    yield from _unique(flags, "/red_flags")
    for at, flag in enumerate(flags):
        yield from _condition(flag.get("condition"), f"/red_flags/{at}/condition")
    for at, item in enumerate(advice):
        yield from _texts(item, ("category", "priority", "action"), f"/recommendations/{at}")
        yield from _amounts(item, ("value",), f"/recommendations/{at}")
        if item.get("dimension") not in keys:
            yield Problem(f"/recommendations/{at}/dimension", "unknown", "names no dimension of this scorecard")
        if item.get("op", "<") != "<":
            yield Problem(f"/recommendations/{at}/op", "choice", "a recommendation is given strictly under its value")


def _trigger(trigger: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _texts(trigger, ("key", "name"), "")
    actions = trigger.get("actions")
    if not isinstance(actions, list) or not actions or not all(isinstance(item, str) and item for item in actions):
        yield Problem("/actions", "list", "a trigger says in at least one step what to do")
    yield from _condition(trigger.get("condition"), "/condition")
    if trigger.get("release") is not None:
        yield from _condition(trigger["release"], "/release")
    for name in ("hold_days", "reentry_days", "reentry_max"):
        value = trigger.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 3660:
            yield Problem(f"/{name}", "range", f"{name} must be a whole number from 0 to 3660")
    yield from _cta_of(trigger)
    if bool(trigger.get("reentry_days")) != bool(trigger.get("reentry_max")):
        yield Problem("/reentry_max", "pair", "reentry_max and reentry_days go together")


def _cta_of(trigger: Mapping[str, Any]) -> Iterator[Problem]:
    """What the CTA will be, where the trigger says so: kind, priority, playbook, owner, days until it is due."""
    for name, known in (("cta_kind", CTA_KINDS), ("priority", PRIORITIES)):
        if trigger.get(name) is not None and trigger[name] not in known:
            yield Problem(f"/{name}", "choice", f"{name} must be one of {', '.join(known)}")
    for name, most in (("playbook", 80), ("owner", 254), ("duplicate_key", 80)):
        value = trigger.get(name)
        if value is not None and (not isinstance(value, str) or not value.strip() or len(value) > most):
            yield Problem(f"/{name}", "text", f"{name} must be a text of at most {most} characters, or left out")
    days = trigger.get("due_days")
    if days is not None and (not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 365):
        yield Problem("/due_days", "range", "due_days must be a whole number from 1 to 365, or left out")
    raised = trigger.get("raises")
    if raised is not None and (not isinstance(raised, str) or not EVENT_KEY.fullmatch(raised)):
        yield Problem("/raises", "format", "an event is named in lower case, as in rescue_begun")
    if not isinstance(trigger.get("ignores_quiet_hours", False), bool):
        yield Problem("/ignores_quiet_hours", "boolean", "ignores_quiet_hours is true or false")


def _condition(condition: Any, at: str, depth: int = 0) -> Iterator[Problem]:
    if not isinstance(condition, Mapping):
        yield Problem(at, "object", "a condition is an object")
        return
    if depth > 5:
        yield Problem(at, "depth", "conditions may be nested five deep")
        return
    for joiner in ("any", "all"):
        if joiner in condition:
            parts = condition[joiner]
            if not _is_list_of_objects(parts, 2, _MOST["conditions"]):
                yield Problem(f"{at}/{joiner}", "list", f"{joiner} joins at least two conditions")
                return
            for place, part in enumerate(parts):
                yield from _condition(part, f"{at}/{joiner}/{place}", depth + 1)
            return
    if "event" in condition:
        yield from _texts(condition, ("event",), at)
        window = condition.get("window_days", 1)
        if not isinstance(window, int) or isinstance(window, bool) or not 1 <= window <= EVENT_WINDOW_DAYS:
            yield Problem(f"{at}/window_days", "range", f"window_days must be from 1 to {EVENT_WINDOW_DAYS}")
    elif "absent" in condition:
        yield from _texts(condition, ("absent",), at)
        days = condition.get("days")
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 3660:
            yield Problem(f"{at}/days", "range", "days must be a whole number from 1 to 3660")
    elif "segment" in condition:
        yield from _texts(condition, ("segment",), at)
    else:
        yield from _metric_test(condition, at, words=True)


def _metric_test(test: Condition, at: str, *, words: bool) -> Iterator[Problem]:
    """A test of a metric. ``words`` says whether it may compare with words as well as numbers."""
    if not isinstance(test, Mapping):
        yield Problem(at, "object", "a test is an object with metric, op and value")
        return
    yield from _texts(test, ("metric",), at)
    op, value = test.get("op"), test.get("value")
    if not isinstance(op, str) or op not in OPERATORS:
        yield Problem(f"{at}/op", "choice", f"op must be one of {', '.join(sorted(OPERATORS))}")
        return
    if op == "in":
        if not words or not isinstance(value, list) or not value:
            yield Problem(f"{at}/value", "list", "in needs a list of words")
    elif op == "between":
        ends = [number(end) for end in value] if isinstance(value, list) else []
        if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
            yield Problem(f"{at}/value", "range", "between needs two numbers, the lower first")
    elif number(value) is None and not (words and op == "==" and isinstance(value, str)):
        yield Problem(f"{at}/value", "number", "value must be a number")


def _texts(item: Mapping[str, Any], names: Sequence[str], at: str) -> Iterator[Problem]:
    for name in names:
        value = item.get(name)
        if not isinstance(value, str) or not value.strip():
            yield Problem(f"{at}/{name}", "required", f"{name} must be given")
        elif len(value) > 200:
            yield Problem(f"{at}/{name}", "length", f"{name} may have 200 characters at most")


def _amounts(item: Mapping[str, Any], names: Sequence[str], at: str, *, above_zero: bool = False) -> Iterator[Problem]:
    for name in names:
        value = number(item.get(name))
        if value is None:
            yield Problem(f"{at}/{name}", "number", f"{name} must be a number")
        elif abs(value) >= 10**9 or (value * MILLION) % 1:
            yield Problem(f"{at}/{name}", "decimals", f"{name} may have six decimals at most")
        elif above_zero and value <= 0:
            yield Problem(f"{at}/{name}", "minimum", f"{name} must be over 0")


def _unique(items: Sequence[Mapping[str, Any]], at: str) -> Iterator[Problem]:
    counts = Counter(item["key"] for item in items if isinstance(item.get("key"), str))
    for key, count in counts.items():
        if count > 1:
            yield Problem(at, "duplicate", f"the key {key} is used {count} times")


def _is_list_of_objects(items: Any, least: int, most: int) -> bool:
    return isinstance(items, list) and least <= len(items) <= most and all(isinstance(i, Mapping) for i in items)
