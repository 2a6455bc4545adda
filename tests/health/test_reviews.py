"""Portfolio reviews: begun by the methodology or by a leader, worked off, closed with what they showed."""

import json
from collections import Counter
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import RuleViolated
from engagement.models import Notification
from health.actions import recompute
from health.actions.reviews import (
    close_review,
    install_review,
    settle_item,
    start_due_reviews,
    start_review,
    tick_step,
)
from health.models import HealthReview, ReviewItem
from health.queries.reviews import items_between, items_of
from health.reviews import dated, span
from tests.health import world
from tests.health.definitions import PACKS
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
YELLOW = {**FLEET_BEST, "login_pct": "10", "objectives": "off_track"}


@pytest.fixture
def vp():
    return world.person("vera@acme.test", role="vp_cs", name="Vera")


@pytest.fixture
def ann():
    return world.person("ann@acme.test", name="Ann")


@pytest.fixture
def book(ann):
    """Four accounts of Ann's, one in each band and one that nothing is known of; a churned one takes no part."""
    world.card()
    for pack in ("fleet", "generic"):
        install_review(PACKS[pack]["health_review"], pack=pack)
    named = {name: world.account(name, owner=ann) for name in ("Green", "Yellow", "Red", "Unknown")}
    world.account("Gone", owner=ann, status="churned", churned_on=date(2026, 11, 1))
    world.measure(named["Green"], FLEET_BEST)
    world.measure(named["Yellow"], YELLOW)
    world.measure(named["Red"], FLEET_RED)
    recompute(at=NOON)
    return named


def shown(rows):
    return [(item.account.name, item.rag, item.ask, item.with_lead) for item in rows]


@pytest.mark.requirement("FLEET-7.18")
def test_the_months_run_has_the_six_steps_of_the_methodology_with_their_days(book, vp):
    review = start_review("month", actor=vp, at=NOON)

    assert (review.first_on, review.last_on) == (date(2026, 11, 1), date(2026, 11, 30))
    assert [(step["name"], step["from_on"], step["until_on"]) for step in review.steps] == [
        ("Data Collection", "2026-11-01", "2026-11-07"),
        ("Scoring", "2026-11-01", "2026-11-07"),
        ("Review", "2026-11-08", "2026-11-14"),
        ("Action Planning", "2026-11-08", "2026-11-14"),
        ("Communication", "2026-11-15", "2026-11-21"),
        ("Monitoring", "2026-11-01", "2026-11-30"),
    ]


@pytest.mark.requirement("FLEET-5.14")
def test_running_the_month_opens_each_bands_task_with_its_owner_and_closes_with_trends(book, vp, ann):
    review = start_review("month", actor=vp, at=NOON)

    items = list(items_of(review, vp))
    assert shown(items) == [
        ("Red", "red", "Intervene with the VP", True),
        ("Yellow", "yellow", "Business review", False),
        ("Unknown", "none", "Score is overdue: see what is missing", False),
        ("Green", "green", "Expansion talk", False),
    ]
    assert {item.owner for item in items} == {ann}
    notice = Notification.objects.get(user=ann)
    assert (notice.title, notice.url) == (
        "Portfolio review, November 2026: 4 accounts of yours",
        f"/health/reviews/{review.pk}/?owner=me",
    )

    settle_item(items[0], done=True, note="Plan agreed", actor=ann, at=NOON)
    tick_step(review, 1, done=True, actor=vp, at=NOON)
    with pytest.raises(RuleViolated, match="trends"):
        close_review(review, trends="  ", actor=vp, at=NOON)
    closed = close_review(review, trends="Usage falls in rail", actor=vp, at=NOON)
    assert (closed.trends, closed.closed_by, closed.steps[0]["done_by"]) == ("Usage falls in rail", vp, "Vera")
    for change in (
        lambda: tick_step(review, 2, done=True, actor=vp, at=NOON),
        lambda: settle_item(items[1], done=True, actor=ann, at=NOON),
        lambda: close_review(review, trends="Again", actor=vp, at=NOON),
    ):
        with pytest.raises(RuleViolated, match="closed"):
            change()


def test_a_green_account_shows_what_the_methodology_does_for_it(book, vp, client):
    review = start_review("month", actor=vp, at=NOON)
    client.force_login(vp)
    page = client.get(f"/health/reviews/{review.pk}/").content.decode()
    assert "expand services, reference customer, strategic partnership, quarterly business reviews" in page


