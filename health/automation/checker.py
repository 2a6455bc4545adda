"""Finds what is wrong between trigger rules before they run: loops, rules that never fire, overlaps, gaps. Pure.

A finding is advice: a rule with findings may go live. What a condition leaves possible is worked out from its
tests alone, in the form "one of these conjunctions"; ``Known`` says what the workspace has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations, product
from typing import Any, NamedTuple

from health.automation.ranges import Range, gaps, range_of
from health.conditions import EVENT_WINDOW_DAYS, HEALTH_BAND, HEALTH_SCORE, Condition, absences_of, events_of, leaves
from health.wording import in_words
from ui import wording

LOOP, NEVER, OVERLAP, GAP, UNKNOWN = "loop", "never", "overlap", "gap", "unknown"
ERROR, WARNING = "error", "warning"
# More alternatives than this and a condition counts as possible.
_MOST_ALTERNATIVES = 200
Subject = tuple[str, str]


class Rule(NamedTuple):
    """A trigger as the checker sees it: what it is called and its definition."""

    key: str
    name: str
    definition: Mapping[str, Any]


class Finding(NamedTuple):
    """One thing to look at: its kind, how serious it is, the triggers it is about, and a sentence."""

    code: str
    severity: str
    triggers: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the workspace has. ``metrics``: metric to what it can be. ``events``: those somebody or something raises.

    ``bands``: scorecard's name to its bands that call for action, as key to name.
    """

    metrics: Mapping[str, Range] = field(default_factory=dict)
    events: frozenset[str] = frozenset()
    silences: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    playbooks: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    bands: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def findings(rules: Sequence[Rule], known: Known) -> list[Finding]:
    """Everything to look at, errors first. Cost: the square of the number of rules."""
    raised = frozenset(rule.definition["raises"] for rule in rules if rule.definition.get("raises"))
    found = [
        *_loops(rules),
        *(finding for rule in rules for finding in _alone(rule, known, raised)),
        *(finding for pair in combinations(rules, 2) if (finding := _overlap(*pair))),
        *_band_gaps(rules, known),
        *_score_gaps(rules),
    ]
    return sorted(found, key=lambda each: (each.severity != ERROR, each.code, each.triggers))


def about(key: str, found: Iterable[Finding]) -> list[Finding]:
    """Those that concern one trigger."""
    return [each for each in found if key in each.triggers]


def _loops(rules: Sequence[Rule]) -> list[Finding]:
    """Rings of triggers of which each records the event that the next waits for."""
    waiting = {
        rule.key: [
            other for other in rules if rule.definition.get("raises") in events_of(other.definition["condition"])
        ]
        for rule in rules
        if rule.definition.get("raises")
    }
    names = {rule.key: rule.name for rule in rules}
    found: dict[frozenset[str], Finding] = {}

    def walk(path: tuple[str, ...]) -> None:
        for other in waiting.get(path[-1], []):
            if other.key == path[0]:
                ring = frozenset(path)
                words = " → ".join(names[key] for key in (*path, path[0]))
                message = f"{words}: each records what the next one waits for, so they set each other off for ever."
                found.setdefault(ring, Finding(LOOP, ERROR, path, message))
            elif other.key not in path and other.key > path[0]:
                walk((*path, other.key))

    for rule in rules:
        walk((rule.key,))
    return list(found.values())


def _alone(rule: Rule, known: Known, raised: frozenset[str]) -> Iterable[Finding]:
    """What is wrong with one rule: things that are not there, and a condition that cannot come to hold."""
    condition = rule.definition["condition"]
    unknown = list(_unknown(rule.definition, known, raised))
    yield from (Finding(UNKNOWN, ERROR, (rule.key,), f"{rule.name}: {words}") for words in unknown)
    never = _never(rule.definition, condition, known)
    if never:
        yield Finding(NEVER, ERROR, (rule.key,), f"{rule.name} can never fire: {never}")
    stuck = _never_released(rule.definition, known)
    if stuck:
        yield Finding(NEVER, WARNING, (rule.key,), f"{rule.name} is never released once it has fired: {stuck}")


