"""Segments: rules against a slow reading of their own, membership with its history, pages and API."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, Activity, Contract, ContractLine, Tier, Workspace
from health.actions import change_segment, create_segment, delete_segment, recompute, recompute_changed
from health.actions.membership import evaluate_segments
from health.models import Segment, SegmentMember
from health.queries.segments import crossings, matcher_for, segment_counts
from health.segments import builder
from health.segments.catalogue import fields
from health.segments.rules import OPERATORS, RuleError, checked, in_words
from tests.factories import AccountFactory, CtaFactory, UserFactory
from tests.health import world
from tests.health.listed import NOW, TODAY, scored
from usage.actions import define_metric, record_observations

pytestmark = pytest.mark.django_db


def rule(*conditions, join="all"):
    parts = [dict(zip(("field", "op", "value"), condition, strict=False)) for condition in conditions]
    return {"join": "all", "groups": [{"join": join, "conditions": parts}]}


def matched(definition):
    clean = checked(definition, fields())
    return set(matcher_for([clean], at=NOW).accounts(clean).values_list("name", flat=True))


def days_ago(days):
    return TODAY - timedelta(days=days)


class TestRules:
    def test_a_rule_is_checked_place_by_place(self):
        known = fields()
        for wrong, where in (
            ([], ""),
            ({"groups": []}, "/groups"),
            ({"groups": [{"conditions": []}]}, "/groups/0/conditions"),
            (rule(("nope", "=", "1")), "/groups/0/conditions/0/field"),
            (rule(("arr", "in", ["1"])), "/groups/0/conditions/0/op"),
            (rule(("arr", ">=", "x")), "/groups/0/conditions/0/value"),
            (rule(("arr", ">=", "NaN")), "/groups/0/conditions/0/value"),
            (rule(("touch_days", ">", "1.5")), "/groups/0/conditions/0/value"),
            (rule(("status", "in", ["gone"])), "/groups/0/conditions/0/value"),
            (rule(("status", "in", [])), "/groups/0/conditions/0/value"),
            (rule(("name", "contains", " ")), "/groups/0/conditions/0/value"),
            ({"join": "none", "groups": rule(("arr", "filled"))["groups"]}, "/join"),
        ):
            with pytest.raises(RuleError) as raised:
                checked(wrong, known)
            assert raised.value.where == where

    def test_a_rule_reads_as_a_sentence(self):
        definition = rule(("arr", ">=", "50000.00"), ("touch_days", ">", 30), ("status", "in", ["active"]))
        clean = checked(definition, fields())
        assert in_words(clean, fields()) == (
            "ARR at least 50000 and Since the last touch over 30 days and Status is Active"
        )

    def test_every_field_and_operator_makes_a_query(self):
        tier = Tier.objects.create(key="gold", name="Gold", rank=1)
        define_metric("logins", name="Logins", kind="number", at=NOW)
        define_metric("mood", name="Mood", kind="choice", options=[{"key": "good", "name": "Good"}], at=NOW)
        AccountFactory(tier=tier, owner=UserFactory())
        for field in fields().values():
            for op in OPERATORS[field.kind]:
                value = [field.options[0][0]] if field.options else "5"
                if field.kind == "choice" and not field.options:
                    continue
                assert matched(rule((field.key, op, value))) <= {Account.objects.get().name}


class TestAgainstASlowReading:
    """Random accounts and rules; the query must agree with a plain loop written from the rules' words."""

    NUMBERS = ("arr", "seats", "score")
    DAYS = {"renewal_days": "renewal_on", "customer_days": "customer_since_on"}
    SIZES = (">=", "<=", ">", "<", "=", "!=")

    def value_of(self, account, field):
        if field == "score":
            return account.health.score if hasattr(account, "health") else None
        if field == "renewal_days":
            return account.renewal_on and (account.renewal_on - TODAY).days
        if field == "customer_days":
            return account.customer_since_on and (TODAY - account.customer_since_on).days
        if field == "touch_days":
            touches = [each.at.date() for each in account.activities.all() if each.kind in {"call", "meeting", "email"}]
            return (TODAY - max(touches)).days if touches else None
        return getattr(account, field)

    def holds(self, account, condition):
        value, op = self.value_of(account, condition["field"]), condition["op"]
        if op in {"empty", "filled"}:
            return (value in {None, ""}) == (op == "empty")
        wanted = condition["value"]
        if op in {"is", "is_not"}:
            return (value.lower() == wanted.lower()) == (op == "is")
        if op == "contains":
            return wanted.lower() in value.lower()
        if op in {"in", "not_in"}:
            return (value in wanted) == (op == "in")
        if value is None:
            return False
        value, wanted = Decimal(value), Decimal(wanted)
        return {
            ">=": value >= wanted, "<=": value <= wanted, ">": value > wanted, "<": value < wanted,
            "=": value == wanted, "!=": value != wanted,
        }[op]  # fmt: skip

    def meets(self, account, clean):
        def join(how, answers):
            return all(answers) if how == "all" else any(answers)

        return join(
            clean["join"],
            [join(g["join"], [self.holds(account, c) for c in g["conditions"]]) for g in clean["groups"]],
        )

    CONDITIONS = st.one_of(
        st.tuples(st.sampled_from(NUMBERS), st.sampled_from(SIZES), st.integers(0, 4).map(str)),
        st.tuples(
            st.sampled_from([*DAYS, "touch_days"]), st.sampled_from(SIZES), st.integers(-3, 3).map(str)
        ),
        st.tuples(st.sampled_from([*NUMBERS, *DAYS, "touch_days", "industry"]), st.sampled_from(["empty", "filled"])),
        st.tuples(
            st.just("industry"), st.sampled_from(["is", "is_not", "contains"]), st.sampled_from(["Rail", "ai", "Sea"])
        ),
        st.tuples(
            st.just("status"), st.sampled_from(["in", "not_in"]),
            st.lists(st.sampled_from(["active", "prospect"]), min_size=1, unique=True),
        ),
    )  # fmt: skip
    GROUPS = st.lists(
        st.tuples(st.sampled_from(["all", "any"]), st.lists(CONDITIONS, min_size=1, max_size=3)), min_size=1, max_size=3
    )
    ACCOUNTS = st.lists(
        st.tuples(
            st.integers(0, 4), st.none() | st.integers(0, 4), st.none() | st.integers(0, 4),
            st.none() | st.integers(-3, 3), st.none() | st.integers(0, 3), st.none() | st.integers(0, 3),
            st.sampled_from(["", "Rail", "Maritime"]), st.sampled_from(["active", "prospect"]),
        ),
        min_size=3, max_size=8,
    )  # fmt: skip

    @given(
        accounts=ACCOUNTS, rules=st.lists(st.tuples(st.sampled_from(["all", "any"]), GROUPS), min_size=4, max_size=8)
    )
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_a_rule_matches_what_its_words_say(self, accounts, rules):
        Account.objects.all().delete()
        for number, (arr, seats, score, renewal, since, touch, industry, status) in enumerate(accounts):
            account = AccountFactory(
                name=f"{number}", arr=arr, seats=seats, industry=industry, status=status,
                renewal_on=None if renewal is None else TODAY + timedelta(days=renewal),
                customer_since_on=None if since is None else days_ago(since),
            )  # fmt: skip
            if score is not None:
                scored(account, score, "red")
            Activity.objects.create(account=account, kind="note", title="x", at=NOW)
            if touch is not None:
                Activity.objects.create(account=account, kind="call", title="x", at=NOW - timedelta(days=touch))
        known = fields()
        rows = list(Account.objects.select_related("health").prefetch_related("activities"))
        for join, groups in rules:
            definition = {
                "join": join,
                "groups": [
                    {"join": how, "conditions": rule(*conditions)["groups"][0]["conditions"]}
                    for how, conditions in groups
                ],
            }
            clean = checked(definition, known)
            expected = {row.name for row in rows if self.meets(row, clean)}
            assert matched(definition) == expected, clean


