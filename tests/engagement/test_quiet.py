"""Quiet hours: which moments lie in them, and mail that waits until they end."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from accounts.errors import RuleViolated
from accounts.models import AuditEntry, Workspace
from engagement.actions import notify
from engagement.choices import Kind
from engagement.delivery import deliver_due
from engagement.holding import hold_in_quiet_hours, set_quiet_hours
from engagement.models import OutboxMessage, QuietHours
from engagement.quiet import quiet_until
from tests.factories import UserFactory

BERLIN, NEW_YORK, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")
NIGHT = (time(22), time(7))


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "zone", "hours", "until"),
    [
        ("2026-11-24T21:59:59+01:00", BERLIN, NIGHT, None),
        ("2026-11-24T22:00:00+01:00", BERLIN, NIGHT, "2026-11-25T07:00:00+01:00"),
        ("2026-11-25T06:59:59+01:00", BERLIN, NIGHT, "2026-11-25T07:00:00+01:00"),
        ("2026-11-25T07:00:00+01:00", BERLIN, NIGHT, None),
        # The same moment is night there and afternoon here.
        ("2026-11-24T22:30:00+01:00", NEW_YORK, NIGHT, None),
        ("2026-11-25T04:00:00+00:00", NEW_YORK, NIGHT, "2026-11-25T07:00:00-05:00"),
        ("2026-11-24T17:00:00+00:00", KATHMANDU, NIGHT, "2026-11-25T01:15:00+00:00"),
        # Inside a day.
        ("2026-11-24T12:30:00+01:00", BERLIN, (time(12), time(13)), "2026-11-24T13:00:00+01:00"),
        ("2026-11-24T13:00:00+01:00", BERLIN, (time(12), time(13)), None),
        # Nights of 8 and 10 hours, when clocks change.
        ("2026-03-28T23:00:00+01:00", BERLIN, NIGHT, "2026-03-29T07:00:00+02:00"),
        ("2026-10-24T23:00:00+02:00", BERLIN, NIGHT, "2026-10-25T07:00:00+01:00"),
        # 02:30 is skipped, or comes twice.
        ("2026-03-29T01:30:00+01:00", BERLIN, (time(22), time(2, 30)), "2026-03-29T03:30:00+02:00"),
        ("2026-10-25T02:15:00+02:00", BERLIN, (time(22), time(2, 30)), "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:15:00+01:00", BERLIN, (time(22), time(2, 30)), "2026-10-25T02:30:00+01:00"),
    ],
)
def test_when_they_end(moment, zone, hours, until):
    assert quiet_until(at(moment), zone, *hours) == (None if until is None else at(until))


EVENING = at("2026-11-24T23:00:00+01:00")
MORNING = at("2026-11-25T07:00:00+01:00")


@pytest.fixture
def person(db):
    user = UserFactory(timezone="Europe/Berlin")
    set_quiet_hours(user, begins=NIGHT[0], ends=NIGHT[1], urgent_passes=True, at=EVENING)
    return user


def tell(user, kind=Kind.CTA_OPENED, key="a", moment=EVENING):
    notify([user], kind=kind, title=f"About {key}", at=moment, dedupe_key=key)


def test_mail_waits_until_they_end_and_is_sent_then(person):
    tell(person)
    assert deliver_due(now=EVENING)["sent"] == 0
    assert deliver_due(now=MORNING - timedelta(seconds=1))["sent"] == 0
    assert OutboxMessage.objects.get().not_before == MORNING
    assert deliver_due(now=MORNING)["sent"] == 1
    assert (len(mail.outbox), OutboxMessage.objects.get().attempts) == (1, 1)
    assert person.notifications.count() == 1


@pytest.mark.parametrize("kind", [Kind.SLA_WARNING, Kind.SLA_BREACH, Kind.ESCALATION])
def test_urgent_mail_passes_for_those_who_let_it(person, kind):
    tell(person, kind)
    tell(person, Kind.HEALTH_BAND, "b")
    assert deliver_due(now=EVENING)["sent"] == 1
    set_quiet_hours(person, begins=NIGHT[0], ends=NIGHT[1], urgent_passes=False, at=EVENING)
    tell(person, kind, "c")
    assert deliver_due(now=EVENING)["sent"] == 0


def test_others_get_their_mail(person):
    other = UserFactory(timezone="America/New_York")
    set_quiet_hours(other, begins=NIGHT[0], ends=NIGHT[1], urgent_passes=True, at=EVENING)
    for user in (person, other, UserFactory()):
        tell(user)
    assert deliver_due(now=EVENING)["sent"] == 2


def test_without_a_zone_of_ones_own_the_workspaces_holds(person):
    Workspace.objects.update(timezone="America/New_York")
    type(person).objects.filter(pk=person.pk).update(timezone="")
    tell(person)
    assert deliver_due(now=EVENING)["sent"] == 1


def test_shorter_ones_let_held_mail_go(person):
    tell(person)
    hold_in_quiet_hours(at=EVENING)
    set_quiet_hours(person, begins=time(22), ends=time(23, 30), urgent_passes=True, at=EVENING)
    assert deliver_due(now=EVENING + timedelta(minutes=29))["sent"] == 0
    assert deliver_due(now=EVENING + timedelta(minutes=30))["sent"] == 1
    tell(person, key="b")
    hold_in_quiet_hours(at=EVENING)
    set_quiet_hours(person, begins=None, ends=None, urgent_passes=True, at=EVENING)
    assert deliver_due(now=EVENING)["sent"] == 1
    assert not QuietHours.objects.exists()


def test_a_change_is_audited_once(person):
    set_quiet_hours(person, begins=NIGHT[0], ends=NIGHT[1], urgent_passes=True, at=EVENING)
    entry = AuditEntry.objects.get(action="notifications.quiet_hours")
    assert entry.after == {"begins": "22:00:00", "ends": "07:00:00", "urgent_passes": True}


@pytest.mark.parametrize(
    ("begins", "ends", "field"),
    [(time(22), None, "ends"), (None, time(7), "begins"), (time(7), time(7), "ends")],
)
def test_times_that_make_no_sense_are_refused(person, begins, ends, field):
    with pytest.raises(RuleViolated) as refused:
        set_quiet_hours(person, begins=begins, ends=ends, urgent_passes=True, at=EVENING)
    assert refused.value.field == field


def test_they_are_set_on_the_page(person, client):
    client.force_login(person)
    page = client.get("/notifications/preferences/").content.decode()
    assert ('value="22:00"' in page, "Europe/Berlin" in page) == (True, True)
    client.post("/notifications/preferences/quiet/", {"begins": "20:00", "ends": "06:30"})
    hours = QuietHours.objects.get()
    assert (hours.begins, hours.ends, hours.urgent_passes) == (time(20), time(6, 30), False)
    wrong = client.post("/notifications/preferences/quiet/", {"begins": "20:00", "ends": ""})
    assert (wrong.status_code, "Give both times" in wrong.content.decode()) == (422, True)


def test_nobody_quiet_costs_one_query(db, django_assert_num_queries):
    tell(UserFactory())
    with django_assert_num_queries(3):  # and the savepoint around it
        assert hold_in_quiet_hours(at=datetime(2026, 11, 24, tzinfo=UTC)) == 0
