"""What differs between two scorecard definitions, field by field, and whether any two are the same. Pure.

Dimensions, measures, levels, bands and flags are matched by their keys, so that one put in between does not
make all that follow look changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

# What names an item of a list, in this order of preference.
_NAMED_BY = ("key", "level", "action")
_LISTS = {"dimensions": "", "measures": "", "levels": "Level ", "bands": "Band ", "red_flags": "Red flag "}
_WORDS = {
    "rag": "colour",
    "min": "from",
    "min_coverage_pct": "least share measured",
    "stale_policy": "stale figures",
    "max_age_days": "stale after days",
    "full_at": "full at",
    "per_unit": "off for each unit",
    "unit_size": "unit size",
    "when": "tests",
}


def fingerprint(definition: Any) -> str:
    """A short name of what a definition says, by which a change in between is noticed."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]


class Difference(NamedTuple):
    """One field: the place in words from the outside in, the value before and after (None: not there)."""

    place: tuple[str, ...]
    field: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every field that differs, in the order of the later definition; empty when nothing does."""
    return list(_objects(before, after, ()))


def _objects(before: Mapping[str, Any], after: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[Difference]:
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        if old == new or name == "key":
            continue
        if name == "scoring" and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _objects(old, new, place)
        elif name == "options" and isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _objects(old, new, (*place, "Options"))
        elif _are_items(old) and _are_items(new):
            yield from _items(name, old or (), new or (), place)
        else:
            yield Difference(place, _WORDS.get(name, name.replace("_", " ")), _text(old), _text(new))


def _are_items(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) and _key(item) for item in value)
    )


def _items(
    name: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], place: tuple[str, ...]
) -> Iterator[Difference]:
    old = {_key(item): item for item in before}
    new = {_key(item): item for item in after}
    word = _LISTS.get(name, "")
    for key, item in new.items():
        label = (*place, f"{word}{_label(item)}")
        if key in old:
            yield from _objects(old[key], item, label)
        else:
            yield Difference(label, "all", None, _summary(item))
    for key, item in old.items():
        if key not in new:
            yield Difference((*place, f"{word}{_label(item)}"), "all", _summary(item), None)
    kept = [key for key in new if key in old]
    if kept != [key for key in old if key in new]:
        order = [", ".join(_label(items[key]) for key in items if key in kept) for items in (old, new)]
        yield Difference(place, f"order of {name.replace('_', ' ')}", *order)


def _key(item: Mapping[str, Any]) -> str:
    return next((str(item[name]) for name in _NAMED_BY if item.get(name)), "")


def _label(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or item.get("label") or _key(item)).replace("_", " ")


def _summary(item: Mapping[str, Any]) -> str:
    """A whole item in one line: its plain fields."""
    plain = [
        f"{_WORDS.get(name, name.replace('_', ' '))} {value}"
        for name, value in item.items()
        if name not in {"key", "name"} and isinstance(value, str | int | float)
    ]
    return ", ".join(plain) or _label(item)


def _text(value: Any) -> str | None:
    """A value in words; tests of a level as ``login_pct >= 80``."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        if {"metric", "op", "value"} <= value.keys():
            return f"{value['metric']} {value['op']} {value['value']}"
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return " and ".join(str(_text(part)) for part in value) or "none"
    return str(value)
