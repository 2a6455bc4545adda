"""The trigger editor's form: a definition as form fields, what its buttons make of it, and what was typed. Pure.

A condition is edited as groups of tests, each joined by ``all`` or ``any``; ``release`` is one such group. A test
sends ``<prefix>-<group>-<place>-what``, ``-op``, ``-value``, ``-name`` and ``-days``, and ``-keep`` with what the
editor does not show. A button sends ``do``: ``add <prefix> <group>``, ``remove <prefix> <group> <place>``,
``group``, ``save``. It works the same without script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from health.conditions import EVENT_WINDOW_DAYS, HEALTH_SCORE, Condition
from health.validation import Problem

CONDITION, RELEASE = "c", "r"
MOST_GROUPS, MOST_TESTS = 8, 12
NUMBERS = {"<": "under", "<=": "at most", ">": "over", ">=": "at least", "==": "exactly", "between": "from … to"}
CHOICES = {"in": "is one of"}
JOINS = {"any": "any of these", "all": "all of these"}
BLANK: dict[str, Any] = {"metric": HEALTH_SCORE, "op": "<", "value": ""}
_NAME = re.compile(r"([cr])-(\d{1,2})-(\d{1,2})-(what|op|value|name|days|keep)")
_KEPT = frozenset({"severity", "window_days", "compare", "min_count"})
_NUMBER_FIELDS = ("hold_days", "reentry_max", "reentry_days", "due_days")
_TEXT_FIELDS = ("cta_kind", "priority", "playbook", "owner", "duplicate_key", "raises")
_MOST_STEPS = 20
Rule = dict[str, Any]


class Figure(Protocol):
    """What the editor must know of a metric."""

    @property
    def unit(self) -> str: ...

    @property
    def options(self) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Form:
    """Everything on the page: the plain fields as typed, the condition, the release (None: none)."""

    fields: Mapping[str, Any]
    condition: Rule
    release: Rule | None


def from_definition(definition: Mapping[str, Any]) -> Form | None:
    """The form of a definition; None if its condition is nested deeper than groups of tests."""
    condition = _rule(definition["condition"]) if definition.get("condition") else _blank()
    release = _rule(definition["release"]) if definition.get("release") else None
    if condition is None or (definition.get("release") and release is None):
        return None
    fields = {name: definition.get(name, "") or "" for name in ("name", "group", *_NUMBER_FIELDS, *_TEXT_FIELDS)}
    fields["actions"] = "\n".join(definition.get("actions", ()))
    fields["ignores_quiet_hours"] = bool(definition.get("ignores_quiet_hours"))
    return Form(fields, condition, release)


def _blank() -> Rule:
    return {"join": "any", "groups": [{"join": "all", "tests": [dict(BLANK)]}]}


def _rule(condition: Condition) -> Rule | None:
    joiner = next((name for name in ("any", "all") if name in condition), None)
    if joiner is None:
        return {"join": "any", "groups": [{"join": "all", "tests": [dict(condition)]}]}
    parts = [_group(part) for part in condition[joiner]]
    if any(part is None for part in parts):
        return None
    if all(len(part["tests"]) == 1 for part in parts if part):
        return {"join": "any", "groups": [{"join": joiner, "tests": [dict(part) for part in condition[joiner]]}]}
    return {"join": joiner, "groups": parts}


def _group(part: Condition) -> Rule | None:
    joiner = next((name for name in ("any", "all") if name in part), None)
    if joiner is None:
        return {"join": "all", "tests": [dict(part)]}
    if any("any" in test or "all" in test for test in part[joiner]):
        return None
    return {"join": joiner, "tests": [dict(test) for test in part[joiner]]}


def read(data: Mapping[str, str], lists: Mapping[str, Sequence[str]], metrics: Mapping[str, Figure]) -> Form:
    """What a form sent, as far as it goes; ``lists`` are the same fields with all their values."""
    found: dict[str, dict[int, dict[int, dict[str, Any]]]] = {CONDITION: {}, RELEASE: {}}
    for name in lists:
        match = _NAME.fullmatch(name)
        if match and int(match[2]) < MOST_GROUPS and int(match[3]) < MOST_TESTS:
            part = found[match[1]].setdefault(int(match[2]), {}).setdefault(int(match[3]), {})
            part[match[4]] = list(lists[name])
    groups = {
        prefix: [
            {
                "join": _join(data.get(f"{prefix}-{at}-join", ""), "all"),
                "tests": [_test(tests[place], metrics) for place in sorted(tests)],
            }
            for at, tests in sorted(each.items())
        ]
        for prefix, each in found.items()
    }
    fields: dict[str, Any] = {
        name: data.get(name, "").strip() for name in ("name", "group", *_NUMBER_FIELDS, *_TEXT_FIELDS)
    }
    fields["actions"] = data.get("actions", "")
    fields["ignores_quiet_hours"] = data.get("ignores_quiet_hours") == "on"
    condition = {"join": _join(data.get("join", ""), "any"), "groups": groups[CONDITION]}
    release = {"join": "any", "groups": groups[RELEASE][:1]} if groups[RELEASE] else None
    return Form(fields, condition if condition["groups"] else _blank(), release)


def _join(text: str, default: str) -> str:
    return text if text in JOINS else default


def _test(part: Mapping[str, Sequence[str]], metrics: Mapping[str, Figure]) -> dict[str, Any]:
    kind, _, key = _first(part, "what").partition(":")
    if kind in {"event", "absent"}:
        test: dict[str, Any] = {kind: key or _first(part, "name").lower()}
        days = _first(part, "days")
        if kind == "absent":
            test["days"] = _whole(days)
        elif days:
            test["window_days"] = _whole(days)
        return test
    if kind == "segment":
        return {"segment": key}
    figure = metrics.get(key)
    op = _first(part, "op")
    if figure is not None and figure.options:
        known = dict(figure.options)
        return {"metric": key, "op": "in", "value": [value for value in part.get("value", ()) if value in known]}
    op = op if op in NUMBERS else "<"
    value = _first(part, "value")
    return {"metric": key, "op": op, "value": _ends(value) if op == "between" else _figure(value), **_kept(part)}


def _kept(part: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What the editor carries along without showing it: severities, windows and least counts of a metric."""
    try:
        kept = json.loads(_first(part, "keep") or "{}")
    except ValueError:
        return {}
    if not isinstance(kept, dict):
        return {}
    return {
        name: value
        for name, value in kept.items()
        if name in _KEPT and (isinstance(value, int | str) or (isinstance(value, list) and len(value) < 20))
    }


