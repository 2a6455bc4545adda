"""The provider: computed figures against a naive count, stated ones as of a day, and which of the two counts."""

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Severity
from tests.usage.world import NOW, TODAY, event, make_account, post, post_metrics
from usage.actions import define_key_features, define_metric, drain
from usage.catalogue import DERIVED
from usage.metrics import provide

pytestmark = pytest.mark.django_db
FEATURES = ("gps", "work_orders", "drivers", "reports")


def days_ago(count):
    return NOW - dt.timedelta(days=count)


def figure(account, metric, on=TODAY):
    seen = provide([account.pk], {metric}, on).get(metric, {}).get(account.pk)
    return None if seen is None else seen.value


def naive(events, assigned, on):
    """Every event metric of one account, counted event by event."""
    window = [e for e in events if on - dt.timedelta(days=30) < e["day"] <= on]
    users = {e["user"] for e in window if e["user"]}
    if not any(e["day"] <= on for e in events):
        return {}
    used = {user: {e["event"] for e in window if e["user"] == user and e["event"] in FEATURES} for user in users}
    recent = sum(e["quantity"] for e in events if on - dt.timedelta(days=14) <= e["day"] < on)
    before = sum(e["quantity"] for e in events if on - dt.timedelta(days=28) <= e["day"] < on - dt.timedelta(days=14))
    weekdays = [on - dt.timedelta(days=n) for n in range(30) if (on - dt.timedelta(days=n)).weekday() < 5]
    pairs = sum(len(features) for features in used.values())
    daily = sum(len({e["user"] for e in window if e["user"] and e["day"] == day}) for day in weekdays)

    def pct(part, whole):
        return None if not whole else min(Decimal(100), Decimal(part) * 100 / Decimal(whole))

    logins = [e for e in window if e["event"] == "login"]
    return {
        "active_users": Decimal(len(users)),
        "active_users_pct": pct(len(users), assigned),
        "login_pct": pct(len({e["user"] for e in logins if e["user"]}), assigned),
        "mobile_pct": pct(len({e["user"] for e in window if e["user"] and e["mobile"]}), assigned),
        "daily_active_users_percentage": pct(daily, assigned * len(weekdays)),
        "login_frequency_weekly": (
            Decimal(sum(e["quantity"] for e in logins) * 7) / (30 * len(users)) if users else None
        ),
        "active_days": Decimal(len({e["day"] for e in window})),
        "usage_change_pct": Decimal((recent - before) * 100) / before if recent and before else None,
        "usage_30d": Decimal(sum(e["quantity"] for e in window)),
        "feature_utilization_pct": pct(len({e["event"] for e in window} & set(FEATURES)), 4),
        "feature_adoption_rate": pct(pairs, assigned * 4),
        "feature_depth_pct": pct(pairs, len(users) * 4),
        "users_2plus_features_pct": pct(sum(len(f) >= 2 for f in used.values()), assigned),
        "users_3plus_features_pct": pct(sum(len(f) >= 3 for f in used.values()), assigned),
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_computed_figures_equal_a_count_event_by_event(seed):
    drawn = random.Random(seed)
    define_key_features([{"key": key, "name": key} for key in FEATURES], actor=None, at=NOW)
    accounts = {
        f"A-{n}": make_account(f"A-{n}", external_id=f"A-{n}", assigned_users=drawn.randint(1, 150)) for n in range(6)
    }
    sent, told = [], {name: [] for name in accounts}
    for number in range(1500):
        name = drawn.choice(list(accounts)[:5])  # the sixth stays silent for ever
        at = days_ago(drawn.random() ** 2 * 70)
        one = {
            "user": drawn.choice([None, *(f"u{n}" for n in range(int(name[-1]) * 30 + 1))]),
            "event": drawn.choice(["login", "export", *FEATURES]), "quantity": drawn.randint(1, 3),
            "mobile": drawn.random() < 0.2,
        }  # fmt: skip
        told[name].append({**one, "day": at.date()})
        sent.append(event(number, account=name, user=one["user"], name=one["event"], at=at, quantity=one["quantity"],
                          properties={"platform": "ios"} if one["mobile"] else {}))  # fmt: skip
    post(sent)
    drain(at=NOW)

    for on in (TODAY, TODAY - dt.timedelta(days=20), TODAY - dt.timedelta(days=65), TODAY - dt.timedelta(days=400)):
        columns = provide(None, set(DERIVED), on)
        for name, account in accounts.items():
            expected = {
                key: value.quantize(Decimal("0.000001"))
                for key, value in naive(told[name], account.assigned_users, on).items()
                if value is not None
            }
            found = {
                key: column[account.pk].value.quantize(Decimal("0.000001"))
                for key, column in columns.items()
                if account.pk in column
            }
            assert found == expected, (name, on)


def test_exact_edges_stay_exact():
    account = make_account(external_id="A-1", assigned_users=20)
    post([event(n, user=f"u{n}") for n in range(16)])
    drain(at=NOW)

    assert figure(account, "active_users_pct") == Decimal(80)
    assert str(figure(account, "active_users_pct")) == "80"


def test_never_used_is_missing_and_no_longer_used_is_zero():
    silent, stopped = (
        make_account("Silent", assigned_users=5),
        make_account("Stopped", external_id="A-1", assigned_users=5),
    )
    post([event(0, at=days_ago(40))])
    drain(at=NOW)

    assert figure(silent, "active_users_pct") is None
    assert figure(stopped, "active_users_pct") == 0
    assert figure(stopped, "active_users_pct", TODAY - dt.timedelta(days=41)) is None


def test_the_base_is_assigned_users_then_seats_then_everybody_seen():
    accounts = [
        make_account("Stated", external_id="A-0", assigned_users=10, seats=20),
        make_account("Assigned", external_id="A-1", assigned_users=10, seats=20),
        make_account("Seats", external_id="A-2", seats=20),
        make_account("Neither", external_id="A-3"),
    ]
    post([event(f"{n}-{user}", account=f"A-{n}", user=f"u{user}") for n in range(4) for user in range(4)])
    post([event("old", account="A-3", user="left", at=days_ago(60))])
    post_metrics([{"account": "A-0", "metric": "assigned_users", "on": str(TODAY), "value": "8"}])
    drain(at=NOW)

    assert [figure(account, "active_users_pct") for account in accounts] == [50, 40, 20, 80]


def test_more_users_than_assigned_are_a_hundred_percent():
    account = make_account(external_id="A-1", assigned_users=2)
    post([event(n, user=f"u{n}") for n in range(3)])
    drain(at=NOW)

    assert figure(account, "active_users_pct") == 100


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [(100, 80, -20), (1000, 801, Decimal("-19.9")), (10, 15, 50), (0, 10, None), (10, 0, None), (10, 10, 0)],
)
def test_usage_change_compares_fourteen_full_days_with_the_fourteen_before(before, now, expected):
    account = make_account(external_id="A-1")
    sent = [event("today", at=NOW, quantity=999), event("older", at=days_ago(29), quantity=999)]
    sent += [event("b", at=days_ago(28), quantity=before)] if before else []
    sent += [event("n", at=days_ago(14), quantity=now)] if now else []
    post(sent)
    drain(at=NOW)

    assert figure(account, "usage_change_pct") == expected


