"""What made a CTA fire, as rows a person can read. The evidence is JSON as the rule stored it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_ROWS = 40


def evidence_rows(evidence: Any) -> list[tuple[str, str]]:
    """(label, value) pairs, nested names joined, at most MAX_ROWS. ``facts`` come first, without that word."""
    if isinstance(evidence, dict) and isinstance(evidence.get("facts"), dict):
        rest = {name: value for name, value in evidence.items() if name != "facts"}
        return [*_rows(evidence["facts"], ""), *_rows(rest, "")][:MAX_ROWS]
    return list(_rows(evidence, ""))[:MAX_ROWS]


def _rows(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _rows(inner, f"{name} · {_words(str(key))}" if name else _words(str(key)))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, inner in enumerate(value, start=1):
            yield from _rows(inner, f"{name} {number}".strip())
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value)) or "–"
    else:
        yield name, _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _words(key: str) -> str:
    words = key.replace("_pct", " %").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
