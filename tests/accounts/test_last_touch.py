"""When somebody was last in touch with an account is what its timeline says, whatever wrote the timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Max
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import delete_entry, log_touch, record_activities, restore_entry, update_entry
from accounts.choices import TOUCH_KINDS, ActivityKind, Role
from accounts.models import Account, Activity, LastTouch
from tenants.copying import copy_in
from tests.factories import AccountFactory, UserFactory
from tests.racing import second_meanwhile

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOURS = st.integers(0, 5)
KINDS = st.sampled_from([*ActivityKind.values])
# What is done with the timelines of two accounts, by the word for it: which rows, then what they become.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["insert", "copy"]), st.lists(st.tuples(st.booleans(), KINDS, HOURS), max_size=4)),
        st.tuples(st.just("change"), st.lists(st.tuples(st.booleans(), KINDS, HOURS), min_size=1, max_size=1)),
        st.tuples(st.just("delete"), st.lists(st.tuples(st.booleans(), KINDS, HOURS), min_size=1, max_size=1)),
        st.tuples(st.just("upsert"), st.lists(st.tuples(st.booleans(), KINDS, HOURS), max_size=4)),
    ),
    max_size=8,
)


def told():
    """The last touch of every account that has one, as it is kept."""
    return dict(LastTouch.objects.values_list("account", "at"))


def timeline():
    """The same, counted anew from all entries."""
    touches = Activity.objects.filter(kind__in=TOUCH_KINDS).order_by().values("account").annotate(last=Max("at"))
    return dict(touches.values_list("account", "last"))


def entry(account, kind="call", at=NOW, **given):
    return Activity(account=account, kind=kind, at=at, title="x", **given)


@pytest.mark.django_db
class TestKept:
    @pytest.mark.parametrize("kind", ActivityKind.values)
    def test_a_call_a_meeting_and_a_mail_are_touches_and_nothing_else_is(self, kind):
        account = AccountFactory()
        entry(account, kind).save()
        assert told() == ({account.pk: NOW} if kind in {"call", "meeting", "email"} else {})

    @given(steps=STEPS)
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_it_is_what_the_timeline_says_after_any_statements(self, steps):
        pair = (AccountFactory(), AccountFactory())
        for word, rows in steps:
            made = [entry(pair[which], kind, NOW - timedelta(hours=hour)) for which, kind, hour in rows]
            if word == "insert":
                Activity.objects.bulk_create(made)
            elif word == "copy":
                copy_in(made)
            elif word == "upsert":
                there = list(Activity.objects.order_by("pk")[:2])
                for row, new in zip(there, made, strict=False):
                    row.kind, row.at, row.account_id = new.kind, new.at, new.account_id
                Activity.objects.bulk_create(
                    [*there, *made[len(there) :]], update_conflicts=True, unique_fields=["id"],
                    update_fields=["kind", "at", "account"],
                )  # fmt: skip
            elif word == "change":
                which, kind, hour = rows[0]
                some = Activity.objects.filter(account=pair[not which])
                some.update(kind=kind, at=NOW - timedelta(hours=hour), account=pair[which])
            else:
                which, kind, hour = rows[0]
                Activity.objects.filter(account=pair[which], at__gte=NOW - timedelta(hours=hour)).delete()
            assert told() == timeline()
        Account.objects.filter(pk__in=[account.pk for account in pair]).delete()
        assert told() == {}

    def test_it_follows_what_people_and_imports_do_and_take_back(self):
        vp = UserFactory(role=Role.VP_CS)
        account = AccountFactory(owner=vp)
        first = log_touch(account, kind="call", title="x", actor=vp, at=NOW)
        later = log_touch(account, kind="meeting", title="x", actor=vp, at=NOW + timedelta(days=1))
        assert told() == {account.pk: later.at}
        update_entry(later, actor=vp, when=NOW + timedelta(days=2), kind="note")
        assert told() == {account.pk: first.at}
        delete_entry(first, actor=vp, when=NOW + timedelta(days=2))
        assert told() == {}
        restore_entry(first.pk, actor=vp, when=NOW + timedelta(days=2))
        assert told() == {account.pk: first.at}
        row = {
            "external_id": "T-1",
            "kind": "email",
            "title": "x",
            "account": str(account.pk),
            "at": str(NOW + timedelta(hours=3)),
        }
        record_activities([row], source="crm", actor=None, at=NOW + timedelta(days=2))
        assert told() == {account.pk: NOW + timedelta(hours=3)}
        record_activities(
            [{**row, "at": str(NOW - timedelta(days=3))}], source="crm", actor=None, at=NOW + timedelta(days=2)
        )
        assert told() == {account.pk: first.at}


@pytest.mark.django_db(transaction=True)
class TestRace:
    @pytest.mark.parametrize("hours", [-1, 1])
    def test_of_two_at_once_the_later_touch_is_kept(self, tenants, hours):
        account = AccountFactory()
        other = entry(account, at=NOW + timedelta(hours=hours))
        assert second_meanwhile(entry(account).save, other.save) is None
        assert told() == timeline() == {account.pk: max(NOW, other.at)}

    def test_of_one_that_deletes_and_one_that_writes_neither_is_forgotten(self, tenants):
        account = AccountFactory()
        gone = entry(account, at=NOW + timedelta(hours=1))
        gone.save()
        assert second_meanwhile(gone.delete, entry(account).save) is None
        assert told() == timeline() == {account.pk: NOW}
