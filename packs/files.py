"""The packs on disk: reading, validating and checking what points to what. No database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from packs.sections import SECTIONS

FOLDER = Path(__file__).parent / "data"
PACK_KEYS = ("fmea", "mna", "fleet", "bis", "generic")


@dataclass(frozen=True, slots=True)
class PackProblem:
    """One mistake of a pack: where (``/tiers/0/rank``) and what."""

    pointer: str
    detail: str


class InvalidPack(ValueError):
    """The pack cannot be installed; ``problems`` lists the first 50 mistakes."""

    def __init__(self, problems: list[PackProblem]) -> None:
        self.problems = problems[:50]
        super().__init__("; ".join(f"{problem.pointer}: {problem.detail}" for problem in self.problems))


class UnknownPack(LookupError):
    """No pack of that key comes with the product."""


@cache
def load(key: str) -> dict[str, Any]:
    """The pack that comes with the product; shared, so do not change it. Raises UnknownPack."""
    if key not in PACK_KEYS:
        raise UnknownPack(key)
    definition: dict[str, Any] = json.loads((FOLDER / f"{key}.json").read_text())
    return definition


@cache
def _schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads((FOLDER / "schema.json").read_text()))


@cache
def check_shipped(key: str) -> str:
    """Check a pack that comes with the product once a process; its digest. Raises InvalidPack."""
    definition = load(key)
    check(definition)
    return digest(definition)


def digest(definition: dict[str, Any]) -> str:
    """SHA-256 of the content, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def check(definition: object) -> None:
    """Raise InvalidPack unless ``definition`` fits the schema and every reference finds its target."""
    found = [
        PackProblem("/" + "/".join(map(str, error.absolute_path)), error.message[:300])
        for error in _schema().iter_errors(definition)
    ]
    if not found and isinstance(definition, dict):
        found = [*_duplicate_keys(definition), *_dangling(definition)]
    if found:
        raise InvalidPack(found)


def _duplicate_keys(definition: dict[str, Any]) -> Iterator[PackProblem]:
    for section in SECTIONS:
        content = definition[section.key]
        if not isinstance(content, list):
            continue
        seen: set[str] = set()
        for index, entry in enumerate(content):
            key = entry.get("key") if isinstance(entry, dict) else None
            if not key:
                yield PackProblem(f"/{section.key}/{index}", "An entry needs a key.")
            elif key in seen:
                yield PackProblem(f"/{section.key}/{index}/key", f"{key!r} stands twice.")
            else:
                seen.add(key)


def _dangling(definition: dict[str, Any]) -> Iterator[PackProblem]:
    """References of tasks and items to keys that the pack does not define."""
    targets = {
        "course": _keys(definition["training"].get("courses")),
        "certification": _keys(definition["training"].get("certifications")),
        "meeting": _keys(definition["meetings"]),
        "checklist": _keys(definition["checklists"]),
    }
    for pointer, name, value in _references(definition, ""):
        known = targets[name]
        if isinstance(value, str) and value not in known:
            yield PackProblem(pointer, f"There is no {name} {value!r}.")
    calendars, tiers = _keys(definition["calendars"]), _keys(definition["tiers"]) | {"*"}
    for index, policy in enumerate(definition["sla_policies"]):
        if policy.get("calendar") and policy["calendar"] not in calendars:
            yield PackProblem(f"/sla_policies/{index}/calendar", f"There is no calendar {policy['calendar']!r}.")
        if policy.get("tier", "*") not in tiers:
            yield PackProblem(f"/sla_policies/{index}/tier", f"There is no tier {policy['tier']!r}.")


def _keys(entries: Any) -> set[str]:
    return {entry["key"] for entry in entries or [] if isinstance(entry, dict) and "key" in entry}


def _references(node: Any, pointer: str) -> Iterator[tuple[str, str, Any]]:
    """(pointer, kind, key) of every task or item that points to a course, meeting, checklist or certification."""
    if isinstance(node, list):
        for index, entry in enumerate(node):
            yield from _references(entry, f"{pointer}/{index}")
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in {"course", "meeting", "checklist", "certification"} and "title" in node:
                yield f"{pointer}/{name}", name, value
            yield from _references(value, f"{pointer}/{name}")
