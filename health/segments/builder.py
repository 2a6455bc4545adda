"""The rule builder's form: a rule as form fields, its buttons, and what they make of it. Nothing is stored here.

A condition sends ``c-<group>-<place>-field``, ``-op`` and ``-value``; a group ``g-<group>-join``. A button sends
``do``: ``add:<group>``, ``remove:<group>:<place>``, ``group`` or ``save``. It works the same without script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from health.segments.rules import (
    CHOICE,
    EMPTY,
    FILLED,
    MOST_CONDITIONS,
    MOST_GROUPS,
    OPERATORS,
    RuleField,
)

_NAME = re.compile(r"c-(\d{1,2})-(\d{1,2})-(field|op|value)")
BLANK: dict[str, Any] = {"join": "all", "groups": [{"join": "all", "conditions": [{"field": "arr", "op": ">="}]}]}


def read(data: QueryDict, fields: Mapping[str, RuleField]) -> dict[str, Any]:
    """The rule that a form sent, as far as it goes: unchecked, with an operator that suits each field."""
    found: dict[int, dict[int, dict[str, Any]]] = {}
    for name in data:
        match = _NAME.fullmatch(name)
        if match and int(match[1]) < MOST_GROUPS and int(match[2]) < MOST_CONDITIONS:
            part = found.setdefault(int(match[1]), {}).setdefault(int(match[2]), {})
            part[match[3]] = data.getlist(name)
    groups = []
    for at in sorted(found):
        conditions = [_condition(found[at][place], fields) for place in sorted(found[at])]
        groups.append({"join": _join(data.get(f"g-{at}-join", "")), "conditions": conditions})
    return {"join": _join(data.get("join", "")), "groups": groups or BLANK["groups"]}


def _join(text: str) -> str:
    return text if text in {"all", "any"} else "all"


def _condition(part: Mapping[str, list[str]], fields: Mapping[str, RuleField]) -> dict[str, Any]:
    key = part.get("field", [""])[0]
    field = fields.get(key)
    op = part.get("op", [""])[0]
    if field is not None and op not in OPERATORS[field.kind]:
        op = next(iter(OPERATORS[field.kind]))
    values = [value for value in part.get("value", []) if value]
    if field is not None and field.kind == CHOICE:
        known = dict(field.options)
        value: Any = [each for each in values if each in known]
    else:
        value = values[0] if values else ""
    condition: dict[str, Any] = {"field": key, "op": op}
    return condition if op in {EMPTY, FILLED} else condition | {"value": value}


def after(rule: dict[str, Any], do: str) -> dict[str, Any]:
    """``rule`` after a button: a condition more or less, or a group more. What makes no sense changes nothing."""
    groups = [{**group, "conditions": list(group["conditions"])} for group in rule["groups"]]
    verb, *places = do.split(":")
    blank = {"field": "arr", "op": ">=", "value": ""}
    if verb == "group" and len(groups) < MOST_GROUPS:
        groups.append({"join": "all", "conditions": [blank]})
    elif verb in {"add", "remove"} and places and all(place.isascii() and place.isdigit() for place in places):
        at = int(places[0])
        if verb == "add" and at < len(groups) and len(groups[at]["conditions"]) < MOST_CONDITIONS:
            groups[at]["conditions"].append(blank)
        elif verb == "remove" and len(places) == 2 and at < len(groups):
            groups[at]["conditions"] = [c for n, c in enumerate(groups[at]["conditions"]) if n != int(places[1])]
            groups = [group for group in groups if group["conditions"]] or list(BLANK["groups"])
    return {**rule, "groups": groups}


@dataclass(frozen=True, slots=True)
class Line:
    """One condition as the builder draws it."""

    place: int
    field: str
    kind: str
    unit: str
    operators: tuple[tuple[str, str], ...]
    op: str
    options: tuple[tuple[str, str, bool], ...]
    value: str


def drawn(rule: Mapping[str, Any], fields: Mapping[str, RuleField]) -> list[tuple[int, str, list[Line]]]:
    """The groups of ``rule`` as (place, join, lines)."""
    return [
        (at, group["join"], [_line(place, each, fields) for place, each in enumerate(group["conditions"])])
        for at, group in enumerate(rule["groups"])
    ]


def _line(place: int, condition: Mapping[str, Any], fields: Mapping[str, RuleField]) -> Line:
    field = fields.get(condition["field"]) or next(iter(fields.values()))
    value = condition.get("value", "")
    chosen = set(value) if isinstance(value, list) else set()
    operators = tuple(OPERATORS[field.kind].items())
    op = condition["op"] if condition["op"] in OPERATORS[field.kind] else operators[0][0]
    return Line(
        place=place,
        field=field.key,
        kind=field.kind,
        unit="days" if field.kind == "days" else field.unit,
        operators=operators,
        op=op,
        options=tuple((key, name, key in chosen) for key, name in field.options),
        value="" if isinstance(value, list) else str(value),
    )


def grouped(fields: Mapping[str, RuleField]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The fields under their headings, as the builder's select offers them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for field in fields.values():
        found.setdefault(field.group, []).append((field.key, field.label))
    return list(found.items())
