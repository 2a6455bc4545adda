"""The arithmetic of a backtest on small worlds that can be counted by hand, and on larger ones with a slow oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from health.backtest import Account, History, compare, exact_sign, falls, grade, interval, losses_seen, outcomes_of
from health.backtest import standing as warnings_standing
from health.backtest.outcomes import Term
from health.backtest.predictors import UNREAD, Course
from health.backtest.rivals import _verdict
from health.models import Backtest
from health.pages import lab_report

TODAY = 1000
GREEN, YELLOW, ORANGE, RED, NONE = 0, 1, 2, 3, -1


def customer(*terms, since=0, left=None):
    return Account([Term(*term) for term in terms], since, left)


def term(start, end, arr=100.0, churned=False):
    return (start, end, arr, churned)


def losses(*accounts, today=TODAY):
    return [(loss.account, loss.on, loss.arr) for loss in outcomes_of(accounts, [0], today=today).losses]


def history(days, *rows):
    """Rows of colours; totals that fit them."""
    totals = {GREEN: 95, YELLOW: 75, ORANGE: 55, RED: 20, NONE: -1}
    colour = np.array(rows, dtype=np.int8)
    total = np.array([[totals[c] * 10**6 if c != NONE else -1 for c in row] for row in rows], dtype=np.int64)
    return History(days, total, colour)


def test_a_term_that_nothing_follows_is_a_loss_on_the_day_after_its_last():
    assert losses(customer(term(0, 364, 120.0))) == [(0, 365, 120.0)]


def test_a_term_with_a_follower_within_thirty_days_is_renewed():
    found = outcomes_of([customer(term(0, 364), term(394, 800))], [0], today=700)

    assert (found.losses, found.renewals) == ([], [(0, 365)])


def test_a_follower_after_more_than_thirty_days_is_a_return():
    found = outcomes_of([customer(term(0, 364), term(395, None))], [100, 364, 380, 395, 500], today=TODAY)

    assert [loss.on for loss in found.losses] == [365]
    assert found.alive.tolist() == [[True, True, False, True, True]]


def test_nobody_knows_of_a_term_until_thirty_days_are_over_unless_it_is_marked_churned():
    assert losses(customer(term(0, 980))) == []
    assert losses(customer(term(0, 980, churned=True))) == [(0, 981, 100.0)]


def test_contracts_side_by_side_are_no_renewal_and_no_loss_while_one_runs():
    found = outcomes_of([customer(term(0, 364), term(100, None))], [0], today=TODAY)

    assert (found.losses, found.renewals) == ([], [])


def test_an_account_without_contracts_was_lost_on_the_day_entered():
    assert losses(customer(left=500)) == [(0, 500, 0.0)]
    assert losses(customer(term(0, 500, churned=True), left=510)) == [(0, 501, 100.0)]


def test_the_confusion_matrix_counts_each_loss_once():
    days = [100, 200, 300, 400]
    seen = history(days, [RED] * 4, [GREEN] * 4, [RED] * 4, [GREEN] * 4, [NONE] * 4)
    accounts = [
        customer(term(0, 449)),
        customer(term(0, 449)),
        customer(term(0, None)),
        customer(term(0, None)),
        customer(term(0, 449)),
    ]

    found = grade(seen, outcomes_of(accounts, days, today=600), horizon=100, today=600)

    assert found["periods"] == [100, 200, 300, 400]
    warning = found["warnings"]["red"]
    assert [warning[name] for name in ("hit", "alarm", "miss", "calm")] == [1, 7, 1, 7]
    assert (found["judged"], found["lost"], found["unscored"], found["unscored_lost"]) == (16, 2, 4, 1)
    assert (warning["precision"]["share"], warning["recall"]["share"]) == (1 / 8, 1 / 2)
    assert warning["few"]


def test_a_period_that_is_not_over_is_not_judged():
    days = [100, 200, 300]
    seen = history(days, [RED] * 3)

    found = grade(seen, outcomes_of([customer(term(0, None))], days, today=350), horizon=90, today=350)

    assert found["periods"] == [100, 200]


def test_lead_time_runs_from_the_beginning_of_the_unbroken_warning():
    days = [0, 30, 60, 90, 120]
    seen = history(days, [RED, GREEN, YELLOW, RED, RED], [GREEN] * 5)
    gone = outcomes_of(
        [customer(term(-100, 129, churned=True)), customer(term(-100, 129, churned=True))], days, today=TODAY
    )

    first, second = losses_seen(seen, gone, YELLOW)

    assert (first["lead_days"], first["colour_in_time"], first["colour_last"]) == (70, "red", "red")
    assert (second["lead_days"], second["colour_in_time"]) == (None, "green")


def test_warnings_that_stand_and_falls_leave_out_who_is_gone():
    days = [0, 30, 60]
    seen = history(days, [GREEN, RED, RED], [GREEN, RED, RED], [GREEN, GREEN, YELLOW])
    people = [customer(term(-10, None)), customer(term(-10, 40, churned=True)), customer(term(-10, None))]
    outcomes = outcomes_of(people, days, today=TODAY)

    assert [(row["account"], row["days"]) for row in warnings_standing(seen, outcomes, RED)] == [(0, 30)]
    assert [row["account"] for row in falls(seen, outcomes, over=90, most=5)] == [0, 2]


def test_calibration_puts_ninety_to_a_hundred_together():
    total = np.array([[100 * 10**6], [90 * 10**6], [9_999_999]])
    seen = History([0], total, np.array([[GREEN], [GREEN], [RED]], dtype=np.int8))
    people = [customer(term(-10, None)), customer(term(-10, 20, churned=True)), customer(term(-10, 20, churned=True))]

    found = grade(seen, outcomes_of(people, [0], today=TODAY), horizon=90, today=TODAY)["calibration"]

    assert [(row["from"], row["cases"], row["lost"]) for row in found] == [(0, 1, 1), (90, 2, 1)]


def test_ranking_is_the_share_of_pairs_in_the_right_order():
    total = np.array([[10], [20], [20], [30]]) * 10**6
    seen = History([0], total, np.zeros((4, 1), dtype=np.int8))
    gone, stays = customer(term(-10, 20, churned=True)), customer(term(-10, None))

    found = grade(seen, outcomes_of([gone, gone, stays, stays], [0], today=TODAY), horizon=90, today=TODAY)

    assert found["ranking"] == (2 + 1.5) / 4


def test_the_interval_is_wilsons():
    found = interval(8, 10)

    assert (round(found.low, 4), round(found.high, 4)) == (0.4902, 0.9433)
    assert interval(0, 0) is None
    assert interval(80, 100, independent=10).low == pytest.approx(found.low)


def test_a_coin_explains_a_split_of_five_to_one_and_not_of_twelve_to_one():
    assert exact_sign(5, 1) == pytest.approx(14 / 64)
    assert (_verdict(5, 0, better=1), _verdict(5, 1, better=1)) == ("few", "same")
    assert (_verdict(12, 1, better=1), _verdict(12, 1, better=-1)) == ("champion", "challenger")


def test_a_challenger_that_sees_what_the_champion_misses_is_named():
    days = [100]
    people = [customer(term(0, 149, churned=True))] * 8 + [customer(term(0, None))] * 20
    blind, keen = history(days, *[[GREEN]] * 28), history(days, *[[RED]] * 8, *[[GREEN]] * 20)

    found = compare(blind, keen, outcomes_of(people, days, today=TODAY), horizon=90, today=TODAY)["red"]

    assert (found["only_champion"], found["only_challenger"], found["losses_verdict"]) == (0, 8, "challenger")
    assert (found["alarms_verdict"], found["judged"]) == ("few", 28)


def world(seed, accounts=600):
    """Customers of whom a tenth are lost, and a score that knows it well."""
    rng = np.random.default_rng(seed)
    days = list(range(0, 700, 30))
    people, rows = [], []
    for _ in range(accounts):
        gone = rng.random() < 0.1
        end = int(rng.integers(300, 600)) if gone else None
        people.append(customer(term(-50, end, churned=gone)))
        row = np.where(rng.random(len(days)) < 0.03, RED, GREEN)
        if end is not None and rng.random() < 0.8:
            row[[place for place, day in enumerate(days) if end - 150 < day]] = RED
        rows.append(row)
    return days, people, history(days, *rows)


@pytest.mark.parametrize("seed", range(5))
def test_with_labels_shuffled_precision_falls_to_the_base_rate(seed):
    days, people, seen = world(seed)
    honest = grade(seen, outcomes_of(people, days, today=TODAY), horizon=90, today=TODAY)
    shuffled = [people[place] for place in np.random.default_rng(seed + 100).permutation(len(people))]

    blind = grade(seen, outcomes_of(shuffled, days, today=TODAY), horizon=90, today=TODAY)

    precision, base = blind["warnings"]["red"]["precision"], blind["base_rate"]["share"]
    assert precision["low"] <= base <= precision["high"]
    assert honest["warnings"]["red"]["precision"]["low"] > 4 * honest["base_rate"]["share"]
    assert honest["warnings"]["red"]["chance"]["p_value"] < 0.01
    assert blind["warnings"]["red"]["chance"]["p_value"] > 0.01
    assert 0.4 < blind["ranking"] < 0.6


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), horizon=st.integers(30, 200))
def test_the_matrix_equals_a_count_cell_by_cell(seed, horizon):
    rng = np.random.default_rng(seed)
    days = sorted(rng.choice(900, size=8, replace=False).tolist())
    people = [
        customer(term(0, int(rng.integers(1, 990)) if rng.random() < 0.5 else None, churned=True)) for _ in range(12)
    ]
    seen = history(days, *rng.integers(-1, 4, size=(12, 8)).tolist())
    outcomes = outcomes_of(people, days, today=TODAY)

    found = grade(seen, outcomes, horizon=horizon, today=TODAY)

    counts = {"hit": 0, "alarm": 0, "miss": 0, "calm": 0}
    for day in found["periods"]:
        for place, person in enumerate(people):
            end = person.terms[0].end
            if end is not None and end < day:
                continue
            colour = seen.colour[place, days.index(day)]
            gone = end is not None and day < end + 1 <= day + horizon
            if colour >= 0:
                counts[{(1, 1): "hit", (1, 0): "alarm", (0, 1): "miss", (0, 0): "calm"}[colour >= 2, gone]] += 1
    assert {name: found["warnings"]["orange"][name] for name in counts} == counts
    assert all(
        later - earlier >= horizon for earlier, later in zip(found["periods"], found["periods"][1:], strict=False)
    )


def test_a_cut_off_counts_what_a_warning_under_it_would_have_been_worth():
    """Four customers, two of whom are lost within the period: by hand."""
    people = [customer(term(0, 50, churned=True)), customer(term(0, 60, churned=True)), customer(), customer()]
    totals = np.array([[12], [47], [47], [90]]) * 10**6
    replayed = History([0], totals, np.array([[RED], [ORANGE], [ORANGE], [GREEN]], dtype=np.int8))

    rows = grade(replayed, outcomes_of(people, [0], today=TODAY), horizon=90, today=TODAY)["cut_offs"]

    assert [(row["under"], row["hit"], row["alarm"], row["miss"]) for row in rows] == [
        (15, 1, 0, 1), (50, 2, 1, 0), (95, 2, 2, 0),
    ]  # fmt: skip
    assert (rows[1]["precision"]["share"], rows[1]["recall"]["share"]) == (2 / 3, 1.0)


def test_a_measure_is_judged_by_who_was_lost_with_few_of_its_points():
    """Of ten with few points four are lost, of thirty with many none; one is not measured, and lost."""
    lost = [at < 4 or at == 40 for at in range(41)]
    people = [customer(term(0, 50, churned=True)) if gone else customer() for gone in lost]
    points = np.array([[20] if at < 10 else [UNREAD] if at == 40 else [80] for at in range(41)], dtype=np.uint8)
    courses = [Course("dull", "Dull", np.full((41, 1), 60, dtype=np.uint8)), Course("logins", "Logins", points)]
    replayed = History([0], np.full((41, 1), 50 * 10**6), np.full((41, 1), YELLOW, dtype=np.int8), courses)

    found = grade(replayed, outcomes_of(people, [0], today=TODAY), horizon=90, today=TODAY)["measures"]

    logins, dull = found
    assert (logins["name"], logins["judged"], logins["lost"]) == ("Logins", 40, 4)
    assert [(logins[part]["cases"], logins[part]["lost"]) for part in ("low", "high", "unread")] == [
        (10, 4), (30, 0), (1, 1),
    ]  # fmt: skip
    assert logins["ranking"] == (4 * 30 + 4 * 6 / 2) / (4 * 36)
    assert dull["ranking"] == 0.5


def test_a_card_that_warns_of_everybody_is_not_praised_for_having_found_all():
    people = [*(customer(term(0, 50, churned=True)) for _ in range(12)), *(customer() for _ in range(20))]
    replayed = history([0], *([RED] for _ in people))
    graded = grade(replayed, outcomes_of(people, [0], today=TODAY), horizon=90, today=TODAY)

    assert lab_report._verdict(Backtest(horizon_days=90), graded, "red") == (
        "It warned of every customer, and so of all 12 losses: that tells nobody apart."
    )


def test_a_measure_that_is_the_same_for_everybody_says_so():
    courses = [Course("dull", "Dull", np.full((12, 1), 60, dtype=np.uint8))]
    replayed = History([0], np.full((12, 1), 50 * 10**6), np.full((12, 1), YELLOW, dtype=np.int8), courses)
    people = [customer(term(0, 50, churned=True)) for _ in range(12)]
    graded = grade(replayed, outcomes_of(people, [0], today=TODAY), horizon=90, today=TODAY)

    assert [row["says"] for row in lab_report._measures(graded)] == ["The same for nearly everybody"]
