"""What came of CTAs: endings are counted, and a difference is told only where there is enough to tell it from."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta
from decimal import Decimal
from statistics import mean, variance

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.choices import Role
from health.book.uplift import LEAST, Group, quantile, uplift
from health.models import AccountHealth, HealthScore
from health.queries.outcomes import FOLLOWED_DAYS, outcomes
from playbooks.actions import add_task, close_cta, complete_task, open_cta
from tests.factories import AccountFactory, UserFactory
from tests.health import world

# -- the arithmetic ----------------------------------------------------------------------------------------


def group(values):
    return Group(len(values), mean(values), variance(values))


@given(st.integers(0, LEAST - 1), st.integers(0, 100))
def test_with_too_few_on_either_side_nothing_is_told(few, many):
    assert uplift(Group(few, 9.0, 1.0), Group(many, 0.0, 1.0)) is None
    assert uplift(Group(many, 0.0, 1.0), Group(few, 9.0, 1.0)) is None


def test_the_interval_is_that_of_the_text_book():
    found = uplift(Group(10, 5.0, 4.0), Group(10, 1.0, 5.0))
    assert found.points == 4.0
    assert found.margin == pytest.approx(2.262 * (0.4 + 0.5) ** 0.5)
    assert found.verdict == "better"
    assert uplift(Group(10, 1.0, 4.0), Group(10, 5.0, 5.0)).verdict == "worse"
    assert uplift(Group(10, 1.0, 40.0), Group(10, 2.0, 50.0)).verdict == "open"


def test_without_any_spread_the_difference_is_told_and_nothing_is_concluded_from_it():
    found = uplift(Group(10, 5.0, 0.0), Group(12, 1.0, 0.0))
    assert (found.points, found.margin, found.interval, found.verdict) == (4.0, None, None, "open")
    spread = uplift(Group(10, 5.0, 0.0), Group(12, 1.0, 0.5))
    assert spread.margin == pytest.approx(2.262 * (0.5 / 12) ** 0.5)
    assert spread.verdict == "better"


@given(st.integers(9, 500))
def test_the_quantile_is_never_below_that_of_more_freedom(freedom):
    assert 1.959 < quantile(freedom + 1) <= quantile(freedom) <= 2.262


def test_with_labels_drawn_by_lot_a_difference_is_seldom_told_and_a_planted_one_is():
    chance = random.Random(7)
    verdicts = []
    for _ in range(300):
        moves = [chance.gauss(0, 8) for _ in range(40)]
        verdicts.append(uplift(group(moves[:20]), group(moves[20:])).verdict)
    assert verdicts.count("open") >= 0.93 * len(verdicts)
    planted = [chance.gauss(12, 8) for _ in range(40)], [chance.gauss(0, 8) for _ in range(40)]
    assert uplift(*map(group, planted)).verdict == "better"


# -- the page ----------------------------------------------------------------------------------------------


@pytest.fixture
def leader():
    return UserFactory(role=Role.VP_CS)


@pytest.fixture
def desk(client, leader):
    client.force_login(leader)
    return client


NOW = timezone.now


def followed(
    leader, *, moved, worked="", days=FOLLOWED_DAYS + 10, key="declining-usage", one_version=True, account=None
):
    """An account on which the trigger fired ``days`` ago, whose score moved by ``moved`` in the days followed."""
    account = account or AccountFactory()
    if not AccountHealth.objects.exists():
        world.score(account)
        HealthScore.objects.all().delete()
    row = AccountHealth.objects.get()  # one real score, of which every row here is a copy
    skipped = {"account_id", "computed_on", "score"}
    common = {
        field.attname: getattr(row, field.attname)
        for field in HealthScore._meta.concrete_fields
        if field.attname not in skipped
    }
    at = NOW() - timedelta(days=days)
    day = timezone.localtime(at).date()
    for on, score in ((day, Decimal(60)), (day + timedelta(days=FOLLOWED_DAYS), Decimal(60 + moved))):
        HealthScore.objects.create(account=account, computed_on=on, score=score, **common)
    if not one_version:
        newest = HealthScore.objects.filter(account=account).order_by("-computed_on").first()
        newest.version_id = account.pk
        newest.save(update_fields=["version_id"])
    values = {"title": "Declining usage", "reason": "", "kind": "risk", "priority": "high", "trigger_key": key}
    cta = open_cta(account, at=at, **values)
    if worked == "ticked":
        complete_task(add_task(cta, title="Call", actor=leader, at=at), actor=leader, at=at + timedelta(days=3))
    elif worked == "late":
        complete_task(add_task(cta, title="Call", actor=leader, at=at), actor=leader, at=at + timedelta(days=35))
    elif worked:
        close_cta(cta, outcome=worked, actor=leader, at=at + timedelta(days=4))
    return cta


def found(leader):
    return outcomes(leader, timezone.localdate(), "UTC")


@pytest.mark.django_db
def test_endings_are_counted_and_both_sides_followed(leader):
    world.card()
    followed(leader, moved=8, worked="resolved")
    followed(leader, moved=2, worked="unresolved")
    followed(leader, moved=5, worked="ticked")
    followed(leader, moved=-4)
    followed(leader, moved=-6, worked="no_action")
    followed(leader, moved=-2, worked="late")
    followed(leader, moved=9, worked="resolved", days=FOLLOWED_DAYS - 5)  # too young to be followed
    followed(leader, moved=30, worked="resolved", one_version=False)
    followed(leader, moved=1, worked="resolved", days=400)
    followed(leader, moved=1, key="")
    (one,) = found(leader)
    assert (one.opened, one.resolved, one.unresolved, one.no_action, one.invalid) == (8, 3, 1, 1, 0)
    assert one.days_to_close == pytest.approx(4)
    assert (one.worked.count, one.worked.mean) == (3, 5.0)
    assert (one.others.count, one.others.mean) == (3, -4.0)
    assert one.worked.variance == pytest.approx(9)
    assert one.uplift is None


@pytest.mark.django_db
def test_a_planted_uplift_is_told_with_its_interval_on_page_and_in_the_file(desk, leader):
    world.card()
    for number in range(LEAST):
        followed(leader, moved=10 + number % 3, worked="resolved")
        followed(leader, moved=number % 3)
    page = desk.get("/health/outcomes/").content.decode()
    assert "Better where it was worked" in page
    assert "+10.0 points" in page
    assert "trigger=declining-usage" in page
    (line,) = csv.DictReader(io.StringIO(desk.get("/health/outcomes/export.csv").content.decode("utf-8-sig")))
    assert (line["opened"], line["worked_followed"], line["not_worked_followed"]) == ("20", "10", "10")
    assert float(line["low"]) > 8
    listed = desk.get("/ctas/?status=closed&outcome=resolved&trigger=declining-usage").content.decode()
    assert "10 CTAs" in listed


@pytest.mark.django_db
def test_accounts_that_all_moved_alike_give_no_interval(desk, leader):
    world.card()
    for _ in range(LEAST):
        followed(leader, moved=5, worked="resolved")
        followed(leader, moved=0)
    page = desk.get("/health/outcomes/").content.decode()
    assert "+5.0 points; all moved alike on both sides, so no interval" in page
    assert "Better where it was worked" not in page
    (line,) = csv.DictReader(io.StringIO(desk.get("/health/outcomes/export.csv").content.decode("utf-8-sig")))
    assert (line["difference"], line["low"], line["high"]) == ("5.0", "", "")


@pytest.mark.django_db
def test_an_account_counts_once_however_often_the_trigger_fired_on_it(leader):
    world.card()
    often = AccountFactory()
    for number in range(LEAST):
        followed(leader, moved=number, worked="resolved", days=FOLLOWED_DAYS + 200 - 70 // 4 * number, account=often)
        followed(leader, moved=0)
    (one,) = found(leader)
    assert (one.opened, one.resolved) == (2 * LEAST, LEAST)
    assert (one.worked.count, one.others.count) == (1, LEAST)
    assert one.uplift is None


@pytest.mark.django_db
def test_few_are_told_as_too_few_and_none_as_none(desk, leader):
    assert "No trigger opened a CTA yet" in desk.get("/health/outcomes/").content.decode()
    world.card()
    followed(leader, moved=40, worked="resolved")
    page = desk.get("/health/outcomes/").content.decode()
    assert "Too few to tell" in page
    assert "Better where" not in page


@pytest.mark.django_db
def test_only_of_accounts_that_the_reader_may_see(leader):
    world.card()
    followed(leader, moved=1)
    assert found(UserFactory(role=Role.PORTAL_USER)) == []


@pytest.mark.django_db
def test_the_page_takes_the_same_queries_for_one_and_three_lines_and_at_most_twelve(desk, leader):
    world.card()
    counts = []
    desk.get("/ctas/")
    for keys in (["a"], ["b", "c"]):
        for key in keys:
            followed(leader, moved=1, key=key)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get("/health/outcomes/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