def _unknown(definition: Mapping[str, Any], known: Known, raised: frozenset[str]) -> Iterable[str]:
    tests = [*leaves(definition["condition"]), *(leaves(definition["release"]) if definition.get("release") else [])]
    metrics = {test["metric"] for test in tests if "metric" in test}
    segments = {test["segment"]: test.get("name", test["segment"]) for test in tests if "segment" in test}
    events = frozenset().union(*(events_of(test) for test in tests))
    absences = frozenset().union(*(absences_of(test) for test in tests))
    yield from (f"nobody measures “{wording.titled(name)}”." for name in sorted(metrics - known.metrics.keys()))
    yield from (
        f"nothing raises the event “{wording.titled(name)}”." for name in sorted(events - known.events - raised)
    )
    for name in sorted(absences - known.silences - raised):
        yield f"“{wording.titled(name)}” has never been recorded, so every account counts as silent."
    yield from (f"there is no segment {name}." for key, name in segments.items() if key not in known.segments)
    playbook, owner = definition.get("playbook"), definition.get("owner")
    if playbook and playbook not in known.playbooks:
        yield f"there is no playbook {playbook} in use; its own steps become the tasks."
    if owner and owner not in known.people:
        yield f"{owner} is not an active member; the account's owner gets the CTA."


def _never(definition: Mapping[str, Any], condition: Condition, known: Known) -> str:
    """Why the condition cannot come to hold, or nothing."""
    if _only_events(condition) and definition.get("hold_days", 0) >= EVENT_WINDOW_DAYS:
        return f"an event counts for {EVENT_WINDOW_DAYS} days and must hold for {definition['hold_days']}."
    alternatives = _alternatives(condition)
    if alternatives is None:
        return ""
    reasons = [_impossible(each, known) for each in alternatives]
    return reasons[0] if reasons and all(reasons) else ""


def _never_released(definition: Mapping[str, Any], known: Known) -> str:
    """Why what releases the trigger cannot come about, or nothing. Without a release its condition's end does it."""
    release = definition.get("release")
    alternatives = _alternatives(release) if release else None
    if alternatives is None:
        return ""
    reasons = [_impossible(each, known) or _still_holds(each, definition["condition"]) for each in alternatives]
    return reasons[0] if reasons and all(reasons) else ""


def _still_holds(tests: tuple[Condition, ...], condition: Condition) -> str:
    """Where ``condition`` is one test: why it holds wherever ``tests`` do, so that they release nothing."""
    alike = [test for test in tests if "metric" in test and _measured(test) == _measured(condition)]
    if not alike:
        return ""
    left = _possible(alike)[_subject(condition)]
    if left.meeting(range_of(condition)) != left:
        return ""
    return f"where {' and '.join(in_words(test) for test in alike)}, {in_words(condition)} too."


def _measured(test: Condition) -> dict[str, Any]:
    """What a test measures, whatever it asks of the figure."""
    return {name: value for name, value in test.items() if name not in {"op", "value"}}


def _only_events(condition: Condition) -> bool:
    if "any" in condition:
        return all(_only_events(part) for part in condition["any"])
    if "all" in condition:
        return any(_only_events(part) for part in condition["all"])
    return "event" in condition


def _alternatives(condition: Condition) -> list[tuple[Condition, ...]] | None:
    """The condition as alternatives, each a list of tests that must all hold; None if there are too many."""
    if "any" in condition:
        parts = [_alternatives(part) for part in condition["any"]]
        found = [each for part in parts if part is not None for each in part]
        return None if None in parts or len(found) > _MOST_ALTERNATIVES else found
    if "all" in condition:
        parts = [_alternatives(part) for part in condition["all"]]
        size = 1
        for part in parts:
            size *= len(part) if part is not None else _MOST_ALTERNATIVES + 1
        if size > _MOST_ALTERNATIVES:
            return None
        return [tuple(test for part in chosen for test in part) for chosen in product(*(p for p in parts if p))]
    return [(condition,)]


def _possible(tests: Iterable[Condition]) -> dict[Subject, Range]:
    """What a conjunction leaves possible, subject by subject. Tests over severities are subjects of their own."""
    found: dict[Subject, Range] = {}
    for test in tests:
        subject, left = _subject(test), range_of(test) if "metric" in test else Range()
        found[subject] = found[subject].meeting(left) if subject in found else left
    return found