def test_without_logins_from_anybody_any_activity_is_a_login():
    account = make_account(external_id="A-1", assigned_users=4)
    other = make_account("Other", external_id="A-2", assigned_users=4)
    post([event(n, user=f"u{n}", name="export") for n in range(2)])
    drain(at=NOW)
    assert figure(account, "login_pct") == 50

    post([event("x", account="A-2")])
    drain(at=NOW)
    assert (figure(account, "login_pct"), figure(other, "login_pct")) == (0, 25)


def test_mobile_is_no_figure_until_events_tell_the_platform():
    account = make_account(external_id="A-1", assigned_users=4)
    other = make_account("Other", external_id="A-2", assigned_users=4)
    post([event(0), event(1, account="A-2")])
    drain(at=NOW)
    assert figure(account, "mobile_pct") is None

    post([event(2, account="A-2", properties={"mobile": True})])
    drain(at=NOW)
    assert (figure(account, "mobile_pct"), figure(other, "mobile_pct")) == (0, 25)


def test_events_without_users_give_volume_and_features_but_no_shares_of_users():
    account = make_account(external_id="A-1", assigned_users=4)
    post([event(n, user=None, name=name) for n, name in enumerate(["gps.open", "reports"])])
    drain(at=NOW)

    assert figure(account, "active_users_pct") is None
    assert (figure(account, "usage_30d"), figure(account, "feature_utilization_pct")) == (2, 100)


