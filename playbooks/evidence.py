"""What made a CTA fire, as rows a person can read. The evidence is JSON as the rule stored it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ui import formats

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


def evidence_sentences(evidence: Any) -> list[str]:
    """What a rule saw, as sentences: what it looks for, what it found, and what the score did. Unknown parts are left
    to ``evidence_rows``.
    """
    if not isinstance(evidence, dict):
        return []
    return [*_looked_for(evidence), *_found(evidence), *_moved(evidence)]


def _looked_for(evidence: dict[str, Any]) -> Iterator[str]:
    condition = evidence.get("condition")
    if isinstance(condition, str) and condition:
        yield f"The rule looks for: {condition}."


def _found(evidence: dict[str, Any]) -> Iterator[str]:
    facts, events = evidence.get("facts"), evidence.get("events")
    if isinstance(facts, dict) and facts:
        told = [f"{_words(str(name)).lower()} was {formats.reading(_plain(value))}" for name, value in facts.items()]
        yield f"When it fired, {_listed(told)}."
    for name, moment in events.items() if isinstance(events, dict) else ():
        yield f"{_words(str(name))} last happened on {str(moment)[:10]}."


def _moved(evidence: dict[str, Any]) -> Iterator[str]:
    old, new = evidence.get("old_band"), evidence.get("new_band")
    if old and new:
        before, after = _rounded(evidence.get("old_score")), _rounded(evidence.get("new_score"))
        bands = f"from {_words(str(old))} to {_words(str(new))}"
        yield f"The account moved {bands}, when the score went from {before} to {after}."
    changes = evidence.get("changes")
    if isinstance(changes, list) and changes:
        yield f"What moved most: {_listed([str(change) for change in changes[:4]])}."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _rounded(value: Any) -> str:
    try:
        return f"{float(value):.1f}".removesuffix(".0")
    except (TypeError, ValueError):
        return "no score"
