"""An incident's stages and the letters about it: a methodology's, or the product's own where it names none. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Stage = Mapping[str, Any]
Letter = Mapping[str, Any]

# For methodologies that say nothing of incidents.
OWN_STAGES: tuple[dict[str, str], ...] = (
    {"key": "detected", "title": "Detected", "detail": "somebody or something noticed it"},
    {"key": "investigating", "title": "Investigating", "detail": "what is broken, and for whom"},
    {"key": "identified", "title": "Identified", "detail": "the cause is known"},
    {"key": "fixing", "title": "Fixing", "detail": "the fix is made and watched"},
    {"key": "resolved", "title": "Resolved", "detail": "it works again, verified"},
    {"key": "closure", "title": "Closure", "detail": "customers agree that it works"},
    {"key": "review", "title": "Review", "detail": "lessons and prevention"},
)
OWN_LETTERS: tuple[dict[str, Any], ...] = (
    {
        "key": "incident-alert", "name": "Incident alert",
        "fields": ["issue", "affected service", "severity", "acknowledged at", "next update"],
    },
    {"key": "status-update", "name": "Status update", "fields": ["progress", "next update"]},
    {"key": "resolution-notice", "name": "Resolution notice", "fields": ["resolution", "resolved at"]},
    {
        "key": "post-incident-review", "name": "Post-incident review",
        "fields": ["root cause", "timeline", "impact", "lessons"],
    },
    {"key": "preventive-measures", "name": "Preventive measures", "fields": ["safeguards", "owner", "due date"]},
)  # fmt: skip

RESOLVE, CONFIRM, REVIEW = "resolve", "confirm", "review"
# What entering a stage of this key asks for; every other stage is only passed.
MEANINGS = {
    "resolution": RESOLVE, "validate-resolution": RESOLVE, "resolved": RESOLVE,
    "closure": CONFIRM, "customer-confirmation": CONFIRM,
    "post-mortem": REVIEW, "process-improvement": REVIEW, "review": REVIEW,
}  # fmt: skip

# The four kinds of word customers get, in order (FMEA-8.4), and the letter that is each; others are updates.
NOTICE, UPDATE, RESOLUTION, REVIEWED, PREVENTION = "notice", "update", "resolution", "review", "prevention"
KINDS = {
    "incident-alert": NOTICE,
    "status-update": UPDATE,
    "resolution-notice": RESOLUTION,
    "post-incident-review": REVIEWED,
    "preventive-measures": PREVENTION,
}
STEPS = ((NOTICE, "First notice"), (UPDATE, "Updates"), (RESOLUTION, "Resolution"), (REVIEWED, "Post-mortem"))
CONTRIBUTING = "contributing factors"


def stage_of(stages: Sequence[Stage], key: str) -> Stage:
    """The stage ``key``; an empty one where there is none."""
    return next((stage for stage in stages if stage["key"] == key), {"key": key, "title": key})


def meaning_of(key: str) -> str:
    """What entering the stage ``key`` asks for; empty for nothing."""
    return MEANINGS.get(key, "")


def place_of(stages: Sequence[Stage], key: str) -> int:
    """The index of the stage ``key``; -1 where there is none."""
    return next((place for place, stage in enumerate(stages) if stage["key"] == key), -1)


def way(stages: Sequence[Stage], current: str, wanted: str) -> list[Stage]:
    """The stages entered on the way from ``current`` forward to ``wanted``, it included; empty where it lies behind."""
    return list(stages[place_of(stages, current) + 1 : place_of(stages, wanted) + 1])


def first_meaning(stages: Sequence[Stage], meaning: str) -> str:
    """The key of the first stage that asks for ``meaning``; empty where none does."""
    return next((str(stage["key"]) for stage in stages if meaning_of(stage["key"]) == meaning), "")


def letter_of(letters: Sequence[Letter], key: str) -> Letter | None:
    """The letter ``key``; None where there is none."""
    return next((letter for letter in letters if letter["key"] == key), None)


def kind_of(key: str) -> str:
    """Which kind of word the letter ``key`` is."""
    return KINDS.get(key, UPDATE)


def review_fields(letters: Sequence[Letter]) -> list[str]:
    """The parts of a review: those of the methodology's own letter, and what contributed, after the cause."""
    found = next((letter for letter in letters if kind_of(letter["key"]) == REVIEWED), None)
    fields = list((found or OWN_LETTERS[3])["fields"])
    return fields if CONTRIBUTING in fields else [*fields[:1], CONTRIBUTING, *fields[1:]]


def body_of(values: Mapping[str, str], words: Mapping[str, str], *, opening: str = "", signed: str = "") -> str:
    """The text of a letter: a greeting, each part under its name, a signature; ``{words}`` replaced by their values."""
    parts = [opening] if opening.strip() else []
    for name, text in values.items():
        label = name[:1].upper() + name[1:]
        text = text.strip()
        parts.append(f"{label}:\n{text}" if "\n" in text or len(text) > 80 else f"{label}: {text}")
    text = "\n\n".join(["Dear {contact},", *parts, *([signed] if signed else [])])
    return replaced(text, words)


def replaced(text: str, words: Mapping[str, str]) -> str:
    """``text`` with each ``{name}`` of ``words`` replaced, once: a value that looks like a name stays as it is."""
    pieces = text.split("{")
    found = [pieces[0]]
    for piece in pieces[1:]:
        name, close, rest = piece.partition("}")
        found.append(words[name] + rest if close and name in words else "{" + piece)
    return "".join(found)
