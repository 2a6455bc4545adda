"""The checker of trigger rules: every finding, and its absence where nothing is wrong."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.automation.checker import GAP, LOOP, NEVER, OVERLAP, UNKNOWN, WARNING, Known, Rule, about, findings
from health.automation.ranges import Range, gaps, range_of

KNOWN = Known(
    metrics={
        "nps": Range(Decimal(-100), Decimal(100)),
        "login_pct": Range(),
        "health_score": Range(),
        "health_band": Range(words=frozenset({"red", "yellow", "green"})),
        "plan": Range(words=frozenset({"basic", "pro"})),
    },
    events=frozenset({"churn_threat", "qbr_missed"}),
    silences=frozenset({"meeting"}),
    segments=frozenset({"s-1"}),
    playbooks=frozenset({"rescue"}),
    people=frozenset({"ann@acme.test"}),
    bands={"Fleet": {"red": "Red", "yellow": "Yellow"}},
)


def test(metric, op, value, **more):
    return {"metric": metric, "op": op, "value": value, **more}


test.__test__ = False
NPS_LOW, NPS_HIGH = test("nps", "<", 10), test("nps", ">", 60)


def rule(key, condition, **definition):
    return Rule(
        key, key.title(), {"key": key, "name": key.title(), "actions": ["x"], "condition": condition} | definition
    )


def codes(*rules, known=KNOWN):
    return [each.code for each in findings(rules, known)]


def found(*rules):
    return [each.message for each in findings(rules, KNOWN)]


def test_rules_without_a_flaw_have_no_finding():
    assert (
        codes(
            rule("low", NPS_LOW),
            rule("high", NPS_HIGH),
            rule("threat", {"event": "churn_threat"}, playbook="rescue", owner="ann@acme.test"),
            rule("silent", {"all": [{"absent": "meeting", "days": 90}, {"segment": "s-1"}]}),
        )
        == []
    )


def test_a_ring_of_two_is_a_loop_named_once_with_both():
    one = rule("one", {"event": "churn_threat"}, raises="qbr_missed")
    two = rule("two", {"any": [NPS_LOW, {"event": "qbr_missed"}]}, raises="churn_threat")

    (loop,) = [each for each in findings([one, two], KNOWN) if each.code == LOOP]

    assert set(loop.triggers) == {"one", "two"}
    assert loop.message.startswith("One → Two → One: ")
    assert about("two", [loop]) == [loop]
    assert about("three", [loop]) == []


def test_a_trigger_that_raises_what_it_waits_for_is_a_loop_of_one():
    assert LOOP in codes(rule("one", {"event": "churn_threat"}, raises="churn_threat"))


def test_a_chain_that_does_not_come_back_is_no_loop():
    one = rule("one", {"event": "churn_threat"}, raises="qbr_missed")
    two = rule("two", {"event": "qbr_missed"})

    assert codes(one, two) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"all": [NPS_LOW, NPS_HIGH]}, "NPS is under 10 and NPS is over 60 exclude each other."),
        (test("nps", ">", 100), "NPS is over 100, and it can only be -100 to 100."),
        (
            test("health_band", "in", ["purple"]),
            "the health band is Purple, and it can only be green or red or yellow.",
        ),
        ({"any": [test("nps", ">", 100), test("plan", "in", ["gold"])]}, "NPS is over 100"),
        ({"all": [{"any": [test("nps", "==", 5), test("nps", "==", 6)]}, NPS_HIGH]}, "exclude each other"),
    ],
)
def test_a_condition_that_cannot_hold_is_found_with_its_reason(condition, words):
    (finding,) = [each for each in findings([rule("one", condition)], KNOWN) if each.code == NEVER]
    assert finding.message.startswith("One can never fire: ")
    assert words in finding.message


@pytest.mark.parametrize(
    "condition",
    [
        test("nps", ">=", 100),
        test("nps", "between", [90, 200]),
        {"all": [test("nps", ">=", 10), test("nps", "<=", 10)]},
        {"any": [test("nps", ">", 100), NPS_LOW]},
        {"all": [test("nps", "<", 10, severity=["S1"]), test("nps", ">", 60, severity=["S2"])]},
        test("plan", "==", "pro"),
    ],
)
def test_a_condition_that_can_hold_is_not_found(condition):
    assert NEVER not in codes(rule("one", condition))


@pytest.mark.parametrize(
    ("release", "words"),
    [
        (test("nps", ">", 100), "NPS is over 100, and it can only be -100 to 100."),
        ({"all": [NPS_LOW, NPS_HIGH]}, "NPS is under 10 and NPS is over 60 exclude each other."),
        (test("nps", "<", 5), "where NPS is under 5, NPS is under 10 too."),
        ({"any": [test("nps", "<", 10), test("nps", "==", 3)]}, "where NPS is under 10, NPS is under 10 too."),
        (test("nps", "<=", 10), None),
        (test("nps", ">", 20), None),
        (test("nps", "<", 5, window_days=7), None),
        ({"any": [test("nps", "<", 5), {"absent": "meeting", "days": 9}]}, None),
        (test("login_pct", "<", 5), None),
        ({"event": "churn_threat"}, None),
    ],
)
def test_a_release_that_cannot_come_about_is_found_with_its_reason(release, words):
    told = [
        (each.code, each.severity, each.message) for each in findings([rule("one", NPS_LOW, release=release)], KNOWN)
    ]
    message = f"One is never released once it has fired: {words}"
    assert told == ([(NEVER, WARNING, message)] if words else [])


def test_an_event_cannot_hold_longer_than_it_is_new():
    assert codes(rule("one", {"event": "churn_threat"}, hold_days=30)) == [NEVER]
    assert codes(rule("one", {"event": "churn_threat"}, hold_days=29)) == []
    assert codes(rule("one", {"any": [{"event": "churn_threat"}, NPS_LOW]}, hold_days=30)) == []


@pytest.mark.parametrize(
    ("condition", "more", "words"),
    [
        (test("mood", "<", 3), {}, "nobody measures “Mood”"),
        ({"event": "full_moon"}, {}, "nothing raises the event “Full moon”"),
        ({"absent": "qbr", "days": 100}, {}, "“QBR” has never been recorded"),
        ({"segment": "s-9", "name": "Large"}, {}, "there is no segment Large"),
        (NPS_LOW, {"playbook": "gone"}, "there is no playbook gone"),
        (NPS_LOW, {"owner": "bob@acme.test"}, "bob@acme.test is not an active member"),
        (NPS_LOW, {"release": test("mood", ">", 5)}, "nobody measures “Mood”"),
    ],
)
def test_what_is_not_there_is_named(condition, more, words):
    (finding,) = [each for each in findings([rule("one", condition, **more)], KNOWN) if each.code == UNKNOWN]
    assert words in finding.message


def test_an_event_that_another_trigger_records_is_known():
    assert codes(rule("one", NPS_LOW, raises="rescue_begun"), rule("two", {"event": "rescue_begun"})) == []


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (NPS_LOW, test("nps", "<", 5)),
        (NPS_LOW, {"any": [{"event": "churn_threat"}, NPS_LOW]}),
        ({"event": "churn_threat"}, {"event": "churn_threat"}),
        (NPS_LOW, {"all": [NPS_LOW, test("login_pct", "<", 40)]}),
        (test("health_band", "in", ["red", "yellow"]), test("health_band", "in", ["red", "green"])),
    ],
)
def test_two_rules_for_the_same_accounts_overlap(one, two):
    (finding,) = [each for each in findings([rule("one", one), rule("two", two)], KNOWN) if each.code == OVERLAP]
    assert finding.triggers == ("one", "two")


@pytest.mark.parametrize(
    ("one", "two", "more"),
    [
        (NPS_LOW, NPS_HIGH, {}),
        (NPS_LOW, test("nps", ">=", 10), {}),
        (NPS_LOW, test("login_pct", "<", 40), {}),
        ({"all": [NPS_LOW, test("login_pct", "<", 40)]}, {"all": [NPS_LOW, {"event": "churn_threat"}]}, {}),
        (NPS_LOW, NPS_LOW, {"duplicate_key": "quiet"}),
    ],
)
def test_rules_that_differ_or_share_a_duplicate_key_do_not_overlap(one, two, more):
    assert OVERLAP not in codes(rule("one", one, **more), rule("two", two, **more))


def test_rules_that_open_different_kinds_do_not_overlap():
    assert codes(rule("one", NPS_LOW, cta_kind="risk"), rule("two", NPS_LOW, cta_kind="renewal")) == []
    assert codes(rule("one", NPS_LOW, cta_kind="risk"), rule("two", NPS_LOW, cta_kind="risk")) == [OVERLAP]


def test_a_band_that_nobody_answers_is_a_gap_once_another_is_answered():
    red, yellow = (rule(key, test("health_band", "in", [key])) for key in ("red", "yellow"))

    assert found(red) == ["No trigger answers the band Yellow of Fleet, though others of its bands are."]
    assert codes(red, yellow) == []
    assert codes(rule("low", NPS_LOW)) == []


def test_scores_between_two_rules_are_a_gap():
    low, high = rule("low", test("health_score", "<", 50)), rule("high", test("health_score", ">=", 60))

    assert found(low, high) == ["Triggers answer scores below and above, and none from 50 to 60."]
    assert codes(low, rule("high", test("health_score", ">=", 50))) == []
    assert codes(low, rule("high", test("health_score", ">", 50))) == [GAP]


numbers = st.integers(-5, 5)
tests = st.builds(lambda op, n: test("nps", op, n), st.sampled_from(["<", "<=", ">", ">=", "=="]), numbers)
OPS = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "==": "__eq__"}


def meets(each, number):
    return getattr(Decimal(number), OPS[each["op"]])(Decimal(each["value"]))


@given(st.lists(tests, min_size=1, max_size=4))
def test_a_conjunction_is_impossible_exactly_when_no_number_meets_it(parts):
    halves = [Decimal(n) / 2 for n in range(-14, 15)]
    left = Range()
    for each in parts:
        left = left.meeting(range_of(each))
    assert left.is_empty == (not any(all(meets(each, n) for each in parts) for n in halves))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
def test_gaps_are_exactly_what_no_range_covers(ends):
    ranges = [Range(Decimal(min(pair)), Decimal(max(pair))) for pair in ends]
    lowest, highest = min(r.low for r in ranges), max(r.high for r in ranges)
    for half in (Decimal(n) / 2 for n in range(-10, 11)):
        if lowest < half < highest:
            covered = any(r.low <= half <= r.high for r in ranges)
            assert covered == (not any(low < half < high for low, high in gaps(ranges)))
