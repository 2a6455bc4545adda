"""Keys of figures, events and choices as people say them: one lexicon for conditions, evidence, rules and forms. Pure.

A key is lower-case words: ``sla_elapsed_pct`` is said ``SLA elapsed`` and read in per cent. What a workspace names
itself has its own name; this is for keys that nobody named, and for sentences written without a look-up.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ui import formats

_SPOKEN = {
    "avg": "average", "vs": "against", "exec": "executive", "month": "a month", "monthly": "a month",
    "weekly": "a week", "quarterly": "a quarter", "2plus": "two or more", "3plus": "three or more",
    **{word: word.upper() for word in "api arr cac crm csat csm ebr grr kpi mrr nps nrr qbr roi sla sso xla".split()},
    "cta": "CTA", "ctas": "CTAs",
}  # fmt: skip
_TOKEN = re.compile(r"(s[1-9])|(\d+)d")
# The end of a key that is its unit: what is said in its stead, and the unit.
_ENDS = (
    ("_pct", "", "%"), ("_percentage", "", "%"), ("_points", "", "points"), ("_days", " time", "days"),
    ("_hours", " time", "hours"), ("_minutes", " time", "minutes"), ("_seconds", " time", "seconds"),
)  # fmt: skip
# Keys whose words would mislead.
_NAMED = {
    "active_days": ("active days", ""),
    "feature_adoption_rate": ("feature adoption", "%"),
    "health_score_change": ("score change in 30 days", "points"),
    "login_frequency_weekly": ("logins of a user in a week", ""),
    "login_pct": ("users who log in", "%"),
    "mobile_pct": ("users on mobile", "%"),
    "response_pct": ("answers to outreach", "%"),
    "sla_elapsed_pct": ("SLA time used", "%"),
    "usage_30d": ("usage in 30 days", ""),
    "users_2plus_features_pct": ("users of two or more features", "%"),
    "users_3plus_features_pct": ("users of three or more features", "%"),
    "value_target_pct": ("value target reached", "%"),
}
_UNITS = {
    "percent": "%", "score": "points", "multiple": "×", "tickets_per_month": "tickets a month",
    "per_user_week": "per user and week", "per_quarter": "per quarter", "nps": "", "choice": "", "count": "",
    "ratio": "", "flag": "",
}  # fmt: skip


class Figure(NamedTuple):
    """How a figure is called in the middle of a sentence, and what follows its readings (often nothing)."""

    name: str
    unit: str


@lru_cache(maxsize=1024)
def figure(key: str) -> Figure:
    """The figure of ``key``; ``open_tickets:S1`` is that of a severity."""
    stem, _colon, severity = key.partition(":")
    if severity:
        name, unit = figure(stem)
        return Figure(f"{name} of severity {severity}", unit)
    if key in _NAMED:
        return Figure(*_NAMED[key])
    for end, instead, unit in _ENDS:
        if key.endswith(end) and key != end:
            return Figure(_words(key.removesuffix(end)) + instead, unit)
    return Figure(_words(key), "")


def said(key: str) -> str:
    """A key in the middle of a sentence: ``competitor mentioned``, ``SLA time used``."""
    return figure(key).name


def titled(key: str) -> str:
    """A key at the beginning of a line: ``Competitor mentioned``."""
    name = said(key)
    return name[:1].upper() + name[1:]


def measured(key: str, value: object) -> str:
    """A reading of a figure: ``-20 %``, ``5 days``, ``at risk``."""
    return with_unit(value, figure(key).unit)


def with_unit(value: object, unit: str) -> str:
    """A reading in a unit as people write it; a choice in words, without one."""
    text = formats.reading(value)
    if not _is_number(text):
        return text.replace("_", " ")
    unit = said_unit(unit)
    if unit.endswith("s") and unit.isalpha() and text in {"1", "-1"}:
        unit = unit[:-1]
    return f"{text} {unit}" if unit else text


def said_unit(unit: str) -> str:
    """What is written behind a figure in ``unit``: ``%``, ``tickets a month``; empty for a bare number."""
    return _UNITS.get(unit, unit.replace("_", " "))


def _words(key: str) -> str:
    return " ".join(_word(word) for word in re.split(r"[_\-]+", key) if word)


def _word(word: str) -> str:
    found = _TOKEN.fullmatch(word)
    if found:
        return found[1].upper() if found[1] else f"in {found[2]} days"
    return _SPOKEN.get(word, word)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", text))
