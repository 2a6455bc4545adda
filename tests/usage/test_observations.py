"""Metric values: checked, the later one replaces, both stay, unknown accounts wait."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import RuleViolated
from accounts.models import AuditEntry, ChangedAccount, ExternalId, User
from tests.usage.world import NOW, TODAY, counts, make_account, post_metrics
from usage.actions import define_metric, record_observations, replay_parked_observations, state_metric
from usage.models import MetricDefinition, MetricLatest, MetricValue, ParkedObservation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def definitions():
    define_metric("data_accuracy_pct", name="Accuracy", unit="percent", lowest=0, highest=100, at=NOW)
    define_metric("nps", name="NPS", unit="nps", lowest=-100, highest=100, at=NOW)
    define_metric("free", name="Free", at=NOW)
    define_metric(
        "objectives",
        name="Objectives",
        kind="choice",
        options=["on_track", "partial", "off_track"],
        at=NOW,
        pack="fleet",
    )


def value(given, *, account="A-1", metric="data_accuracy_pct", on=TODAY):
    return {"account": account, "metric": metric, "on": str(on), "value": given}


def current():
    return {
        (row.metric, row.on): row.shown
        for row in MetricValue.objects.filter(superseded_at=None).order_by("metric", "on")
    }


GOOD = [
    ("data_accuracy_pct", "0", "0"), ("data_accuracy_pct", "100", "100"), ("data_accuracy_pct", 92, "92"),
    ("data_accuracy_pct", 92.5, "92.5"), ("data_accuracy_pct", " 92.50 ", "92.5"), ("nps", "-100", "-100"),
    ("nps", -0.5, "-0.5"), ("free", "-1e3", "-1000"), ("free", "0.1234567", "0.123457"),
    ("objectives", "partial", "partial"),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "given", "shown"), GOOD)
def test_a_value_within_its_bounds_is_stored(metric, given, shown):
    make_account(external_id="A-1")
    answer, receipt = post_metrics([value(given, metric=metric)])

    assert answer["rejected"] == []
    assert current() == {(metric, TODAY): shown}
    assert counts(receipt) == {
        "state": "done", "received": 1, "accepted": 1, "duplicates": 0, "parked": 0, "rejected": 0,
    }  # fmt: skip


BAD = [
    ({"value": "-0.000001"}, "value", "out_of_bounds"), ({"value": "100.000001"}, "value", "out_of_bounds"),
    ({"value": "nan"}, "value", "not_a_number"), ({"value": "Infinity"}, "value", "not_a_number"),
    ({"value": "85 %"}, "value", "not_a_number"), ({"value": "1e400", "metric": "free"}, "value", "not_a_number"),
    ({"value": ""}, "value", "not_a_number"), ({"value": True}, "value", "wrong_type"),
    ({"value": None}, "value", "wrong_type"), ({"value": [1]}, "value", "wrong_type"),
    ({"metric": "objectives", "value": "On track"}, "value", "unknown_option"),
    ({"metric": "objectives", "value": 1}, "value", "unknown_option"),
    ({"metric": "made_up"}, "metric", "unknown_metric"), ({"metric": "x" * 61}, "metric", "too_long"),
    ({"on": "2026-13-01"}, "on", "invalid_time"), ({"on": "2026-11-24T00:00:00Z"}, "on", "invalid_time"),
    ({"on": 5}, "on", "wrong_type"),
    ({"on": str(TODAY + dt.timedelta(days=2))}, "on", "in_future"), ({"on": "1999-12-31"}, "on", "too_old"),
    ({"account": ""}, "account", "too_short"), ({"account": "a\u0000"}, "account", "control_character"),
    ({"value": "on_track\u0000", "metric": "objectives"}, "value", "control_character"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "code"), BAD, ids=range(len(BAD)))
def test_a_value_that_breaks_a_rule_is_refused_and_the_others_kept(change, field, code):
    make_account(external_id="A-1")
    answer, receipt = post_metrics([value("1"), {**value("2"), **change}, value("3", metric="free")])

    assert [(one["index"], one["field"], one["code"]) for one in answer["rejected"]] == [(1, field, code)]
    assert current() == {("data_accuracy_pct", TODAY): "1", ("free", TODAY): "3"}
    assert (counts(receipt)["accepted"], counts(receipt)["rejected"]) == (2, 1)


def test_a_later_value_replaces_and_both_stay():
    account = make_account(external_id="A-1")
    post_metrics([value("80")])
    post_metrics([value("85")], now=NOW + dt.timedelta(hours=1), source="desk")

    rows = list(MetricValue.objects.order_by("recorded_at").values_list("number", "source", "superseded_at"))
    assert rows == [(Decimal(80), "crm", NOW + dt.timedelta(hours=1)), (Decimal(85), "desk", None)]
    latest = MetricLatest.objects.get(account=account)
    assert (latest.number, latest.source, latest.on) == (Decimal(85), "desk", TODAY)


def test_the_same_value_again_is_a_duplicate_without_history():
    make_account(external_id="A-1")
    post_metrics([value("80"), value("80.0")])
    _, receipt = post_metrics([value("80")])

    assert counts(receipt)["duplicates"] == 1
    assert MetricValue.objects.count() == 1


def test_within_a_batch_the_last_one_counts():
    make_account(external_id="A-1")
    _, receipt = post_metrics([value("80"), value("85"), value("80")])

    assert counts(receipt)["accepted"] == 3
    assert current() == {("data_accuracy_pct", TODAY): "80"}
    assert MetricValue.objects.filter(superseded_at__isnull=False).count() == 2


def test_a_value_for_an_earlier_day_leaves_the_latest_alone():
    make_account(external_id="A-1")
    post_metrics([value("85")])
    post_metrics([value("60", on=TODAY - dt.timedelta(days=3))])

    assert MetricLatest.objects.get().number == 85
    assert len(current()) == 2


def test_an_unknown_accounts_values_wait_and_are_recorded_in_order():
    answer, receipt = post_metrics(
        [value("80", account="late"), value("85", account="late"), value("1", account="never")]
    )
    assert (answer["rejected"], counts(receipt)["parked"]) == ([], 3)
    account = make_account()
    ExternalId.objects.create(account=account, source="crm", external_id="late")

    assert replay_parked_observations(at=NOW) == 2
    assert current() == {("data_accuracy_pct", TODAY): "85"}
    assert counts(receipt) == {
        "state": "done", "received": 3, "accepted": 2, "duplicates": 0, "parked": 1, "rejected": 0,
    }  # fmt: skip
    assert replay_parked_observations(at=NOW) == 0
    assert ParkedObservation.objects.get().account == "never"


def test_rows_of_an_import_name_their_unknown_accounts():
    make_account(external_id="A-1")
    done = record_observations([value("80"), value("81", account="B-1"), value("x")], source="crm", at=NOW)

    assert (done.accepted, done.parked) == ([0], [])
    assert [(one.index, one.code) for one in done.rejected] == [(1, "unknown_account"), (2, "not_a_number")]


def test_the_account_is_marked_changed_only_when_something_changed():
    account = make_account(external_id="A-1")
    post_metrics([value("80")])
    assert list(ChangedAccount.objects.values_list("account_id", flat=True)) == [account.pk]
    ChangedAccount.objects.all().delete()
    post_metrics([value("80")])
    assert not ChangedAccount.objects.exists()


def test_a_person_states_a_value_and_the_log_says_who():
    account = make_account()
    user = User.objects.create_user("cara@example.com", "x", role="csm")
    definition = MetricDefinition.objects.get(key="objectives")

    assert state_metric(account, definition, on=TODAY, value="partial", actor=user, at=NOW)
    assert not state_metric(account, definition, on=TODAY, value="partial", actor=user, at=NOW)
    row = MetricValue.objects.get()
    assert (row.choice, row.source, row.recorded_by) == ("partial", "entered", user)
    entry = AuditEntry.objects.get(action="metric.stated")
    assert (entry.actor, entry.account_id, entry.after["value"]) == (user, account.pk, "partial")
    with pytest.raises(RuleViolated):
        state_metric(account, definition, on=TODAY, value="sideways", actor=user, at=NOW)


def test_the_statements_do_not_grow_with_the_values():
    for number in range(3):
        make_account(f"Account {number}", external_id=f"A-{number}")
    seen = set()
    for rows in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            day = TODAY - dt.timedelta(days=rows)
            post_metrics([value("1", account=f"A-{number}", on=day) for number in range(rows)])
            post_metrics([value("2", account=f"A-{number}", on=day) for number in range(rows)])
        seen.add(len(queries))
    assert len(seen) == 1


def test_daily_ticket_figures_are_known_without_a_definition():
    make_account(external_id="A-1")
    answer, _ = post_metrics([value("4", metric="tickets_opened"), value("-1", metric="tickets_s1")])

    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(1, "out_of_bounds")]


class TestDefinitions:
    def test_a_pack_twice_changes_nothing_and_adds_options_of_another(self):
        define_metric("mood", name="Mood", kind="choice", options=["good", "bad"], pack="fleet", at=NOW)
        define_metric("mood", name="Mood", kind="choice", options=["good", "odd"], pack="bis", at=NOW)

        assert MetricDefinition.objects.get(key="mood").option_keys() == ["good", "bad", "odd"]

    def test_a_pack_leaves_the_tenants_own_definition(self):
        define_metric("free", name="Changed", pack="fleet", at=NOW)

        assert MetricDefinition.objects.get(key="free").name == "Free"

    @pytest.mark.parametrize(
        ("key", "fields", "rule"),
        [
            ("Upper", {}, "metric_key"), ("1st", {}, "metric_key"), ("a" * 61, {}, "metric_key"),
            ("mood", {"kind": "choice"}, "options_for_a_choice"), ("mood", {"options": ["a"]}, "options_for_a_choice"),
            ("mood", {"lowest": 2, "highest": 1}, "bounds_in_order"),
        ],
    )  # fmt: skip
    def test_a_definition_that_makes_no_sense_is_refused(self, key, fields, rule):
        with pytest.raises(RuleViolated) as refused:
            define_metric(key, name="x", at=NOW, **fields)
        assert refused.value.rule == rule
