"""Definitions: the shipped ones pass, and each rule names the place it is broken at."""

import copy

import pytest

from health.scoring import compile_scorecard
from health.validation import scorecard_problems, trigger_problems
from tests.health.definitions import CARDS, TRIGGERS


@pytest.mark.parametrize("key", CARDS)
def test_every_shipped_scorecard_passes(key):
    assert scorecard_problems(CARDS[key]) == []


@pytest.mark.parametrize("key", TRIGGERS)
def test_every_shipped_trigger_passes(key):
    assert trigger_problems(TRIGGERS[key]) == []


def changed(key, *path, value):
    """A copy of a shipped card with one place replaced; ``...`` as value removes it."""
    card = copy.deepcopy(CARDS[key])
    place = card
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return card


@pytest.mark.requirement("CS-3.1")
@pytest.mark.parametrize(("weight", "percent"), [(0.39, "99"), (0.41, "101"), (0.400001, "100")])
def test_weights_that_do_not_add_to_exactly_100_percent_are_refused(weight, percent):
    problems = scorecard_problems(changed("generic-health", "dimensions", 0, "weight", value=weight))

    assert [(problem.pointer, problem.code) for problem in problems] == [("/dimensions", "total")]
    assert percent in problems[0].detail


@pytest.mark.parametrize(
    ("key", "path", "value", "pointer", "code"),
    [
        ("mna-health", ["method"], "vibes", "/method", "choice"),
        ("mna-health", ["name"], " ", "/name", "required"),
        ("mna-health", ["dimensions"], [], "/dimensions", "list"),
        ("mna-health", ["dimensions", 1, "key"], "technical_performance", "/dimensions", "duplicate"),
        ("mna-health", ["dimensions", 0, "combine"], "magic", "/dimensions/0/combine", "choice"),
        ("mna-health", ["dimensions", 0, "combine"], "sum_points", "/dimensions/0/combine", "method"),
        ("mna-health", ["dimensions", 0, "weight"], 0, "/dimensions/0/weight", "minimum"),
        ("mna-health", ["dimensions", 0, "weight"], "NaN", "/dimensions/0/weight", "number"),
        ("fleet-health", ["dimensions", 0, "measures", 0, "points"], 1e300, "/dimensions/0/measures/0/points", "range"),
        (
            "fleet-health",
            ["dimensions", 0, "measures", 0, "points"],
            1.0000001,
            "/dimensions/0/measures/0/points",
            "decimals",
        ),
        (
            "mna-health",
            ["dimensions", 0, "measures", 0, "scoring", "kind"],
            "guess",
            "/dimensions/0/measures/0/scoring/kind",
            "choice",
        ),
        (
            "fmea-health",
            ["dimensions", 0, "measures", 0, "scoring", "full_at"],
            0,
            "/dimensions/0/measures/0/scoring/full_at",
            "minimum",
        ),
        (
            "fmea-health",
            ["dimensions", 2, "measures", 0, "scoring", "kind"],
            "direct",
            "/dimensions/2/measures/0/scoring/kind",
            "combine",
        ),
        ("fleet-health", ["dimensions", 0, "measures", 0, "points"], 11, "/dimensions/0/weight", "total"),
        (
            "fleet-health",
            ["dimensions", 0, "measures", 0, "scoring", "levels", 0, "points"],
            11,
            "/dimensions/0/measures/0/scoring/levels/0",
            "range",
        ),
        (
            "fleet-health",
            ["dimensions", 0, "measures", 0, "scoring", "levels", 2, "when"],
            [{"metric": "login_pct", "op": "<", "value": 50}],
            "/dimensions/0/measures/0/scoring/levels",
            "gap",
        ),
        (
            "fleet-health",
            ["dimensions", 0, "measures", 0, "scoring", "levels", 0, "when", 0, "op"],
            "~",
            "/dimensions/0/measures/0/scoring/levels/0/when/0/op",
            "choice",
        ),
        (
            "fleet-health",
            ["dimensions", 1, "measures", 0, "scoring", "options"],
            {"one": 1},
            "/dimensions/1/measures/0/scoring/options",
            "list",
        ),
        ("mna-health", ["bands", 4, "min"], 1, "/bands/4/min", "gap"),
        ("mna-health", ["bands", 1, "min"], 90, "/bands/1/min", "overlap"),
        ("mna-health", ["bands", 1, "min"], 101, "/bands/1/min", "range"),
        ("mna-health", ["bands", 1, "rag"], "blue", "/bands/1/rag", "choice"),
        ("mna-health", ["bands", 1, "key"], "champion", "/bands", "duplicate"),
        ("calculator", ["recommendations", 0, "dimension"], "luck", "/recommendations/0/dimension", "unknown"),
        ("components", ["red_flags", 0, "condition"], {}, "/red_flags/0/condition/metric", "required"),
        ("calculator", ["max_age_days"], 0, "/max_age_days", "minimum"),
        ("calculator", ["stale_policy"], "drop", "/stale_policy", "choice"),
    ],
)
def test_a_broken_scorecard_is_refused_at_its_place(key, path, value, pointer, code):
    problems = scorecard_problems(changed(key, *path, value=value))

    assert (pointer, code) in [(problem.pointer, problem.code) for problem in problems]


