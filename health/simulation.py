"""What-if for administrators: the functions the product runs, on figures that somebody typed. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from health.conditions import Facts, absences_of, accounts_where, events_of, leaves, metrics_of, named_metrics
from health.scoring import Refusal, Scorecard, Value, check_inputs, decimal, number

_ONE = 1


class InputsRefused(ValueError):
    """Inputs that cannot be taken; ``refusals`` names each with its rule."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(refusal.detail for refusal in refusals))
        self.refusals = refusals


def simulate_scorecard(card: Scorecard, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The score of ``inputs`` in the shape of INTERFACES §4; decimals are strings. Raises InputsRefused."""
    flag_metrics = set().union(*(metrics_of(flag["condition"]) for flag in card.red_flags))
    values, refusals = check_inputs(card, inputs, also=flag_metrics)
    if refusals:
        raise InputsRefused(refusals)
    facts = Facts(at=_NEVER, metrics={name: {_ONE: value} for name, value in values.items()}, measured=True)
    held = [flag["key"] for flag in card.red_flags if accounts_where(flag["condition"], facts)]
    score = card.score(values, flags=len(held))
    measures = {}
    for at, measure in enumerate(card.measures):
        points, level = score.points[at], score.levels[at]
        measures[f"{measure.dimension}.{measure.key}"] = {
            "value": None if points is None else _plain(points),
            "level": None if level is None else measure.levels[level],
        }
    return {
        "score": None if score.total is None else _plain(score.total),
        "shown": None if score.total is None else str(card.shown(score.total)),
        "band": None if score.band is None else card.bands[score.band].key,
        "band_name": None if score.band is None else card.bands[score.band].name,
        "colour": None if score.band is None else card.bands[score.band].rag,
        "coverage_pct": _plain(score.coverage),
        "dimensions": {
            part.key: None if figure is None else _plain(figure)
            for part, figure in zip(card.dimensions, score.dimensions, strict=True)
        },
        "measures": measures,
        "red_flags": held,
        "recommendations": [
            {"category": item["category"], "priority": item["priority"], "action": item["action"]}
            for item in card.recommendations_for(score.dimensions)
        ],
    }


def simulate_trigger(definition: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a trigger fires on these facts, and what it then calls for. Raises InputsRefused.

    True stands for an event that happened; a metric is taken as measured over the condition's window, severity
    and least count. Facts the condition does not read are listed as ignored.
    """
    condition = definition["condition"]
    metrics, events = named_metrics(condition), events_of(condition) | absences_of(condition)
    amounts = metrics - {leaf["metric"] for leaf in leaves(condition) if _takes_words(leaf)}
    refusals: list[Refusal] = []
    values: dict[str, dict[int, Value]] = {}
    happened: dict[str, dict[int, datetime]] = {}
    for name, given in facts.items():
        if name in metrics and name not in events:
            value = _fact(name, given, refusals)
            if isinstance(value, str) and name in amounts:
                refusals.append(Refusal(name, "number", f"{name} must be a number"))
            elif value is not None:
                values[name] = {_ONE: value}
        elif name in events:
            if not isinstance(given, bool) and given is not None:
                refusals.append(Refusal(name, "boolean", f"{name} is an event: true or false"))
            elif given:
                happened[name] = {_ONE: _NEVER}
    if refusals:
        raise InputsRefused(refusals)
    known = Facts(
        at=_NEVER,
        metrics=values,
        events=happened,
        known_since={} if happened.keys() & absences_of(condition) else {_ONE: datetime.min.replace(tzinfo=UTC)},
        measured=True,
    )
    fires = bool(accounts_where(condition, known))
    return {
        "fires": fires,
        "actions": list(definition["actions"]) if fires else [],
        "ignored": sorted(name for name in facts if name not in metrics | events),
    }


# Time does not matter to facts that are taken as measured; any fixed moment will do.
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def _fact(name: str, given: Any, refusals: list[Refusal]) -> Value | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        refusals.append(Refusal(name, "number", f"{name} is a metric: a number, or the key of a choice"))
        return None
    value = number(given)
    if value is None and isinstance(given, str) and given and not _is_no_number(given):
        return given
    if value is None:
        refusals.append(Refusal(name, "number", f"{name} must be a number"))
    return value


def _takes_words(leaf: Mapping[str, Any]) -> bool:
    """Whether a test of a metric asks for the key of a choice."""
    return "metric" in leaf and (leaf["op"] == "in" or (leaf["op"] == "==" and number(leaf["value"]) is None))


def _is_no_number(text: str) -> bool:
    """Words for what is not a number: they are no choice keys either."""
    return text.strip().lower().lstrip("+-") in {"nan", "inf", "infinity", "snan"}


def _plain(micro: int) -> str:
    return format(decimal(micro), "f")
