"""Tells conditions as people say them: the rest of a sentence after "when". Pure.

Figures and events are called as the workspace calls them, where the caller knows it (``Names``), else by
``ui.wording``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from health.conditions import HEALTH_BAND, HEALTH_CHANGE, HEALTH_SCORE, Condition
from ui import formats, wording


class Names(NamedTuple):
    """What a workspace calls its figures, events and bands, by their keys."""

    metrics: Mapping[str, str] = {}
    events: Mapping[str, str] = {}
    bands: Mapping[str, str] = {}


NO_NAMES = Names()
# Figures of which one says more than "it is so much"; {} is "at least 80 %".
_PHRASES = {
    "days_to_renewal": ("the renewal is {} away", "days"),
    "days_since_touch": ("the last touch is {} ago", "days"),
    "sla_elapsed_pct": ("{} of the time promised on a ticket is used up", "%"),
}
_COUNTED = {
    "open_tickets": "open tickets", "ticket_count": "tickets", "tickets_month": "tickets a month",
    "tickets_per_user_monthly": "tickets per user and month", "meetings_per_quarter": "meetings in 90 days",
    "executive_sponsors": "executive sponsors",
}  # fmt: skip
_OWN = {key: f"the {wording.said(key)}" for key in (HEALTH_SCORE, HEALTH_BAND)}
_EVENTS = {
    "health_band_worsened": "the health band got worse",
    "stakeholder_changed": "a key stakeholder left or changed",
    "churn_risk": "the account is a churn risk: red twice in a row, or marked as one",
    "contract_at_risk": "the contract is at risk: red or a churn risk within 90 days of renewal, or marked as one",
}
_IS = {"<": "under", "<=": "at most", ">": "over", ">=": "at least", "==": "exactly"}
_MANY = {**_IS, "<": "fewer than", ">": "more than"}
_CHANGE = "_change_pct"
_NAMED_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_LIST = re.compile(r"\[([^\[\]]*)\]")
_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}


def event_in_words(key: str, names: Names = NO_NAMES) -> str:
    """What an event is called, at the beginning of a line."""
    return names.events.get(key) or wording.titled(key)


def fact(key: str, value: object) -> str:
    """What was read of a figure: "usage change -27 %"."""
    return f"{_OWN.get(key) or wording.said(key)} {wording.measured(key, value)}"


def formula_in_words(formula: str) -> str:
    """A measure's formula as people read it: figures by their names, signs as on paper, lists without brackets."""
    text = _LIST.sub(lambda found: found[1].replace("'", ""), formula)
    for sign, shown in _SIGNS.items():
        text = text.replace(sign, shown)
    return _NAMED_KEY.sub(lambda found: wording.said(found[0]), text)


def in_words(condition: Condition, names: Names = NO_NAMES) -> str:
    """The condition as the rest of a sentence after "when": "usage fell by at least 20 % over 14 days"."""
    for joiner, key in (("or", "any"), ("and", "all")):
        if key in condition:
            return f" {joiner} ".join(_part(part, names) for part in condition[key])
    if "event" in condition:
        return _event(condition, names)
    if "absent" in condition:
        days = condition["days"]
        return f"no {inside(event_in_words(condition['absent'], names))} for {so_many_days(days)}"
    if "segment" in condition:
        return f"the account is in the segment {condition.get('name') or condition['segment']}"
    return _measured(condition, names)


def _part(condition: Condition, names: Names) -> str:
    """One part of a join; a join inside a join says where it begins."""
    words = in_words(condition, names)
    for lead, key in (("either", "any"), ("both", "all")):
        if len(condition.get(key, ())) > 1:
            return f"{lead} {words}"
    return words


def _event(condition: Condition, names: Names) -> str:
    key = condition["event"]
    words = _EVENTS.get(key) or f"“{event_in_words(key, names)}” is noted"
    return f"{words} within {so_many_days(condition['window_days'])}" if "window_days" in condition else words