def test_a_customer_whose_events_name_nobody_is_measured_as_a_whole():
    account = make_account(external_id="A-1", assigned_users=4)
    define_key_features([{"key": "gps", "name": "GPS"}, {"key": "reports", "name": "Reports"}], actor=None, at=NOW)
    post([event(n, user=None, name="gps", at=days_ago(n // 2)) for n in range(6)])
    drain(at=NOW)

    assert (figure(account, "active_days"), figure(account, "login_frequency_weekly")) == (3, Decimal("0.7"))
    assert (figure(account, "feature_adoption_rate"), figure(account, "feature_depth_pct")) == (50, None)

    # As soon as anybody is named, shares are shares of people again.
    post([event("x", user="ada", name="gps")])
    drain(at=NOW)
    assert (figure(account, "login_frequency_weekly"), figure(account, "feature_adoption_rate")) == (None, 12.5)


def test_logins_of_others_end_the_days_that_stood_for_them():
    account = make_account(external_id="A-1")
    make_account("Other", external_id="A-2")
    post([event(0, user=None, name="gps"), event(1, account="A-2")])
    drain(at=NOW)

    assert (figure(account, "login_frequency_weekly"), figure(account, "active_days")) == (None, 1)


def test_features_not_counted_are_recorded_only():
    define_key_features(
        [{"key": "gps", "name": "GPS"}, {"key": "dash", "name": "Dash", "counted": False}], actor=None, at=NOW
    )
    account = make_account(external_id="A-1", assigned_users=1)
    post([event(0, name="dash")])
    drain(at=NOW)
    assert figure(account, "feature_utilization_pct") == 0

    define_key_features([{"key": "gps", "name": "GPS"}, {"key": "dash", "name": "Dash"}], actor=None, at=NOW)
    assert figure(account, "feature_utilization_pct") == 50


def test_sessions_and_workflows():
    account = make_account(external_id="A-1")
    post([event(0, name="session", properties={"minutes": 20}),
          event(1, name="Session-End", properties={"seconds": 600}),
          event(2, name="workflow.started", quantity=4), event(3, name="workflow_completed", quantity=3)])  # fmt: skip
    drain(at=NOW)

    assert (figure(account, "session_minutes"), figure(account, "workflow_completion_pct")) == (15, 75)


def test_volume_against_what_was_expected():
    account = make_account(external_id="A-1")
    post([event(0, quantity=45)])
    drain(at=NOW)
    assert figure(account, "usage_vs_expected_pct") is None

    post_metrics([{"account": "A-1", "metric": "expected_usage_30d", "on": str(TODAY), "value": 100}])
    assert figure(account, "usage_vs_expected_pct") == 45


class TestStated:
    @pytest.fixture(autouse=True)
    def defined(self):
        define_metric("login_pct", name="Logins", unit="percent", lowest=0, highest=100, at=NOW)
        define_metric("mood", name="Mood", kind="choice", options=["good", "bad"], at=NOW)

    def test_as_of_a_day_later_values_are_not_seen(self):
        account = make_account(external_id="A-1")
        for back, given in ((20, "good"), (10, "bad")):
            day = TODAY - dt.timedelta(days=back)
            post_metrics([{"account": "A-1", "metric": "mood", "on": str(day), "value": given}])

        found = [figure(account, "mood", TODAY - dt.timedelta(days=back)) for back in (21, 20, 11, 10, 0)]
        assert found == [None, "good", "good", "bad", "bad"]

    def test_the_observation_tells_its_day_and_source(self):
        account = make_account(external_id="A-1")
        post_metrics([{"account": "A-1", "metric": "mood", "on": "2026-11-20", "value": "good"}])

        seen = provide([account.pk], {"mood"}, TODAY)["mood"][account.pk]
        assert seen == ("good", dt.datetime(2026, 11, 20, tzinfo=dt.UTC), "crm")

    def test_a_stated_value_counts_instead_of_the_computed_one_for_thirty_one_days(self):
        account = make_account(external_id="A-1", assigned_users=2)
        post([event(0)])
        drain(at=NOW)
        post_metrics([{"account": "A-1", "metric": "login_pct", "on": str(TODAY - dt.timedelta(days=31)), "value": 85}])

        assert figure(account, "login_pct") == 85
        assert figure(account, "login_pct", TODAY + dt.timedelta(days=1)) == 50

    def test_a_stated_value_stays_when_nothing_is_computed(self):
        account = make_account(external_id="A-1")
        post_metrics([{"account": "A-1", "metric": "login_pct", "on": "2026-01-01", "value": 85}])

        assert figure(account, "login_pct") == 85


class TestTickets:
    @staticmethod
    def send(*rows):
        post_metrics([
            {"account": "A-1", "metric": metric, "on": str(TODAY - dt.timedelta(days=back)), "value": value}
            for metric, back, value in rows
        ])  # fmt: skip

    def test_daily_figures_add_up_over_their_windows(self):
        account = make_account(external_id="A-1")
        self.send(("tickets_opened", 0, 3), ("tickets_opened", 29, 2), ("tickets_opened", 30, 4),
                  ("tickets_opened", 60, 9), ("tickets_escalated", 0, 1), ("tickets_resolved", 1, 2),
                  ("resolution_hours_total", 1, 96))  # fmt: skip

        assert figure(account, "tickets_month") == 5
        assert figure(account, "ticket_count_change_pct") == 25
        assert figure(account, "escalation_rate_percentage") == 20
        assert (figure(account, "resolution_hours"), figure(account, "avg_resolution_hours")) == (48, 48)
        assert figure(account, "s1_tickets_30d") is None

    def test_a_replaced_day_counts_its_last_value(self):
        account = make_account(external_id="A-1")
        self.send(("tickets_opened", 0, 3))
        self.send(("tickets_opened", 0, 4))

        assert figure(account, "tickets_month") == 4

    def test_severities_by_the_methodologys_names(self):
        account = make_account(external_id="A-1")
        for rank, key in enumerate(("critical", "high", "medium", "low"), start=1):
            Severity.objects.create(key=key, name=key, rank=rank)
        self.send(("tickets_s1", 0, 1), ("tickets_s2", 13, 2), ("tickets_s2", 14, 5), ("open_tickets_s1", 0, 1))

        assert (figure(account, "ticket_count:critical"), figure(account, "ticket_count:High")) == (1, 2)
        month = ("tickets_month", "s2_tickets_30d", "s3_tickets_30d")
        assert [figure(account, metric) for metric in month] == [8, 7, 0]
        assert figure(account, "open_tickets:critical") == 1
        assert figure(account, "ticket_count:unheard-of") == 0

    def test_from_no_ticket_each_counts_a_hundred_percent(self):
        account = make_account(external_id="A-1")
        self.send(("tickets_opened", 0, 3))
        assert figure(account, "ticket_count_change_pct") == 300

    def test_an_account_without_a_ticket_figure_is_missing(self):
        account = make_account(external_id="A-1")
        assert figure(account, "tickets_month") is None

    def test_tickets_per_active_user(self):
        account = make_account(external_id="A-1")
        self.send(("tickets_opened", 0, 3))
        assert figure(account, "tickets_per_user_monthly") is None
        post([event(n, user=f"u{n}") for n in range(2)])
        drain(at=NOW)
        assert figure(account, "tickets_per_user_monthly") == Decimal("1.5")


def test_a_silent_account_is_fresh_while_the_feed_lives_and_stale_when_it_died():
    account = make_account(external_id="A-1", assigned_users=1)
    make_account("Busy", external_id="A-2")
    post([event(0, at=days_ago(50)), event(1, account="A-2", at=days_ago(3))])
    drain(at=NOW)

    assert provide([account.pk], {"active_users_pct"}, TODAY)["active_users_pct"][account.pk].observed_at == days_ago(3)


def test_the_queries_do_not_depend_on_the_accounts():
    numbers = []
    for count in (1, 3):
        for number in range(count):
            make_account(f"{count}-{number}", external_id=f"{count}-{number}", assigned_users=3)
        post([event(f"{count}-{n}", account=f"{count}-{n}") for n in range(count)])
        drain(at=NOW)
        with CaptureQueriesContext(connection) as queries:
            provide(None, set(DERIVED) | {"mood"}, TODAY)
        numbers.append(len(queries))
    assert numbers == [4, 4]
