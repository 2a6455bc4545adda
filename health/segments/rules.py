"""The shape of a segment's rule. Pure: what fields there are comes from the caller.

A rule joins groups, a group joins conditions, each by ``all`` or ``any``:

    {"join": "all", "groups": [{"join": "any", "conditions": [{"field": "arr", "op": ">=", "value": "50000"}]}]}

An account about which a figure is not known meets no test of it, except that it is empty. A choice or text that
is empty is not any of the values, so ``not_in`` and ``is_not`` hold for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_GROUPS, MOST_CONDITIONS, MOST_VALUES = 8, 12, 60
LONGEST_TEXT = 120
NUMBER, DAYS, CHOICE, TEXT, DATE = "number", "days", "choice", "text", "date"
EMPTY, FILLED = "empty", "filled"
_EITHER = {EMPTY: "is not known", FILLED: "is known"}
_SIZES = {">=": "at least", "<=": "at most", ">": "over", "<": "under", "=": "exactly", "!=": "not"}
OPERATORS: Mapping[str, Mapping[str, str]] = {
    NUMBER: {**_SIZES, **_EITHER},
    DAYS: {**_SIZES, **_EITHER},
    CHOICE: {"in": "is", "not_in": "is not", **_EITHER},
    DATE: {">=": "on or after", "<=": "on or before", ">": "after", "<": "before", "=": "on", **_EITHER},
    TEXT: {"is": "is", "is_not": "is not", "contains": "contains", **_EITHER},
}
JOINS = {"all": "all of these", "any": "any of these"}
Rule = Mapping[str, Any]
Condition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleField:
    """One thing a condition may test. ``options`` are the values of a choice; ``group`` heads it in the builder."""

    key: str
    label: str
    kind: str
    group: str
    options: tuple[tuple[str, str], ...] = ()
    unit: str = ""


class RuleError(ValueError):
    """A rule breaks its shape; ``where`` is a JSON pointer into it, the message is for a person."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


def checked(rule: Any, fields: Mapping[str, RuleField]) -> dict[str, Any]:
    """``rule`` in its canonical shape. Raises RuleError naming the place and what is wrong there."""
    if not isinstance(rule, Mapping) or rule.keys() - {"join", "groups"}:
        raise RuleError("", "A rule has a join and groups.")
    groups = rule.get("groups")
    if not isinstance(groups, Sequence) or isinstance(groups, str) or not 1 <= len(groups) <= MOST_GROUPS:
        raise RuleError("/groups", f"Between 1 and {MOST_GROUPS} groups.")
    return {
        "join": _join(rule, ""),
        "groups": [_group(group, f"/groups/{at}", fields) for at, group in enumerate(groups)],
    }


def is_test_of(condition: Condition, field: RuleField) -> bool:
    """Whether ``condition``, which was checked once, still tests ``field`` by what it is now: kind, op and value."""
    try:
        _condition(condition, "", {field.key: field})
    except RuleError:
        return False
    return True


def _join(part: Mapping[str, Any], where: str) -> str:
    join = part.get("join", "all")
    if join not in JOINS:
        raise RuleError(f"{where}/join", "One of all, any.")
    return str(join)


def _group(group: Any, where: str, fields: Mapping[str, RuleField]) -> dict[str, Any]:
    if not isinstance(group, Mapping) or group.keys() - {"join", "conditions"}:
        raise RuleError(where, "A group has a join and conditions.")
    conditions = group.get("conditions")
    if not isinstance(conditions, Sequence) or isinstance(conditions, str):
        raise RuleError(f"{where}/conditions", "This must be a list.")
    if not 1 <= len(conditions) <= MOST_CONDITIONS:
        raise RuleError(f"{where}/conditions", f"Between 1 and {MOST_CONDITIONS} conditions.")
    return {
        "join": _join(group, where),
        "conditions": [_condition(each, f"{where}/conditions/{at}", fields) for at, each in enumerate(conditions)],
    }


