from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories import AT
from webhooks.schedule import MAX_ATTEMPTS, WAITS, next_try, rest_after, retry_after

DAY = timedelta(days=1)


def test_ten_attempts_lie_in_75_hours_and_35_minutes():
    assert MAX_ATTEMPTS == 10
    assert sum(WAITS, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize(("attempt", "wait"), list(enumerate(WAITS, start=1)))
def test_each_wait_is_at_most_a_tenth_longer(attempt, wait):
    waits = {next_try(f"delivery {number}", attempt, at=AT) - AT for number in range(200)}
    assert min(waits) >= wait
    assert max(waits) <= wait * 1.1
    assert len(waits) > 50  # what failed together is not tried again together


def test_the_same_failure_is_planned_alike():
    assert next_try("one", 3, at=AT) == next_try("one", 3, at=AT)


def test_after_the_tenth_there_is_no_more():
    assert next_try("one", MAX_ATTEMPTS - 1, at=AT) is not None
    assert next_try("one", MAX_ATTEMPTS, at=AT) is None


def test_a_wish_makes_the_wait_longer_and_never_shorter():
    assert next_try("one", 1, at=AT, wish=timedelta(hours=1)) == AT + timedelta(hours=1)
    assert next_try("one", 5, at=AT, wish=timedelta(seconds=1)) >= AT + WAITS[4]


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("999999999999", DAY),
        ("Tue, 24 Nov 2026 09:10:00 GMT", timedelta(minutes=10)),
        ("Tue, 24 Nov 2026 08:00:00 GMT", timedelta()),
        ("Fri, 24 Nov 2028 08:00:00 GMT", DAY),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 09:10:00 +99999999999999999999", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_a_day_at_most(text, wish):
    assert retry_after(text, at=AT) == wish


def test_an_endpoint_rests_from_its_fifth_failure_and_never_more_than_ten_minutes():
    assert rest_after(4) is None
    assert rest_after(5) == timedelta(seconds=30)
    assert rest_after(8) == rest_after(500) == timedelta(minutes=10)
