"""A scorecard definition as the fields of a form, and back. Pure.

Every field is called by its place in the definition, a JSON pointer: ``/dimensions/0/measures/1/points``. So a
problem that the validation finds there stands at its field, and nothing typed is lost on the way. What the
editor does not show (red flags, origins) travels along in ``_rest`` of each object.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from health.scoring import WEIGHTED_AVERAGE

REST = "_rest"
CARD = ("key", "name", "method", "min_coverage_pct", "stale_policy", "max_age_days")
DIMENSION = ("key", "name", "weight", "combine", "cap", "start", "floor")
MEASURE = ("key", "name", "unit", "points", "weight", "max_age_days")
BAND = ("key", "name", "rag", "min", "label")
LEVEL = ("level", "points")
TEST = ("metric", "op", "value")
SCORING = {
    "levels": (),
    "choice": ("input",),
    "linear": ("input", "full_at", "cap"),
    "affine": ("input", "offset", "factor"),
    "direct": ("input",),
    "penalty": ("input", "free", "per_unit", "unit_size", "max"),
}
NUMBERS = frozenset(
    "weight points cap start floor min max full_at offset factor free per_unit unit_size max_age_days"
    " min_coverage_pct value".split()
)
# An empty one of these is left out rather than kept as an empty text.
OPTIONAL = frozenset(
    "cap start floor max unit_size max_age_days min_coverage_pct label weight points stale_policy".split()
)
POINTER = re.compile(r"(/[a-z_]{1,20}(/\d{1,2})?){1,8}", re.ASCII)
# Fields that name a figure.
_FIGURES = ("/metric", "/input")
_BETWEEN = re.compile(r"\s*(?:\.\.|to|,|;)\s*")


def fields_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """Every field of the form with its text, in the order of the definition."""
    fields: dict[str, str] = {}
    shares = definition.get("method") == WEIGHTED_AVERAGE
    _put(fields, definition, "", CARD, ("dimensions", "bands"))
    for at, part in enumerate(definition.get("dimensions", ())):
        place = f"/dimensions/{at}"
        _put(fields, part, place, DIMENSION, ("measures",))
        if shares:
            fields[f"{place}/weight"] = _percent(part.get("weight"), 100)
        for spot, measure in enumerate(part.get("measures", ())):
            _put_measure(fields, measure, f"{place}/measures/{spot}")
    for at, band in enumerate(definition.get("bands", ())):
        _put(fields, band, f"/bands/{at}", BAND, ())
    return fields


def with_figure_names(fields: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The fields with figures by their names, as people choose them; one that is not known stays its key."""
    return {at: names.get(text, text) if at.endswith(_FIGURES) else text for at, text in fields.items()}