def _subject(test: Condition) -> Subject:
    for kind in ("event", "absent", "segment"):
        if kind in test:
            return kind, test[kind]
    return "metric", ":".join([test["metric"], *sorted(test.get("severity", ()))])


def _impossible(tests: tuple[Condition, ...], known: Known) -> str:
    for (kind, name), left in _possible(tests).items():
        if kind != "metric":
            continue
        about_it = [test for test in tests if _subject(test) == (kind, name)]
        words = " and ".join(in_words(test) for test in about_it)
        if left.is_empty:
            return f"{words} exclude each other."
        limits = known.metrics.get(name)
        if limits is not None and limits.meeting(left).is_empty:
            return f"{words}, and it can only be {limits}."
    return ""


def _overlap(one: Rule, other: Rule) -> Finding | None:
    """Two rules that open a CTA each for the same accounts, because the same facts make both of them hold."""
    if _duplicates(one) == _duplicates(other) or _differ(one, other):
        return None
    mine, theirs = _alternatives(one.definition["condition"]), _alternatives(other.definition["condition"])
    for left, right in product(mine or [], theirs or []):
        shared = _shared(_possible(left), _possible(right))
        if shared:
            message = (
                f"{one.name} and {other.name} both open a CTA for accounts with {shared}. "
                "Give them the same duplicate key if one CTA is enough."
            )
            return Finding(OVERLAP, WARNING, (one.key, other.key), message)
    return None


def _duplicates(rule: Rule) -> str:
    return str(rule.definition.get("duplicate_key") or f"trigger-{rule.key}")


def _differ(one: Rule, other: Rule) -> bool:
    """Whether both say what kind of CTA they open, and not the same."""
    kinds = {rule.definition.get("cta_kind") for rule in (one, other)}
    return None not in kinds and len(kinds) == 2


def _shared(mine: Mapping[Subject, Range], theirs: Mapping[Subject, Range]) -> str:
    """What makes both hold: one asks only about things the other asks about too, and their answers meet."""
    common = mine.keys() & theirs.keys()
    if not common or not (common == mine.keys() or common == theirs.keys()):
        return ""
    if any(mine[subject].meeting(theirs[subject]).is_empty for subject in common if subject[0] == "metric"):
        return ""
    return ", ".join(sorted(wording.said(name) for _, name in common if _ != "segment")) or "their segment"


def _band_gaps(rules: Sequence[Rule], known: Known) -> Iterable[Finding]:
    """Bands that call for action and that no trigger answers, once some trigger answers bands at all."""
    answering = [
        (rule.key, range_of(test))
        for rule in rules
        for test in leaves(rule.definition["condition"])
        if test.get("metric") == HEALTH_BAND
    ]
    answered = frozenset().union(*(left.words or frozenset() for _, left in answering))
    for card, bands in known.bands.items():
        mine = answered & bands.keys()
        missing = [name for key, name in bands.items() if key not in answered]
        if mine and missing:
            keys = tuple(dict.fromkeys(key for key, left in answering if (left.words or frozenset()) & mine))
            message = f"No trigger answers the band {' or '.join(missing)} of {card}, though others of its bands are."
            yield Finding(GAP, WARNING, keys, message)


def _score_gaps(rules: Sequence[Rule]) -> Iterable[Finding]:
    """Scores between those that triggers answer."""
    answering: dict[str, list[Range]] = {}
    for rule in rules:
        for tests in _alternatives(rule.definition["condition"]) or []:
            possible = _possible(tests)
            if ("metric", HEALTH_SCORE) in possible:
                answering.setdefault(rule.key, []).append(possible["metric", HEALTH_SCORE])
    if len(answering) < 2:
        return
    for low, high in gaps(each for ranges in answering.values() for each in ranges):
        words = _between(low, high)
        yield Finding(GAP, WARNING, tuple(answering), f"Triggers answer scores below and above, and none {words}.")


def _between(low: Decimal, high: Decimal) -> str:
    return f"exactly {low}" if low == high else f"from {low} to {high}"