def _first(part: Mapping[str, Sequence[str]], name: str) -> str:
    values = part.get(name) or [""]
    return values[0].strip()


def _whole(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def _figure(text: str) -> Any:
    """A number as JSON writes it, or what was typed."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite() or abs(value) > 10**12:
        return text
    return int(value) if value == value.to_integral_value() else float(value)


def _ends(text: str) -> Any:
    return [_figure(end) for end in re.split(r"\s*(?:,|;|…|\bto\b)\s*|\s+", text) if end]


def after(form: Form, do: str) -> Form:
    """The form after a button. What makes no sense changes nothing."""
    verb, *rest = do.split() or [""]
    prefix = rest[0] if rest and rest[0] in {CONDITION, RELEASE} else CONDITION
    places = [int(each) for each in rest[1:] if each.isascii() and each.isdigit()]
    rule = form.condition if prefix == CONDITION else form.release
    if verb == "release" and form.release is None:
        return Form(form.fields, form.condition, _blank())
    if rule is None:
        return form
    groups = [{**group, "tests": list(group["tests"])} for group in rule["groups"]]
    if verb == "group" and len(groups) < MOST_GROUPS and prefix == CONDITION:
        groups.append({"join": "all", "tests": [dict(BLANK)]})
    elif verb == "add" and places and places[0] < len(groups) and len(groups[places[0]]["tests"]) < MOST_TESTS:
        groups[places[0]]["tests"].append(dict(BLANK))
    elif verb == "remove" and len(places) == 2 and places[0] < len(groups):
        group = groups[places[0]]
        group["tests"] = [test for at, test in enumerate(group["tests"]) if at != places[1]]
        groups = [each for each in groups if each["tests"]]
    changed: Rule | None = {**rule, "groups": groups} if groups else None
    if prefix == RELEASE:
        return Form(form.fields, form.condition, changed)
    return Form(form.fields, changed or _blank(), form.release)


def definition_of(form: Form, base: Mapping[str, Any], segments: Mapping[str, str]) -> dict[str, Any]:
    """The definition that a form says, unchecked; what the editor does not know stays as in ``base``."""
    definition = {name: value for name, value in base.items() if name not in _shown()}
    definition["name"] = form.fields["name"]
    if form.fields["group"]:
        definition["group"] = form.fields["group"]
    definition["condition"] = _condition(form.condition, segments)
    if form.release is not None:
        definition["release"] = _condition(form.release, segments)
    steps = [line.strip() for line in str(form.fields["actions"]).splitlines()]
    definition["actions"] = [line for line in steps if line][:_MOST_STEPS]
    for name in _NUMBER_FIELDS:
        if form.fields[name] not in ("", None):
            definition[name] = _whole(str(form.fields[name]))
    definition |= {name: form.fields[name] for name in _TEXT_FIELDS if form.fields[name]}
    if form.fields["ignores_quiet_hours"]:
        definition["ignores_quiet_hours"] = True
    return definition


def _shown() -> set[str]:
    plain = {"name", "group", "condition", "release", "actions", "ignores_quiet_hours"}
    return plain | set(_NUMBER_FIELDS) | set(_TEXT_FIELDS)


def _condition(rule: Rule, segments: Mapping[str, str]) -> Condition:
    groups = []
    for group in rule["groups"]:
        tests = [
            {**test, "name": segments.get(test["segment"], test["segment"])} if "segment" in test else test
            for test in group["tests"]
        ]
        groups.append(tests[0] if len(tests) == 1 else {group["join"]: tests})
    return groups[0] if len(groups) == 1 else {rule["join"]: groups}


@dataclass(frozen=True, slots=True)
class Line:
    """One test as the editor draws it."""

    id: str
    place: int
    what: str
    kind: str
    name: str = ""
    unit: str = ""
    operators: tuple[tuple[str, str], ...] = ()
    op: str = ""
    options: tuple[tuple[str, str, bool], ...] = ()
    value: str = ""
    days: str = ""
    most_days: int = 3660
    keep: str = ""
    note: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group of tests as the editor draws it."""

    prefix: str
    place: int
    join: str
    lines: list[Line] = field(default_factory=list)


def drawn(rule: Rule | None, prefix: str, metrics: Mapping[str, Figure], problems: Sequence[Problem]) -> list[Group]:
    """The groups of ``rule`` with what is wrong with each test."""
    if rule is None:
        return []
    root = "/condition" if prefix == CONDITION else "/release"
    groups = []
    for at, group in enumerate(rule["groups"]):
        inside = root if len(rule["groups"]) == 1 else f"{root}/{rule['join']}/{at}"
        lines = []
        for place, test in enumerate(group["tests"]):
            pointer = inside if len(group["tests"]) == 1 else f"{inside}/{group['join']}/{place}"
            errors = tuple(each.detail for each in problems if f"{each.pointer}/".startswith(f"{pointer}/"))
            lines.append(_line(f"{prefix}-{at}-{place}", place, test, metrics, errors))
        groups.append(Group(prefix, at, group["join"], lines))
    return groups


def _line(
    name: str, place: int, test: Mapping[str, Any], metrics: Mapping[str, Figure], errors: tuple[str, ...]
) -> Line:
    if "event" in test:
        days = str(test.get("window_days", ""))
        return Line(
            name, place, f"event:{test['event']}", "event", name=test["event"], days=days, most_days=EVENT_WINDOW_DAYS,
            errors=errors,
        )  # fmt: skip
    if "absent" in test:
        days = str(test.get("days", ""))
        return Line(name, place, f"absent:{test['absent']}", "absent", name=test["absent"], days=days, errors=errors)
    if "segment" in test:
        return Line(name, place, f"segment:{test['segment']}", "segment", errors=errors)
    key, value = test.get("metric", ""), test.get("value", "")
    figure = metrics.get(key)
    if figure is not None and figure.options:
        chosen = set(map(str, value)) if isinstance(value, list) else {str(value)}
        options = tuple((option, label, option in chosen) for option, label in figure.options)
        return Line(
            name, place, f"metric:{key}", "choice", operators=tuple(CHOICES.items()), op="in", options=options,
            errors=errors,
        )  # fmt: skip
    kept = {each: test[each] for each in sorted(_KEPT & test.keys())}
    return Line(
        name,
        place,
        f"metric:{key}",
        "number",
        unit=figure.unit if figure else "",
        operators=tuple(NUMBERS.items()),
        op=test.get("op", "<"),
        value=" to ".join(map(str, value)) if isinstance(value, list) else str(value),
        keep=json.dumps(kept) if kept else "",
        note=_note(kept),
        errors=errors,
    )


def _note(kept: Mapping[str, Any]) -> str:
    """What the test says besides, in words."""
    parts = []
    if "severity" in kept:
        parts.append(f"of severity {' or '.join(map(str, kept['severity']))}")
    if "window_days" in kept:
        parts.append(f"over {kept['window_days']} days")
    if "compare" in kept:
        parts.append("against the days before")
    if "min_count" in kept:
        parts.append(f"counted {kept['min_count']} times at least")
    return ", ".join(parts)