def _measured(condition: Condition, names: Names) -> str:
    key, op, limit = condition["metric"], condition["op"], condition["value"]
    moved = _moved(op, limit)
    if key == HEALTH_CHANGE and moved:
        return f"the health score {moved} points in {condition.get('window_days', 30)} days"
    if key.endswith(_CHANGE) and moved:
        stem = key.removesuffix(_CHANGE)
        return f"{_COUNTED.get(stem) or wording.said(stem)} {moved} %{_over(condition)}"
    return _compared(condition, names) + _over(condition)


def _compared(condition: Condition, names: Names) -> str:
    key, op, limit = condition["metric"], condition["op"], condition["value"]
    severity = f" of severity {' or '.join(map(str, condition['severity']))}" if "severity" in condition else ""
    if key in _COUNTED and op in _IS:
        number = formats.reading(limit)
        words = f"{_MANY[op]} {number} {_counted(_COUNTED[key], number)}{severity}"
        return f"there {'is' if number == '1' else 'are'} {words}"
    if key in _PHRASES and op in _IS:
        phrase, unit = _PHRASES[key]
        return phrase.format(f"{_IS[op]} {wording.with_unit(limit, unit)}")
    name = (_OWN.get(key) or inside(names.metrics.get(key) or wording.said(key))) + severity
    if op in {"in", "between"} or _number(limit) is None:
        return f"{name} {_verb(name)} {_one_of(key, op, limit, names)}"
    return f"{name} {_verb(name)} {_IS[op]} {wording.measured(key, limit)}"


def _over(condition: Condition) -> str:
    """Over what it is measured: the days, the days before, and the least that must have been counted."""
    words = ""
    if "window_days" in condition:
        words = f" over {so_many_days(condition['window_days'])}"
        if condition.get("compare") == "previous_window":
            words += f" against the {condition['window_days']} before"
    if "min_count" in condition:
        stem = condition["metric"].removesuffix(_CHANGE)
        what = _COUNTED.get(stem) or wording.said(stem)
        words += f", with {condition['min_count']} {what} or more"
    return words


def _moved(op: str, limit: Any) -> str:
    """A test of a change as a movement: "fell by at least 20", or nothing where it is none."""
    size = _number(limit)
    if size is None or op not in _IS or not size:
        return ""
    if size < 0 and op in {"<", "<="}:
        return f"fell by {'more than' if op == '<' else 'at least'} {formats.reading(-size)}"
    if size > 0 and op in {">", ">="}:
        return f"rose by {'more than' if op == '>' else 'at least'} {formats.reading(size)}"
    return ""


def _one_of(key: str, op: str, limit: Any, names: Names) -> str:
    values = limit if isinstance(limit, Sequence) and not isinstance(limit, str) else [limit]
    told = [names.bands.get(str(value)) or _choice(key, value) for value in values]
    if op == "between" and len(told) == 2:
        return f"between {told[0]} and {told[1]}"
    return " or ".join(told)


def _choice(key: str, value: Any) -> str:
    words = wording.measured(key, value)
    return words if _number(value) is not None else words[:1].upper() + words[1:]


def so_many_days(number: Any) -> str:
    """``1 day`` or ``5 days``."""
    return "1 day" if number == 1 else f"{number} days"


def _counted(name: str, number: str) -> str:
    """The name of what is counted behind its number: "1 open ticket of severity S1"."""
    if number != "1":
        return name
    head, of, rest = name.partition(next((word for word in (" of ", " per ", " in ", " a ") if word in name), " of "))
    return f"{head.removesuffix('s')}{of}{rest}" if of in name else head.removesuffix("s")


def _verb(name: str) -> str:
    """Is or are, by the word that stands for the thing."""
    head = re.split(r" (?:of|per|in|against|under|since|to|after|who) ", name)[0].split(" ")[-1]
    return "are" if head.endswith("s") and not head.endswith(("ss", "us", "NPS", "analysis")) else "is"


def inside(name: str) -> str:
    """A name within a sentence; an abbreviation keeps its capitals."""
    return name if len(name) < 2 or not name[1].islower() else name[0].lower() + name[1:]


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