@pytest.mark.parametrize("definition", [None, [], "card", 7, {}, {"dimensions": [1]}, {"dimensions": [{}], "bands": 3}])
def test_anything_that_is_no_scorecard_is_refused_and_never_an_error(definition):
    assert scorecard_problems(definition) != []
    assert trigger_problems(definition) != []


@pytest.mark.parametrize("key", CARDS)
def test_no_card_with_a_piece_missing_both_passes_and_fails_to_compile(key):
    """Whatever the check lets through must compile; everything else it must name."""

    def pieces(node, path=()):
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for name, child in items:
            yield (*path, name)
            yield from pieces(child, (*path, name))

    for path in pieces(CARDS[key]):
        broken = changed(key, *path, value=...)
        if not scorecard_problems(broken):
            compile_scorecard(broken).score({})


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"actions": []}, "/actions", "list"),
        ({"condition": {"any": [{"event": "x"}]}}, "/condition/any", "list"),
        ({"condition": {"metric": "nps", "op": "<", "value": "low"}}, "/condition/value", "number"),
        ({"condition": {"metric": "nps", "op": "between", "value": [5, 1]}}, "/condition/value", "range"),
        ({"condition": {"absent": "qbr"}}, "/condition/days", "range"),
        ({"condition": {"absent": "qbr", "days": 0}}, "/condition/days", "range"),
        ({"hold_days": -1}, "/hold_days", "range"),
        ({"reentry_max": 2}, "/reentry_max", "pair"),
        ({"release": {"metric": "nps"}}, "/release/op", "choice"),
    ],
)
def test_a_broken_trigger_is_refused_at_its_place(change, pointer, code):
    problems = trigger_problems({**TRIGGERS["mna:user-complaints"], **change})

    assert [(problem.pointer, problem.code) for problem in problems] == [(pointer, code)]


def test_conditions_nested_too_deep_are_refused():
    condition = {"event": "x"}
    for _ in range(7):
        condition = {"any": [condition, {"event": "y"}]}

    assert "depth" in {p.code for p in trigger_problems({**TRIGGERS["mna:user-complaints"], "condition": condition})}


@pytest.mark.parametrize("value", [[], {}, None, "a\x00b", 10**30, 1e300, "1e400", [[]]], ids=repr)
def test_nothing_odd_at_any_place_of_a_definition_is_more_than_refused(value):
    """Whatever stands anywhere, the answer is a list of problems, or what is left can be compiled."""
    for key, card in CARDS.items():
        for path in _places(card):
            spoilt = changed(key, *path, value=value)
            if not scorecard_problems(spoilt):
                compile_scorecard(spoilt)


def _places(value, at=()):
    """A place of every kind: lists by their first item only."""
    inner = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for name, part in inner:
        yield (*at, name)
        yield from _places(part, (*at, name))