class TestFields:
    def test_metrics_come_from_the_score_and_else_from_what_was_stated(self):
        world.card()
        low, high = world.account("low"), world.account("high")
        world.account("unknown")
        for account, login in ((low, "10"), (high, "90")):
            values = {**world.FLEET_BEST, "login_pct": login}
            rows = [
                {"account": str(account.pk), "metric": metric, "on": TODAY.isoformat(), "value": value}
                for metric, value in values.items()
            ]
            record_observations(rows, source="crm", at=NOW)
        assert matched(rule(("metric:login_pct", "<", "50"))) == {"low"}, "as stated"
        recompute(at=NOW)
        assert matched(rule(("metric:login_pct", "<", "50"))) == {"low"}, "as scored"
        assert matched(rule(("metric:login_pct", "empty"))) == {"unknown"}
        assert matched(rule(("metric:objectives", "in", ["on_track"]))) == {"low", "high"}
        assert matched(rule(("metric:objectives", "not_in", ["on_track"]))) == {"unknown"}

    def test_contracts_products_work_and_seats(self):
        big, small = AccountFactory(name="big", seats=10, assigned_users=9), AccountFactory(name="small")
        contract = Contract.objects.create(account=big, start_on=days_ago(9), arr=1)
        ContractLine.objects.create(contract=contract, product="Fleet Pro", arr=1)
        Contract.objects.create(account=small, start_on=days_ago(90), end_on=days_ago(1), arr=1)
        CtaFactory(account=small)
        assert matched(rule(("contracts", ">=", "1"))) == {"big"}
        assert matched(rule(("contracts", "=", "0"))) == {"small"}
        assert matched(rule(("product", "contains", "fleet"))) == {"big"}
        assert matched(rule(("product", "is_not", "Fleet Pro"))) == {"small"}
        assert matched(rule(("open_ctas", ">", "0"))) == {"small"}
        assert matched(rule(("seats_used_pct", "=", "90"))) == {"big"}

    def test_no_owner_is_not_somebody_and_no_score_is_no_data(self):
        ann = UserFactory()
        scored(AccountFactory(name="hers", owner=ann), 20, "red")
        AccountFactory(name="free")
        assert matched(rule(("owner", "not_in", [str(ann.pk)]))) == {"free"}
        assert matched(rule(("band", "in", ["none"]))) == {"free"}
        assert matched(rule(("band", "not_in", ["none"]))) == {"hers"}
        assert matched(rule(("band", "not_in", ["red"]))) == {"free"}


