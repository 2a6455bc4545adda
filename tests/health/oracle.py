"""A second, slow scorer, written from packs/README.md alone: whole fractions, one account, no sharing of work.

Nothing here is imported from ``health``; tests compare the two.
"""

from fractions import Fraction


def fraction(raw):
    return Fraction(str(raw))


def holds(test, values):
    value, limit = values[test["metric"]], test["value"]
    if test["op"] == "in":
        return str(value) in limit
    if test["op"] == "between":
        return fraction(limit[0]) <= fraction(value) <= fraction(limit[1])
    value, limit = fraction(value), fraction(limit)
    return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit, "==": value == limit}[
        test["op"]
    ]


def measure(definition, values):
    """The measure's figure and level, or (None, None) if an input it needs is missing."""
    scoring = definition["scoring"]
    if scoring["kind"] == "levels":
        return _levels(scoring, values)
    if values.get(scoring["input"]) is None:
        return None, None
    given = values[scoring["input"]]
    if scoring["kind"] == "choice":
        return fraction(scoring["options"][given]), given
    value = fraction(given)
    if scoring["kind"] == "linear":
        return min(value / fraction(scoring["full_at"]) * 100, fraction(scoring["cap"])), None
    if scoring["kind"] == "affine":
        return (value + fraction(scoring["offset"])) * fraction(scoring["factor"]), None
    if scoring["kind"] == "direct":
        return value, None
    over = max(value - fraction(scoring["free"]), Fraction(0))
    penalty = over / fraction(scoring.get("unit_size", 1)) * fraction(scoring["per_unit"])
    return (penalty if scoring["max"] is None else min(penalty, fraction(scoring["max"]))), None


def _levels(scoring, values):
    named = {test["metric"] for level in scoring["levels"] for test in level["when"]}
    optional = set(scoring.get("optional_inputs", []))
    if any(values.get(name) is None for name in named - optional):
        return None, None
    for level in scoring["levels"]:
        if all(values.get(test["metric"]) is None or holds(test, values) for test in level["when"]):
            return fraction(level["points"]), level["level"]
    raise AssertionError("no level took the value")


def score(card, values):
    """(total or None, band key or None, coverage, dimension figures) as fractions, before any rounding."""
    figures, weights, covered, whole = {}, Fraction(0), Fraction(0), Fraction(0)
    got, most, most_there = Fraction(0), Fraction(0), Fraction(0)
    total = Fraction(0)
    for part in card["dimensions"]:
        marks = [(item, measure(item, values)[0]) for item in part["measures"]]
        there = [(item, mark) for item, mark in marks if mark is not None]
        figures[part["key"]] = _dimension(part, there)
        weight = fraction(part["weight"])
        whole += weight
        covered += weight * _share(part, marks, there)
        most += sum(fraction(item.get("points", 0)) for item, _ in marks)
        most_there += sum(fraction(item.get("points", 0)) for item, _ in there)
        got += sum(mark for _, mark in there)
        if there:
            weights += weight
            total += weight * figures[part["key"]]
    if card["method"] == "points_sum":
        coverage = most_there / most
        total = got / most_there * 100 if most_there else None
    else:
        coverage = covered / whole
        total = total / weights if weights else None
    if coverage < Fraction(1, 2):
        return None, None, coverage, figures
    band = next(item["key"] for item in card["bands"] if total >= fraction(item["min"]))
    return total, band, coverage, figures


def _dimension(part, there):
    if not there:
        return None
    if part["combine"] == "sum_points":
        return sum(mark for _, mark in there)
    if part["combine"] == "start_minus_penalties":
        return max(fraction(part["start"]) - sum(mark for _, mark in there), fraction(part["floor"]))
    equal = part["combine"] == "mean"
    weights = [Fraction(1) if equal else fraction(item["weight"]) for item, _ in there]
    figure = sum(weight * mark for weight, (_, mark) in zip(weights, there, strict=False)) / sum(weights)
    return figure if part.get("cap") is None else min(figure, fraction(part["cap"]))


def _share(part, marks, there):
    if part["combine"] in ("mean", "start_minus_penalties"):
        return Fraction(len(there), len(marks))
    return (
        sum(fraction(i["weight"]) for i, _ in there) / sum(fraction(i["weight"]) for i, _ in marks)
        if ("weight" in part["measures"][0])
        else Fraction(len(there), len(marks))
    )
