"""The shipped packs' definitions, and inputs that reach a wanted total."""

import json
from fractions import Fraction
from itertools import product
from pathlib import Path

from tests.health import oracle

FOLDER = Path(__file__).resolve().parents[2] / "packs" / "data"
PACKS = {key: json.loads((FOLDER / f"{key}.json").read_text()) for key in ("fmea", "mna", "fleet", "bis", "generic")}
CARDS = {card["key"]: card for pack in PACKS.values() for card in pack["scorecards"]}
TRIGGERS = {f"{key}:{trigger['key']}": trigger for key, pack in PACKS.items() for trigger in pack["triggers"]}


def measures_of(card):
    return [(part, measure) for part in card["dimensions"] for measure in part["measures"]]


def best(card):
    """Inputs that give every measure its best value."""
    values = {}
    for _, measure in measures_of(card):
        scoring = measure["scoring"]
        if scoring["kind"] == "levels":
            for test in scoring["levels"][0]["when"]:
                values[test["metric"]] = "100" if test["op"] in (">", ">=") else "0"
            for level in scoring["levels"][1:]:
                for test in level["when"]:
                    values.setdefault(test["metric"], "100" if test["op"] in (">", ">=") else "0")
        elif scoring["kind"] == "choice":
            values[scoring["input"]] = max(scoring["options"], key=scoring["options"].get)
        elif scoring["kind"] == "penalty":
            values[scoring["input"]] = "0"
        else:
            values[scoring["input"]] = str(scoring.get("full_at", 100))
    return values


def reaching(card, target):
    """Inputs whose total is exactly ``target``: the best ones, with continuous measures turned down in turn."""
    if card["method"] == "points_sum":
        return _reaching_points(card, target)
    continuous = [
        (part, measure["scoring"])
        for part, measure in measures_of(card)
        if measure["scoring"]["kind"] in ("linear", "affine", "direct")
    ]
    for order in (continuous[at:] + continuous[:at] for at in range(len(continuous))):
        values = best(card)
        for _, scoring in order:
            rest = oracle.score(card, values)[0] - target
            if rest <= 0:
                break
            values[scoring["input"]] = _lowered(card, values, scoring, rest)
        if oracle.score(card, values)[0] == target:
            return values
    raise AssertionError(f"{card['key']} cannot reach {target}")


def _lowered(card, values, scoring, rest):
    """The value of one input that takes ``rest`` off the total, or its lowest; six decimals."""
    name = scoring["input"]
    low = -100 if scoring["kind"] == "affine" else 0
    high = Fraction(str(values[name]))
    worst = oracle.score(card, {**values, name: str(low)})[0]
    slope = (oracle.score(card, values)[0] - worst) / (high - low)
    value = max(high - rest / slope, Fraction(low))
    return f"{float(round(value, 6)):f}"


def _reaching_points(card, target):
    """Search the levels of a points card for a combination with these points."""
    choices = []
    for _, measure in measures_of(card):
        choices.append(list(_options(measure)))
    sums = {0: []}
    for options in choices:
        sums = {points + worth: [*chosen, values] for points, chosen in sums.items() for worth, values in options}
    chosen = sums[target]
    return {name: value for values in chosen for name, value in values.items()}


def _options(measure):
    scoring = measure["scoring"]
    if scoring["kind"] == "choice":
        return [(worth, {scoring["input"]: key}) for key, worth in scoring["options"].items()]
    names = {test["metric"] for level in scoring["levels"] for test in level["when"]}
    found = {}
    limits = sorted({float(test["value"]) for level in scoring["levels"] for test in level["when"]})
    tries = sorted({max(limit + step, 0) for limit in limits for step in (-1, -0.01, 0, 0.01, 1)})
    for combination in product(tries, repeat=len(names)):
        values = {name: f"{value:g}" for name, value in zip(sorted(names), combination, strict=False)}
        found.setdefault(oracle.measure(measure, values)[0], values)
    return [(int(points), values) for points, values in found.items()]
