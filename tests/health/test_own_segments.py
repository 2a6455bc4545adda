"""Segments by own fields: compared by kind, with entries and exits, in the builder and through triggers' segments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import archive_field, change_field, define_field, edit_accounts, undo_edit
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, OwnField
from health.actions import create_segment, recompute_changed
from health.actions.membership import evaluate_segments
from health.models import Segment
from health.queries.segments import matcher_for
from health.segments.catalogue import fields, recent_fields
from health.segments.rules import RuleError, checked, in_words
from tests.factories import AT, AccountFactory, UserFactory
from tests.health import world
from tests.health.listed import NOW, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def own():
    for key, kind in (
        ("region", "choice"),
        ("seats", "number"),
        ("live", "date"),
        ("pilot", "yes_no"),
        ("note", "text"),
    ):
        options = ["North", "South"] if kind == "choice" else []
        define_field(label=key.title(), kind=kind, key=key, options=options, actor=None, at=AT)


def rule(*conditions):
    parts = [dict(zip(("field", "op", "value"), condition, strict=False)) for condition in conditions]
    return {"join": "all", "groups": [{"join": "all", "conditions": parts}]}


def matched(*conditions):
    clean = checked(rule(*conditions), fields())
    return "".join(sorted(matcher_for([clean], at=NOW).accounts(clean).values_list("name", flat=True)))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (("custom.region", "in", ["North", "South"]), "ab"),
        (("custom.region", "not_in", ["North"]), "bcd"),
        (("custom.region", "empty"), "d"),
        (("custom.region", "filled"), "abc"),
        (("custom.seats", ">=", "10"), "ab"),
        (("custom.seats", ">", "10"), "b"),
        (("custom.seats", "<", "10.5"), "a"),
        (("custom.seats", "=", "10"), "a"),
        (("custom.seats", "!=", "10"), "b"),
        (("custom.seats", "empty"), "d"),
        (("custom.live", ">=", "2026-11-24"), "ab"),
        (("custom.live", "<", "2026-11-30"), "a"),
        (("custom.live", "=", "2026-11-30"), "b"),
        (("custom_days.live", "<=", "5"), "a"),
        (("custom_days.live", "<=", "6"), "ab"),
        (("custom_days.live", ">", "0"), "b"),
        (("custom_days.live", "=", "0"), "a"),
        (("custom_days.live", "!=", "0"), "b"),
        (("custom.pilot", "in", ["true"]), "a"),
        (("custom.pilot", "not_in", ["true"]), "bd"),
        (("custom.note", "contains", "AIR"), "ab"),
        (("custom.note", "is", "air cargo"), "a"),
        (("custom.note", "is_not", "air cargo"), "bcd"),
    ],
)
def test_accounts_are_compared_by_kind_and_what_is_not_known_meets_no_test(own, condition, found):
    rows = {
        "a": ["North", "10", f"{TODAY}", "yes", "Air cargo"],
        "b": ["South", 10.5, f"{TODAY + timedelta(days=6)}", False, "Airport"],
        "c": ["East", "many", "soon", "perhaps", "x"],
    }
    for name, values in rows.items():
        AccountFactory(name=name, custom=dict(zip(("region", "seats", "live", "pilot", "note"), values, strict=True)))
    AccountFactory(name="d")
    assert matched(condition) == found


def test_a_rule_is_checked_and_told_by_kind(own):
    known = fields()
    for condition in (
        ("custom.region", "in", ["East"]),
        ("custom.seats", ">=", "many"),
        ("custom.live", ">=", "31.12.2026"),
        ("custom.live", ">=", "1899-12-31"),
        ("custom_days.live", ">=", "1.5"),
        ("custom.gone", "empty"),
    ):
        with pytest.raises(RuleError):
            checked(rule(condition), known)
    clean = checked(rule(("custom.live", "<", "2027-01-01"), ("custom.pilot", "in", ["true"])), known)
    assert in_words(clean, recent_fields()) == "Live before 2027-01-01 and Pilot is Yes"
    define_field(label="Late", kind="text", actor=None, at=AT)
    assert "custom.late" in recent_fields(), "at once"


def test_who_comes_and_goes_by_an_edit_is_kept_with_the_moment(own):
    world.card()
    vp, account = UserFactory(role=Role.VP_CS), AccountFactory(custom={"region": "South"})
    segment = create_segment(name="North", rule=rule(("custom.region", "in", ["North"])), actor=None, at=NOW)
    edit = edit_accounts(Account.objects.all(), "custom.region", "North", actor=vp, at=NOW).edit
    entered = NOW + timedelta(minutes=1)
    recompute_changed(at=entered)
    undo_edit(edit, actor=vp, at=entered)
    left = entered + timedelta(minutes=1)
    recompute_changed(at=left)
    assert list(segment.members.values_list("account", "entered_at", "left_at")) == [(account.pk, entered, left)]


def test_a_rule_goes_on_with_an_archived_field(own):
    AccountFactory(name="a", custom={"seats": 5})
    archive_field(OwnField.objects.get(key="seats"), actor=None, at=AT)
    assert matched(("custom.seats", ">=", "5")) == "a"
    assert fields()["custom.seats"].group == "Archived fields"


def test_a_kind_by_which_a_segment_does_not_test_the_field_is_refused_and_would_match_nobody(own):
    AccountFactory(name="a", custom={"seats": 5, "note": "https://a.example"})
    segment = create_segment(name="Large", rule=rule(("custom.seats", ">=", "5")), actor=None, at=NOW)
    create_segment(name="Noted", rule=rule(("custom.note", "contains", "a")), actor=None, at=NOW)
    create_segment(name="Live", rule=rule(("custom_days.live", "<", "5")), actor=None, at=NOW)
    for key, kind in (("seats", "text"), ("live", "text")):
        with pytest.raises(RuleViolated) as broken:
            change_field(OwnField.objects.get(key=key), kind=kind, actor=None, at=AT)
        assert (broken.value.field, broken.value.rule) == ("kind", "kind_tested")
    assert "“Live”. Change their rules first." in str(broken.value)
    assert change_field(OwnField.objects.get(key="note"), kind="link", actor=None, at=AT).kind == "link"
    OwnField.objects.filter(key="seats").update(kind="text")
    assert evaluate_segments(at=NOW) == (0, 1)
    assert not segment.members.current().exists()


@pytest.mark.parametrize(
    ("key", "kind", "condition"),
    [
        ("seats", "date", ("custom.seats", ">=", "5")),
        ("live", "number", ("custom.live", ">=", "2026-01-01")),
        ("region", "yes_no", ("custom.region", "in", ["North"])),
    ],
)
def test_a_value_that_another_kind_does_not_read_is_a_test_by_the_present_one_too(own, key, kind, condition):
    """The op alone is of both kinds; with such a rule no segment would be found any more."""
    segment = create_segment(name="Asked", rule=rule(condition), actor=None, at=NOW)
    with pytest.raises(RuleViolated) as broken:
        change_field(OwnField.objects.get(key=key), kind=kind, actor=None, at=AT)
    assert broken.value.rule == "kind_tested"
    OwnField.objects.filter(key=key).update(kind=kind)
    AccountFactory(custom={key: {"date": "2026-01-01", "number": 7, "yes_no": "yes"}[kind]})
    assert not matcher_for([segment.rule], at=NOW).accounts(segment.rule).exists()


def test_the_builder_offers_them_under_their_own_heading(own, client):
    client.force_login(UserFactory(role=Role.VP_CS))
    AccountFactory(name="Halden", custom={"live": "2026-12-01"})
    page = client.get("/accounts/segments/new/").content.decode()
    assert '<optgroup label="Own fields">' in page
    assert '<option value="custom_days.live">Live, from today in</option>' in page
    sent = {"name": "Late", "c-0-0-field": "custom.live", "c-0-0-op": ">=", "c-0-0-value": "2026-11-30"}
    page = client.post("/accounts/segments/new/", {**sent, "do": "count"}).content.decode()
    assert "Live on or after 2026-11-30" in page
    assert 'type="date"' in page
    assert "Halden" in page
    client.post("/accounts/segments/new/", {**sent, "do": "save"})
    assert Segment.objects.get().members.count() == 1
    assert "Live on or after 2026-11-30" in client.get("/accounts/segments/").content.decode()


def test_one_statement_finds_the_members_however_many_fields_and_accounts(own):
    create_segment(name="A", rule=rule(("custom.seats", ">", "1"), ("custom.note", "filled")), actor=None, at=NOW)
    counts = []
    for _time in range(2):
        AccountFactory(custom={"seats": 5, "note": "x"})
        with CaptureQueriesContext(connection) as queries:
            evaluate_segments(at=NOW)
        counts.append(len(queries))
        create_segment(name=f"B{_time}", rule=rule(("custom.live", "filled")), actor=None, at=NOW)
    assert counts[0] == counts[1]