def _condition(condition: Any, where: str, fields: Mapping[str, RuleField]) -> dict[str, Any]:
    if not isinstance(condition, Mapping) or condition.keys() - {"field", "op", "value"}:
        raise RuleError(where, "A condition has a field, an op and a value.")
    name, op = condition.get("field"), condition.get("op")
    field = fields.get(name) if isinstance(name, str) else None
    if field is None:
        raise RuleError(f"{where}/field", "Choose what to test.")
    if not isinstance(op, str) or op not in OPERATORS[field.kind]:
        raise RuleError(f"{where}/op", f"One of {', '.join(OPERATORS[field.kind])}.")
    if op in _EITHER:
        return {"field": field.key, "op": op}
    return {"field": field.key, "op": op, "value": _value(field, condition.get("value"), f"{where}/value")}


def _value(field: RuleField, raw: Any, where: str) -> Any:
    if field.kind == CHOICE:
        return _choices(field, raw, where)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise RuleError(where, f"{field.label}: enter a value.")
    text = str(raw).strip()
    if field.kind == TEXT:
        if not text or len(text) > LONGEST_TEXT or "\x00" in text:
            raise RuleError(where, f"{field.label}: enter between 1 and {LONGEST_TEXT} characters.")
        return text
    return _day(field, text, where) if field.kind == DATE else _number(field, text, where)


def _day(field: RuleField, text: str, where: str) -> str:
    try:
        value = date.fromisoformat(text)
        if not 1900 <= value.year < 2200:
            raise ValueError
    except ValueError as error:
        raise RuleError(where, f"{field.label}: enter a day such as 2026-11-24.") from error
    return value.isoformat()


def _choices(field: RuleField, raw: Any, where: str) -> list[str]:
    values = [raw] if isinstance(raw, str) else raw
    known = dict(field.options)
    if not isinstance(values, Sequence) or not values or len(values) > MOST_VALUES:
        raise RuleError(where, f"{field.label}: choose at least one.")
    if any(not isinstance(value, str) or value not in known for value in values):
        raise RuleError(where, f"{field.label}: choose from the list.")
    return sorted(set(values))


def _number(field: RuleField, text: str, where: str) -> str:
    try:
        value = Decimal(text)
        if not value.is_finite() or abs(value) >= Decimal(10) ** 12 or len(text) > 24:
            raise ValueError
    except (InvalidOperation, ValueError) as error:
        raise RuleError(where, f"{field.label}: enter a number.") from error
    if field.kind == DAYS and (value != value.to_integral_value() or abs(value) > 36_500):
        raise RuleError(where, f"{field.label}: enter whole days.")
    return f"{value.normalize():f}"


def conditions_of(rule: Rule) -> list[Condition]:
    """Every condition of a checked rule, in order."""
    return [condition for group in rule["groups"] for condition in group["conditions"]]


def in_words(rule: Rule, fields: Mapping[str, RuleField]) -> str:
    """A checked rule as a sentence part; a field that is gone keeps its key."""
    parts = []
    for group in rule["groups"]:
        words = (" and " if group["join"] == "all" else " or ").join(
            condition_in_words(each, fields) for each in group["conditions"]
        )
        parts.append(f"({words})" if len(group["conditions"]) > 1 and len(rule["groups"]) > 1 else words)
    return (" and " if rule["join"] == "all" else " or ").join(parts)


def condition_in_words(condition: Condition, fields: Mapping[str, RuleField]) -> str:
    """One condition as words: ``ARR at least 50000``."""
    field = fields.get(condition["field"])
    if field is None:
        return f"{condition['field']} {condition['op']}"
    words = f"{field.label} {OPERATORS[field.kind][condition['op']]}"
    value = condition.get("value")
    if value is None:
        return words
    if isinstance(value, list):
        names = dict(field.options)
        return f"{words} {' or '.join(names.get(each, each) for each in value)}"
    return f"{words} {value}{' days' if field.kind == DAYS else f' {field.unit}' if field.unit else ''}"