class TestMembership:
    def test_entries_and_exits_are_kept_with_their_moments(self):
        account, other = AccountFactory(name="a", arr=10), AccountFactory(name="b", arr=99)
        segment = create_segment(name="Large", rule=rule(("arr", ">=", "50")), actor=None, at=NOW)
        stays = segment.members.values_list("account__name", "entered_at", "left_at")
        assert list(stays.all()) == [("b", NOW, None)]
        Account.objects.filter(pk=account.pk).update(arr=60)
        Account.objects.filter(pk=other.pk).update(arr=1)
        later = NOW + timedelta(hours=1)
        assert evaluate_segments(at=later) == (1, 1)
        assert set(stays.all()) == {("b", NOW, later), ("a", later, None)}
        Account.objects.filter(pk=other.pk).update(arr=70)
        evaluate_segments([other.pk], at=later + timedelta(hours=1))
        assert stays.filter(account=other).count() == 2, "a second stay"
        seen = crossings(segment, UserFactory(role=Role.VP_CS))
        assert (seen[0].name, seen[0].entered) == ("b", True)
        assert len(seen) == 4

    def test_a_run_over_some_accounts_leaves_the_others_as_they_are(self):
        account, other = AccountFactory(arr=99), AccountFactory(arr=99)
        segment = create_segment(name="Large", rule=rule(("arr", ">=", "50")), actor=None, at=NOW)
        Account.objects.update(arr=1)
        assert evaluate_segments([account.pk], at=NOW) == (0, 1)
        assert list(segment.members.current().values_list("account", flat=True)) == [other.pk]

    def test_scoring_finds_members_in_the_same_run(self):
        world.card()
        account = world.account("sinking")
        segment = create_segment(name="Red", rule=rule(("band", "in", ["red"])), actor=None, at=NOW)
        rows = [
            {"account": str(account.pk), "metric": metric, "on": TODAY.isoformat(), "value": value}
            for metric, value in world.FLEET_RED.items()
        ]
        record_observations(rows, source="crm", at=NOW)
        recompute_changed(at=NOW)
        assert segment.members.current().count() == 1

    def test_the_number_of_statements_does_not_grow_with_segments_or_accounts(self):
        counts = []
        for total in (1, 3):
            while Segment.objects.count() < total:
                AccountFactory(arr=99)
                create_segment(name=f"S{Segment.objects.count()}", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
            with CaptureQueriesContext(connection) as queries:
                evaluate_segments(at=NOW)
            counts.append(len(queries))
        assert counts == [3, 3]

    def test_a_rule_that_matches_nothing_empties_the_segment(self):
        AccountFactory(arr=99)
        segment = create_segment(name="Large", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
        change_segment(segment, actor=None, at=NOW, rule=rule(("arr", ">", "500")))
        assert not segment.members.current().exists()

    def test_names_are_unique_and_rules_are_checked(self):
        create_segment(name="Large", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
        with pytest.raises(RuleViolated, match="of this name"):
            create_segment(name="large", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
        with pytest.raises(RuleViolated) as raised:
            create_segment(name="Other", rule=rule(("arr", ">", "x")), actor=None, at=NOW)
        assert raised.value.field == "rule/groups/0/conditions/0/value"

    def test_deleting_one_keeps_the_accounts(self):
        AccountFactory(arr=99)
        segment = create_segment(name="Large", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
        delete_segment(segment, actor=None, at=NOW)
        assert (SegmentMember.objects.count(), Account.objects.count()) == (0, 1)

    def test_counts_are_of_what_the_reader_sees(self):
        Workspace.objects.update(csm_reads_all_accounts=False)
        csm = UserFactory(role=Role.CSM)
        AccountFactory(arr=99, owner=csm)
        AccountFactory(arr=99)
        create_segment(name="Large", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
        since = NOW - timedelta(days=30)
        assert [each.accounts for each in segment_counts(csm, since=since)] == [1]
        assert [each.accounts for each in segment_counts(UserFactory(role=Role.VP_CS), since=since)] == [2]


class TestBuilder:
    def test_its_buttons_add_and_take_away(self):
        start = rule(("arr", ">", "5"))
        start["groups"][0]["conditions"][0]["value"] = "5"
        more = builder.after(start, "add:0")
        assert len(more["groups"][0]["conditions"]) == 2
        assert len(builder.after(more, "group")["groups"]) == 2
        assert builder.after(more, "remove:0:1") == start
        assert builder.after(start, "remove:0:0")["groups"] == builder.BLANK["groups"]
        for nonsense in ("", "add:9", "remove:0", "remove:x:y", "launch", "add:"):
            assert builder.after(start, nonsense) == start


class TestPages:
    @pytest.fixture
    def desk(self, client):
        client.force_login(UserFactory(role=Role.VP_CS))
        return client

    DATA = {"name": "Large", "join": "all", "g-0-join": "all", "c-0-0-field": "arr", "c-0-0-op": ">=",
            "c-0-0-value": "50"}  # fmt: skip

    def test_the_builder_counts_and_saves(self, desk):
        AccountFactory(name="Big Corp", arr=99)
        AccountFactory(name="Small Corp", arr=9)
        preview = desk.post("/accounts/segments/new/", self.DATA, headers={"HX-Request": "true"}).content.decode()
        assert '<b class="num">1</b> of 2 accounts: ARR at least 50.' in preview
        assert "Big Corp" in preview
        assert "<html" not in preview
        answer = desk.post("/accounts/segments/new/", {**self.DATA, "do": "save"})
        segment = Segment.objects.get()
        assert answer["Location"] == f"/accounts/segments/{segment.pk}/"
        page = desk.get(answer["Location"]).content.decode()
        assert "Big Corp" in page
        assert "Small Corp" not in page
        assert "Entered" in page
        listing = desk.get(f"/accounts/?segment={segment.pk}").content.decode()
        assert ("Big Corp" in listing, "Small Corp" in listing, "Large" in listing) == (True, False, True)

    def test_it_works_without_script(self, desk):
        page = desk.post("/accounts/segments/new/", {**self.DATA, "do": "add:0"}).content.decode()
        assert "<html" in page
        assert 'name="c-0-1-field"' in page
        assert 'value="50"' in page
        assert 'value="Large"' in page

    def test_a_mistake_is_told_and_nothing_is_lost(self, desk):
        answer = desk.post("/accounts/segments/new/", {**self.DATA, "c-0-0-value": "lots", "do": "save"})
        text = answer.content.decode()
        assert answer.status_code == 422
        assert "ARR: enter a number." in text
        assert 'value="lots"' in text
        assert not Segment.objects.exists()

    def test_the_number_of_queries_does_not_grow_with_the_segments(self, desk):
        AccountFactory(arr=99)
        counts = []
        for total in (1, 3):
            while Segment.objects.count() < total:
                create_segment(name=f"S{Segment.objects.count()}", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
            desk.get("/accounts/segments/")
            with CaptureQueriesContext(connection) as queries:
                desk.get("/accounts/segments/")
            counts.append(len([query for query in queries if not query["sql"].startswith("SET")]) - 1)
        assert counts[0] == counts[1] <= 12, "\n".join(q["sql"][:120] for q in queries)

    def test_a_reader_sees_segments_and_changes_none(self, client):
        create_segment(name="Large", rule=rule(("arr", ">", "5")), actor=None, at=NOW)
        client.force_login(UserFactory(role=Role.READ_ONLY))
        assert b"New segment" not in client.get("/accounts/segments/").content
        assert client.get("/accounts/segments/new/").status_code == 403


def test_a_day_begins_at_the_workspaces_midnight():
    Workspace.objects.update(timezone="Asia/Tokyo")
    account = AccountFactory(name="called")
    # 23 November, 16:00 UTC is already the 24th in Tokyo.
    Activity.objects.create(account=account, kind="call", title="x", at=NOW - timedelta(hours=17))
    assert matched(rule(("touch_days", "=", "0"))) == {"called"}
    assert date(2026, 11, 24) == TODAY
