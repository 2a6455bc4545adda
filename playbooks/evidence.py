"""What made a CTA fire, as a person reads it. The evidence is JSON as the rule stored it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from ui import formats, wording

MAX_ROWS = 40


def evidence_rows(evidence: Any) -> list[tuple[str, str]]:
    """(label, value) pairs, nested names joined, at most MAX_ROWS. ``facts`` come first, without that word."""
    if isinstance(evidence, dict) and isinstance(evidence.get("facts"), dict):
        rest = {name: value for name, value in evidence.items() if name != "facts"}
        return [*_rows(evidence["facts"], ""), *_rows(rest, "")][:MAX_ROWS]
    return list(_rows(evidence, ""))[:MAX_ROWS]


def _rows(value: Any, name: str, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            words = wording.titled(str(inner_key))
            yield from _rows(inner, f"{name} · {words}" if name else words, str(inner_key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, inner in enumerate(value, start=1):
            yield from _rows(inner, f"{name} {number}".strip())
    elif isinstance(value, list):
        yield name, ", ".join(map(str, value)) or "–"
    else:
        yield name, _plain(key, value)


def _plain(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    moment = _moment(value)
    if moment is not None:
        return f"{formats.day(moment.date())}, {moment:%H:%M}"
    return wording.measured(key, value)


def _moment(value: Any) -> datetime | None:
    """A stored moment in the reader's zone; None for anything else."""
    try:
        return timezone.localtime(datetime.fromisoformat(value)) if "T" in value else None
    except (TypeError, ValueError):
        return None


def evidence_sentences(evidence: Any) -> list[str]:
    """What a rule saw, as sentences: what it looks for, what it found, and what the score did. Unknown parts are left
    to ``evidence_rows``.
    """
    if not isinstance(evidence, dict):
        return []
    return [*_looked_for(evidence), *_found(evidence), *_stood(evidence), *_moved(evidence)]


def _looked_for(evidence: dict[str, Any]) -> Iterator[str]:
    condition = evidence.get("condition")
    if isinstance(condition, str) and condition:
        yield f"The rule looks for: {condition}."


def _found(evidence: dict[str, Any]) -> Iterator[str]:
    facts, events = evidence.get("facts"), evidence.get("events")
    if isinstance(facts, dict) and facts:
        told = [f"{wording.said(str(name))} was {_plain(str(name), value)}" for name, value in facts.items()]
        yield f"When it fired, {_listed(told)}."
    for name, value in events.items() if isinstance(events, dict) else ():
        moment = _moment(value)
        when = formats.day(moment.date()) if moment else str(value)
        yield f"{wording.titled(str(name))} last happened on {when}."


def _stood(evidence: dict[str, Any]) -> Iterator[str]:
    score, band = evidence.get("score"), evidence.get("band")
    if score is not None and band:
        yield f"The account's score was {_rounded(score)} then, {wording.titled(str(band))}."


def _moved(evidence: dict[str, Any]) -> Iterator[str]:
    old, new = evidence.get("old_band"), evidence.get("new_band")
    if old and new:
        before, after = _rounded(evidence.get("old_score")), _rounded(evidence.get("new_score"))
        moment = _moment(evidence.get("changed_at"))
        when = f" on {formats.day(moment.date())}" if moment else ""
        bands = f"from {wording.titled(str(old))} to {wording.titled(str(new))}"
        yield f"The account moved {bands}{when}, when the score went from {before} to {after}."
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