def with_figure_keys(fields: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """The way back from ``with_figure_names``, whatever the capitals; what names no figure stays as typed."""
    keys = {name.lower(): key for key, name in names.items()}
    return {at: keys.get(text.strip().lower(), text) if at.endswith(_FIGURES) else text for at, text in fields.items()}


def _put(
    fields: dict[str, str], item: Mapping[str, Any], at: str, names: tuple[str, ...], apart: tuple[str, ...]
) -> None:
    for name in names:
        fields[f"{at}/{name}"] = "" if item.get(name) is None else _plain(item[name])
    rest = {name: value for name, value in item.items() if name not in {*names, *apart}}
    fields[f"{at}/{REST}"] = json.dumps(rest, ensure_ascii=False) if rest else ""


def _put_measure(fields: dict[str, str], measure: Mapping[str, Any], at: str) -> None:
    _put(fields, measure, at, MEASURE, ("scoring",))
    scoring = measure.get("scoring") or {}
    kind = scoring.get("kind", "linear")
    fields[f"{at}/scoring/kind"] = kind
    _put(fields, scoring, f"{at}/scoring", SCORING.get(kind, ()), ("kind", "levels", "options"))
    for place, level in enumerate(scoring.get("levels", ())):
        _put(fields, level, f"{at}/scoring/levels/{place}", LEVEL, ("when",))
        for spot, test in enumerate(level.get("when", ())):
            _put(fields, test, f"{at}/scoring/levels/{place}/when/{spot}", TEST, ())
    for place, (key, points) in enumerate(scoring.get("options", {}).items()):
        fields[f"{at}/scoring/options/{place}/key"] = str(key)
        fields[f"{at}/scoring/options/{place}/points"] = _plain(points)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(_plain(part) for part in value)
    if isinstance(value, float):
        return format(Decimal(str(value)).normalize(), "f")
    return str(value)


def _percent(value: Any, factor: int) -> str:
    try:
        return format((Decimal(str(value)) * factor).normalize(), "f")
    except InvalidOperation:
        return "" if value is None else str(value)


def definition_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The definition that the fields say; what is no number stays text, for the validation to name.

    Places without a meaning are ignored. Rows keep their order; numbers of rows left out close up.
    """
    tree: dict[str, Any] = {}
    for pointer, text in fields.items():
        if POINTER.fullmatch(pointer):
            _plant(tree, pointer.split("/")[1:], text)
    card = _grown(tree)
    shares = card.get("method") == WEIGHTED_AVERAGE
    for part in card.setdefault("dimensions", []):
        if shares and isinstance(part.get("weight"), int | float):
            part["weight"] = _number(str(Fraction(str(part["weight"])) / 100), exact=True)
        for measure in part.setdefault("measures", []):
            measure["scoring"] = _scoring(measure.get("scoring") or {})
    card.setdefault("bands", [])
    return card


def doubled_options(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    """(pointer, key) of options typed a second time in the same measure: only one of them could be kept."""
    seen: set[tuple[str, str]] = set()
    found = []
    for pointer, text in fields.items():
        at, _, rest = pointer.rpartition("/options/")
        if at and rest.endswith("/key"):
            key = text.strip()
            if (at, key) in seen:
                found.append((pointer, key))
            seen.add((at, key))
    return found


def _plant(tree: dict[str, Any], path: list[str], text: str) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return
    if not isinstance(tree.get(path[-1]), dict):
        tree[path[-1]] = text


def _grown(tree: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if name == REST:
            continue
        if isinstance(value, dict):
            rows = bool(value) and all(key.isdigit() for key in value)
            found[name] = _rows(value) if rows else _grown(value)
        elif value.strip() or name not in OPTIONAL:
            found[name] = _value(name, value.strip(), tree)
    return {**found, **_rest(tree.get(REST, ""), found)}


def _rows(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows in their order; text that stands where a row belongs means nothing."""
    return [_grown(tree[key]) for key in sorted(tree, key=int) if isinstance(tree[key], dict)]


def _value(name: str, text: str, beside: Mapping[str, Any]) -> Any:
    if name == "value" and beside.get("op") == "between":
        return [_number(part) for part in _BETWEEN.split(text)]
    return _number(text) if name in NUMBERS else text


def _number(text: str, *, exact: bool = False) -> Any:
    """A JSON number where ``text`` is one, else the text itself."""
    try:
        value = Decimal(text) if not exact else Decimal(Fraction(text).numerator) / Decimal(Fraction(text).denominator)
    except InvalidOperation:
        return text
    if not value.is_finite() or abs(value) > 10**12:
        return text
    return int(value) if value == value.to_integral_value() else float(value)


def _rest(raw: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    try:
        rest = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in rest.items() if name not in known} if isinstance(rest, dict) else {}


def _scoring(scoring: dict[str, Any]) -> dict[str, Any]:
    """Only what the chosen kind reads: a kind that was changed leaves the fields of the old one behind."""
    kind = scoring.get("kind")
    mine = {"kind", *SCORING.get(str(kind), ())}
    if kind == "levels":
        left_behind = NUMBERS | {"options"}
        found = {name: value for name, value in scoring.items() if name not in left_behind}
        found["levels"] = [{**level, "when": level.get("when") or []} for level in scoring.get("levels") or []]
        return found
    found = {name: value for name, value in scoring.items() if name in mine}
    if kind == "choice":
        found["options"] = {str(row.get("key", "")): row.get("points", "") for row in scoring.get("options") or []}
    return found


# What a new row begins with.
NEW: dict[str, dict[str, Any]] = {
    "dimensions": {"key": "", "name": "", "weight": "", "measures": []},
    "measures": {
        "key": "",
        "name": "",
        "unit": "percent",
        "scoring": {"kind": "linear", "input": "", "full_at": 100, "cap": 100},
    },
    "levels": {"level": "", "points": "", "when": [{"metric": "", "op": ">=", "value": ""}]},
    "when": {"metric": "", "op": ">=", "value": ""},
    "bands": {"key": "", "name": "", "rag": "yellow", "min": ""},
}
_KIND_BEGINS: dict[str, dict[str, Any]] = {
    "levels": {"levels": [NEW["levels"], {"level": "Otherwise", "points": 0, "when": []}]},
    "choice": {"input": "", "options": {"": ""}},
    "linear": {"input": "", "full_at": 100, "cap": 100},
    "affine": {"input": "", "offset": 0, "factor": 1},
    "direct": {"input": ""},
    "penalty": {"input": "", "free": 0, "per_unit": 1, "max": 100},
}


def changed(definition: Mapping[str, Any], command: str) -> tuple[dict[str, Any], str]:
    """The definition after a row command (``add``, ``remove``, ``up``, ``kind`` and a pointer) and where it happened.

    A command that fits nowhere changes nothing.
    """
    found = copy.deepcopy(dict(definition))
    verb, _, pointer = command.partition(" ")
    if not POINTER.fullmatch(pointer):
        return found, ""
    try:
        where = _COMMANDS[verb](found, pointer.split("/")[1:])
    except (KeyError, IndexError, ValueError, TypeError):
        return copy.deepcopy(dict(definition)), ""
    return found, where


def _at(tree: Any, path: list[str]) -> Any:
    for name in path:
        tree = tree[int(name)] if isinstance(tree, list) else tree[name]
    return tree


def _add(card: dict[str, Any], path: list[str]) -> str:
    name = path[-1]
    _at(card, path[:-1]).setdefault(name, {} if name == "options" else [])
    rows = _at(card, path)
    if isinstance(rows, dict):
        rows[""] = ""
        return f"/{'/'.join(path)}/{len(rows) - 1}/key"
    new = copy.deepcopy(NEW[name])
    if name == "dimensions":
        new["combine"] = "weighted_mean" if card.get("method") == WEIGHTED_AVERAGE else "sum_points"
    # The last level and the last band take what is left; a new one goes before it.
    place = max(len(rows) - 1, 0) if name in {"levels", "bands"} else len(rows)
    rows.insert(place, new)
    first = {"levels": "level", "when": "metric"}.get(name, "name")
    return f"/{'/'.join(path)}/{place}/{first}"


def _remove(card: dict[str, Any], path: list[str]) -> str:
    rows = _at(card, path[:-1])
    if isinstance(rows, dict):
        del rows[list(rows)[int(path[-1])]]
    else:
        del rows[int(path[-1])]
    return ""


def _up(card: dict[str, Any], path: list[str]) -> str:
    rows, place = _at(card, path[:-1]), int(path[-1])
    if place:
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
    return f"/{'/'.join(path[:-1])}/{max(place - 1, 0)}/name"


def _kind(card: dict[str, Any], path: list[str]) -> str:
    measure = _at(card, path)
    kind = measure["scoring"]["kind"]
    begun = copy.deepcopy(_KIND_BEGINS[kind])
    kept = {name: measure["scoring"][name] for name in begun if measure["scoring"].get(name)}
    measure["scoring"] = {"kind": kind, **begun, **kept}
    return f"/{'/'.join(path)}/scoring/kind"


def _add_test(card: dict[str, Any], path: list[str]) -> str:
    """A level without tests has no list that a pointer could name."""
    _at(card, path).setdefault("when", [])
    return _add(card, [*path, "when"])


_COMMANDS = {"add": _add, "add-when": _add_test, "remove": _remove, "up": _up, "kind": _kind}


def with_keys(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with a key for each new dimension, measure and band, made from its name."""
    found = copy.deepcopy(dict(definition))
    groups = [found.get("dimensions", []), found.get("bands", [])]
    groups += [part.get("measures", []) for part in found.get("dimensions", [])]
    for rows in groups:
        taken = {row.get("key") for row in rows}
        for row in rows:
            if not row.get("key"):
                row["key"] = _free(_slug(row.get("name", "")), taken)
                taken.add(row["key"])
    return found


def _slug(name: Any) -> str:
    return re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-")[:50]


def _free(key: str, taken: set[Any]) -> str:
    if not key:
        return ""
    number, wanted = 2, key
    while wanted in taken:
        wanted, number = f"{key}-{number}", number + 1
    return wanted