@pytest.mark.requirement("CS-10.2", "CS-10.3")
def test_each_month_the_portfolio_and_each_monday_what_is_at_risk_is_listed_for_its_csm(book, ann):
    sunday, monday = datetime(2026, 11, 29, 12, tzinfo=UTC), datetime(2026, 11, 30, 12, tzinfo=UTC)
    first = start_due_reviews(at=sunday)
    assert [(review.kind, review.first_on, review.items.count()) for review in first] == [
        ("week", date(2026, 11, 23), 2),
        ("month", date(2026, 11, 1), 4),
    ]
    assert HealthReview.objects.filter(first_on=date(2026, 11, 30)).count() == 0

    begun = start_due_reviews(at=monday)
    assert [(review.kind, review.first_on, review.started_by) for review in begun] == [
        ("week", date(2026, 11, 30), None)
    ]
    assert shown(items_of(begun[0], ann, owner="me")) == [
        ("Red", "red", "Intervene with the VP", True),
        ("Yellow", "yellow", "Business review", False),
    ]
    assert Notification.objects.filter(user=ann, title__startswith="At-risk review, week of 30 November").count() == 1
    assert start_due_reviews(at=monday) == []


def test_without_a_methodology_that_asks_nothing_begins_by_itself(vp):
    install_review(PACKS["mna"]["health_review"], pack="mna")
    assert start_due_reviews(at=NOON) == []


def test_a_review_is_started_once(book, vp):
    start_review("week", actor=vp, at=NOON)
    with pytest.raises(RuleViolated, match="started already"):
        start_review("week", actor=vp, at=NOON)
    with pytest.raises(RuleViolated, match="One of week, month"):
        start_review("year", actor=vp, at=NOON)


@pytest.mark.requirement("FLEET-7.1")
def test_an_account_without_a_score_is_overdue_to_its_csm_who_sees_their_own_book_only(book, vp, ann, client):
    bob = world.person("bob@acme.test", name="Bob")
    world.account("Bobs", owner=bob)
    from accounts.models import Workspace

    Workspace.objects.update(csm_reads_all_accounts=False)
    review = start_review("month", actor=vp, at=NOON)

    assert [item.account.name for item in items_of(review, vp) if item.rag == "none"] == ["Bobs", "Unknown"]
    assert [item.account.name for item in items_of(review, ann) if item.rag == "none"] == ["Unknown"]
    client.force_login(bob)
    page = client.get(f"/health/reviews/{review.pk}/?owner=").content.decode()
    assert ("Bobs" in page, "Score is overdue" in page, ">Red<" in page) == (True, True, False)
    theirs = ReviewItem.objects.get(account=book["Red"])
    assert client.post(f"/health/reviews/items/{theirs.pk}/", {"done": "1"}).status_code == 404


def test_the_pages_start_work_off_and_close(book, vp, ann, client):
    client.force_login(vp)
    answer = client.post("/health/reviews/", {"kind": "month"})
    review = HealthReview.objects.get()
    where = f"/health/reviews/{review.pk}/"
    assert answer["Location"] == where
    assert "0 of 4 accounts done" in client.get(where).content.decode()
    client.post(where, {"do": "done", "step": "3"})
    assert "Done by Vera" in client.get(where).content.decode()
    client.post(where, {"do": "open", "step": "3"})
    assert "Done by Vera" not in client.get(where).content.decode()
    assert "There is no such step" in client.post(where, {"do": "done", "step": "9"}, follow=True).content.decode()
    assert client.post(where, {"do": "anything"}).status_code == 404

    client.force_login(ann)
    item = ReviewItem.objects.get(account=book["Yellow"])
    client.post(f"/health/reviews/items/{item.pk}/", {"done": "1", "note": "Training booked"})
    page = client.get(where + "?state=done").content.decode()
    assert ("Training booked" in page, "Done by Ann" in page) == (True, True)
    client.post(f"/health/reviews/items/{item.pk}/", {"done": "0"})
    assert ReviewItem.objects.values_list("done_at", "note").get(pk=item.pk) == (None, "Training booked")
    client.post(f"/health/reviews/items/{item.pk}/", {"done": "1", "note": "Training booked"})
    assert client.post(where, {"do": "close", "trends": "x"}).status_code == 403
    lines = client.get(where + "export.csv").content.decode().splitlines()
    assert len(lines) == 5
    assert "Training booked" in "".join(lines)

    client.force_login(vp)
    assert "Note the trends" in client.post(where, {"do": "close", "trends": ""}, follow=True).content.decode()
    client.post(where, {"do": "close", "trends": "Rail is quiet"})
    assert "Rail is quiet" in client.get(where).content.decode()
    assert "Closed" in client.get("/health/reviews/").content.decode()


