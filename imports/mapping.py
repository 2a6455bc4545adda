"""From cells to fields: which column becomes which field, guessed, chosen and applied. Pure.

A mapping is {field: rule}; a rule names a ``column`` or gives a ``constant``, and may translate ``values``
(case does not matter), multiply by ``scale``, or say that an account is found ``through`` its contract. Fields such
as ``custom.region`` land in the bag named before the point.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

Rule = dict[str, Any]
Rules = dict[str, Rule]
PRESETS = Path(__file__).parent / "presets"
_DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TargetField:
    """One field a file can fill: its label, whether a row needs it, and the headings it is known by.

    ``bag``: it is a field of the workspace's own, such as ``custom.region``, which lands in the bag of its name.
    """

    label: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    is_day: bool = False
    bag: bool = False


def plain(heading: str) -> str:
    """A heading for comparison: lower case, letters and digits only."""
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def guess(target: str, fields: Mapping[str, TargetField], headers: Sequence[str]) -> Rules:
    """The mapping of the preset all of whose columns the file has, else one by headings. Empty where nothing fits."""
    preset = next((found for found in presets(target) if set(found["columns"]) <= set(headers)), None)
    if preset is not None:
        return dict(preset["mapping"])
    known = {plain(header): header for header in headers}
    rules: Rules = {}
    used: set[str] = set()
    for name, field in fields.items():
        for alias in (name.partition(".")[2] if field.bag else name, field.label, *field.aliases):
            header = known.get(plain(alias)) if plain(alias) else None
            if header is not None and header not in used:
                rules[name] = {"column": header}
                used.add(header)
                break
    return rules


@cache
def presets(target: str) -> tuple[dict[str, Any], ...]:
    """The presets for ``target``, from ``presets/*.json``."""
    found = (json.loads(file.read_text()) for file in sorted(PRESETS.glob("*.json")))
    return tuple(preset for preset in found if preset["target"] == target)


def missing(rules: Rules, fields: Mapping[str, TargetField]) -> list[str]:
    """Required fields without a rule."""
    return [name for name, field in fields.items() if field.required and name not in rules]


def unusable(rules: Any, fields: Mapping[str, TargetField], bags: Iterable[str], headers: Sequence[str]) -> str:
    """Why ``rules`` cannot be used; empty when they can."""
    if not isinstance(rules, dict):
        return "A mapping is an object."
    for name, rule in rules.items():
        bag, point, rest = name.partition(".")
        if name not in fields and not (point and bag in bags and 0 < len(rest) <= 60):
            return f"There is no field {name[:60]}."
        if not isinstance(rule, dict) or rule.keys() - {"column", "constant", "values", "scale", "through"}:
            return f"{name}: a rule has a column or a constant, and may have values, scale and through."
        if ("column" in rule) == ("constant" in rule):
            return f"{name}: either a column or a constant."
        if "column" in rule and rule["column"] not in headers:
            return f"{name}: the file has no column {str(rule['column'])[:60]}."
        if "constant" in rule and (not isinstance(rule["constant"], str) or len(rule["constant"]) > 200):
            return f"{name}: a constant is text of up to 200 characters."
        if not isinstance(rule.get("values", {}), dict) or rule.get("through", "contract") != "contract":
            return f"{name}: values is an object, through is contract."
        if "scale" in rule and _number(str(rule["scale"])) is None:
            return f"{name}: scale is a number."
    return ""


def shape(
    rules: Rules, fields: Mapping[str, TargetField], headers: Sequence[str], cells: Sequence[str], order: str = "iso"
) -> dict[str, Any]:
    """The fields of one row. ``cells`` are as many as ``headers``."""
    row = dict(zip(headers, cells, strict=True))
    shaped: dict[str, Any] = {}
    for name, rule in rules.items():
        value = _value(rule, row)
        if name in fields and fields[name].is_day and order != "iso":
            value = iso_day(value, order)
        bag, point, rest = name.partition(".")
        if not point or (name in fields and not fields[name].bag):
            shaped[name] = value
        elif value:
            shaped.setdefault(bag, {})[rest] = value
    return shaped


def iso_day(text: str, order: str) -> str:
    """A day written day first (dmy) or month first (mdy) as ISO; anything else as it is."""
    found = _DAY.fullmatch(text)
    if found is None:
        return text
    first, second, year, rest = found.groups()
    day, month = (first, second) if order == "dmy" else (second, first)
    return f"{year}-{month:0>2}-{day:0>2}{rest}"


def _value(rule: Rule, row: Mapping[str, str]) -> str:
    if "constant" in rule:
        return str(rule["constant"])
    cell = row[rule["column"]].strip()
    translated = {key.casefold(): value for key, value in rule.get("values", {}).items()}.get(cell.casefold())
    if translated is not None:
        return str(translated)
    scale = _number(str(rule.get("scale", "")))
    amount = _number(cell) if scale is not None else None
    if scale is None or amount is None:
        return cell
    return format((amount * scale).quantize(Decimal("0.0001")).normalize(), "f")


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal(10) ** 15 else None