def test_the_interface_does_the_same(book, vp, client):
    client.force_login(vp)

    def send(method, path, body):
        return getattr(client, method)(f"/api/v1/health/{path}", json.dumps(body), content_type="application/json")

    made = send("post", "reviews/", {"kind": "month"})
    assert (made.status_code, made.json()["first_on"][-2:], len(made.json()["steps"])) == (201, "01", 6)
    assert send("post", "reviews/", {"kind": "month"}).status_code in {409, 422}
    key = made.json()["id"]
    items = client.get(f"/api/v1/health/reviews/{key}/items/?rag=red").json()["results"]
    assert [(item["name"], item["ask"], item["owner"]) for item in items] == [
        ("Red", "Intervene with the VP", "ann@acme.test")
    ]
    done = send("patch", f"review-items/{items[0]['id']}/", {"done": True, "note": "Called"})
    assert (done.json()["done_by"], done.json()["note"]) == ("vera@acme.test", "Called")
    assert send("patch", f"reviews/{key}/", {"step": 1}).json()["steps"][0]["done_by"] == "Vera"
    refused = send("patch", f"reviews/{key}/", {"trends": " "})
    assert refused.status_code in {400, 422}
    assert send("patch", f"reviews/{key}/", {"trends": "Steady"}).json()["trends"] == "Steady"
    assert [row["id"] for row in client.get("/api/v1/health/reviews/").json()["results"]] == [key]


@pytest.mark.parametrize("accounts", [1, 3])
def test_queries_do_not_depend_on_the_accounts(vp, ann, client, accounts):
    world.card()
    for at in range(accounts):
        world.measure(world.account(f"A{at}", owner=ann), FLEET_RED)
    recompute(at=NOON)
    with CaptureQueriesContext(connection) as starting:
        review = start_review("week", actor=vp, at=NOON)
    client.force_login(vp)
    client.get(f"/health/reviews/{review.pk}/")
    with CaptureQueriesContext(connection) as reading:
        client.get(f"/health/reviews/{review.pk}/")
    with CaptureQueriesContext(connection) as listing:
        client.get("/health/reviews/")
    assert (len(starting), len(reading), len(listing)) == (22, 12, 12)


def test_any_stretch_of_the_items_is_that_of_all_in_order(book, vp, ann, django_assert_num_queries):
    """Only the colours of a page are sorted: whichever places are asked for, the same rows come."""
    for name, figures in (("Blue", FLEET_RED), ("Amber", YELLOW), ("Crimson", FLEET_RED), ("Azure", FLEET_BEST)):
        world.measure(world.account(name, owner=ann), figures)
    recompute(at=NOON)
    review = start_review("month", actor=vp, at=NOON)
    settle_item(ReviewItem.objects.get(account=book["Red"]), done=True, note=None, actor=vp, at=NOON)
    for asked in ({}, {"state": "open"}, {"state": "done"}, {"owner": "me"}):
        rows = items_of(review, vp, **asked)
        every = list(rows)
        totals = Counter(item.rag for item in every)
        for first in range(len(every)):
            for last in range(first + 1, len(every) + 2):
                with django_assert_num_queries(1):
                    assert items_between(rows, totals, first, last) == every[first:last], (asked, first, last)
    assert [item.account.name for item in items_of(review, vp)][:3] == ["Blue", "Crimson", "Red"]


def test_a_long_review_has_pages_that_tell_of_each_colour_how_many_there_are(book, vp, client, monkeypatch):
    monkeypatch.setattr("health.pages.reviews.PER_PAGE", 3)
    review = start_review("month", actor=vp, at=NOON)
    client.force_login(vp)
    pages = [client.get(f"/health/reviews/{review.pk}/", {"page": number}) for number in ("1", "2", "9")]
    shown = [
        [(label, [item.account.name for item in items], count) for label, _tone, items, count in page.context["groups"]]
        for page in pages
    ]
    assert shown[0] == [("Red", ["Red"], 1), ("Yellow", ["Yellow"], 1), ("Not enough data", ["Unknown"], 1)]
    assert shown[1] == shown[2] == [("Green", ["Green"], 1)]


def test_weeks_begin_on_monday_and_months_end_where_they_end():
    assert span("week", date(2026, 3, 1)) == (date(2026, 2, 23), date(2026, 3, 1))
    assert span("month", date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 2, 29))
    assert dated([{"seq": 1, "name": "x", "week": 3, "tasks": ["a"]}], date(2026, 2, 1))[0]["until_on"] == "2026-02-21"
