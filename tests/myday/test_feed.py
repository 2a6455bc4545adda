"""The calendar feed: whose work it holds and nothing more, in the letters that calendars read, until it is ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from accounts.actions import log_activity
from accounts.actions.people import change_role
from accounts.choices import Role
from accounts.models import Account, Activity, AuditEntry, User
from myday.calendar import Item, calendar_of
from myday.feed import feed_of, renew_feed
from myday.models import CalendarFeed
from playbooks.actions import add_task, close_cta
from tests.factories import AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 11, 24, 9, 30, 15, 7, tzinfo=ZoneInfo("Europe/Berlin"))


def item(key="cta-1", **changes):
    values = {"title": "Call", "day": MOMENT.date(), "begins": None, "changed_at": MOMENT, "sequence": 3, "url": "/x"}
    return Item(key, **{**values, **changes})


def events(body):
    return {str(event["summary"]): event for event in Calendar.from_ical(body).walk("VEVENT")}


class TestLetters:
    def test_a_day_is_written_as_calendars_read_it(self):
        body = calendar_of([item(title="Call Ann; ask, then\nwrite")], name="Tenure: Acme")
        assert body.decode().split("\r\n") == [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tenure//My work//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
            "X-WR-CALNAME:Tenure: Acme", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
            "BEGIN:VEVENT", r"SUMMARY:Call Ann\; ask\, then write", "DTSTART;VALUE=DATE:20261124",
            "DTEND;VALUE=DATE:20261125", "DTSTAMP:20261124T083015Z", "UID:cta-1@tenure", "SEQUENCE:3",
            "STATUS:CONFIRMED", "TRANSP:TRANSPARENT", "URL:/x", "END:VEVENT", "END:VCALENDAR", "",
        ]  # fmt: skip

    def test_a_meeting_is_in_utc_and_blocks_half_an_hour(self):
        (event,) = events(calendar_of([item(begins=MOMENT.replace(microsecond=0))], name="x")).values()
        assert event.to_ical().count(b"Z\r\n") == 3
        assert (event["dtstart"].to_ical(), event["dtend"].to_ical()) == (b"20261124T083015Z", b"20261124T090015Z")
        assert event["transp"] == "OPAQUE"

    def test_lines_are_folded_at_75_octets_and_never_inside_a_letter(self):
        title = "Überprüfung der Verträge mit Größe – “Straße” 東京の顧客 🎉 " * 5
        body = calendar_of([item(title=title)], name="x")
        lines = body.split(b"\r\n")
        assert max(map(len, lines)) <= 75
        assert [line for line in lines if line.decode() is None] == []
        assert b"\n" not in body.replace(b"\r\n", b"")
        assert list(events(body)) == [title.strip()]

    def test_a_title_cannot_end_its_line_and_add_a_property(self):
        body = calendar_of([item(title="x\r\nATTENDEE:mailto:a@example.com\r\nEND:VEVENT")], name="x\r\nMETHOD:CANCEL")
        assert not re.search(rb"^(ATTENDEE|METHOD:CANCEL)", body, re.MULTILINE)
        assert body.count(b"\r\nEND:VEVENT\r\n") == 1

    def test_a_control_character_in_a_title_does_not_spoil_the_calendar(self):
        body = calendar_of([item(title="Call\x07Ann \x1b[1m\x7f now")], name="Ac\x00me")
        assert re.findall(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", body) == []
        assert list(events(body)) == ["Call Ann [1m now"]

    def test_the_same_items_in_any_order_give_the_same_bytes(self):
        items = [item("b"), item("a"), item("c", day=MOMENT.date() - timedelta(days=1))]
        assert calendar_of(items, name="x") == calendar_of(reversed(items), name="x")


@pytest.fixture
def work(mara, halden, today):
    """One of each of Mara's, and what must not stand in her calendar."""
    soon = today + timedelta(days=3)
    now = timezone.now()
    cta = CtaFactory(account=halden, owner=mara, title="Call the sponsor", reason="SECRET reason", due_on=soon)
    task = add_task(cta, title="Find the number", due_on=soon, actor=mara, at=now)
    begins = (now + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    log_activity(
        halden, kind="call", title="SECRET call", body="SECRET words", actor=mara, at=now, next_step="Meet again",
        next_step_on=begins.date(), next_step_at=begins, next_step_owner=mara,
    )  # fmt: skip
    CtaFactory(account=halden, owner=UserFactory(), title="SECRET of a colleague", due_on=soon)
    CtaFactory(account=halden, owner=mara, title="SECRET later", due_on=today + timedelta(days=200))
    CtaFactory(account=halden, owner=mara, title="SECRET long ago", due_on=today - timedelta(days=40))
    CtaFactory(account=AccountFactory(archived_at=now), owner=mara, title="SECRET archived", due_on=soon)
    AccountFactory(name="SECRET of a colleague", owner=UserFactory(), renewal_on=soon)
    return {"cta": cta, "task": task, "begins": begins}


def test_it_holds_ones_own_work_by_title_and_nothing_else(work, mara, halden):
    body = feed_of(mara, at=timezone.now())
    found = events(body)
    assert sorted(found) == [
        "CTA: Call the sponsor (Halden)",
        "Meet again (Halden)",
        "Renewal: Halden",
        "Task: Find the number (Halden)",
    ]
    assert b"SECRET" not in body
    assert found["Meet again (Halden)"].decoded("dtstart") == work["begins"]
    assert found["Renewal: Halden"].decoded("dtstart") == halden.renewal_on
    assert str(found["CTA: Call the sponsor (Halden)"]["uid"]) == f"cta-{work['cta'].pk}@tenure"
    assert str(found["CTA: Call the sponsor (Halden)"]["url"]).endswith(f"/ctas/{work['cta'].pk}/")


def test_what_is_done_is_gone(work, mara):
    close_cta(work["cta"], outcome="resolved", note="", actor=mara, at=timezone.now())
    Activity.objects.filter(next_step_on__isnull=False).update(next_step_done_at=timezone.now())
    Account.objects.update(renewal_on=None)
    assert events(feed_of(mara, at=timezone.now())) == {}


@pytest.mark.parametrize(("more", "rows"), [(0, 1), (2, 3)])
def test_six_queries_however_much_it_is(work, mara, halden, today, more, rows):
    for _number in range(more):
        CtaFactory(account=AccountFactory(), owner=mara, due_on=today)
    person = User.objects.get(pk=mara.pk)
    with CaptureQueriesContext(connection) as queries:
        body = feed_of(person, at=timezone.now())
    assert (len(queries), body.count(b"SUMMARY:CTA")) == (6, rows)


class TestAddress:
    def path(self, page):
        return re.search(r"(/day/calendar/[\w-]{43}\.ics)", page).group(1)

    def test_made_read_renewed_and_ended(self, desk, mara, work, client):
        made = desk.post("/day/calendar/")
        assert (made.status_code, made["Cache-Control"]) == (
            201,
            "max-age=0, no-cache, no-store, must-revalidate, private",
        )
        first = self.path(made.content.decode())
        assert first not in desk.get("/day/calendar/").content.decode(), "it is shown once"
        client.logout()
        answer = client.get(first)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
        assert len(events(answer.content)) == 4
        client.force_login(mara)
        second = self.path(client.post("/day/calendar/").content.decode())
        assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
        client.post("/day/calendar/", {"revoke": "1"})
        client.post("/day/calendar/", {"revoke": "1"})
        assert client.get(second).status_code == 404
        actions = AuditEntry.objects.filter(action__startswith="calendar.").order_by("id")
        assert list(actions.values_list("action", flat=True)) == [
            "calendar.opened", "calendar.renewed", "calendar.revoked",
        ]  # fmt: skip

    def test_only_a_digest_is_kept(self, mara):
        secret = renew_feed(mara, at=timezone.now())
        feed = CalendarFeed.objects.get()
        assert secret not in feed.digest
        entries = AuditEntry.objects.filter(object_type="calendarfeed")
        assert [entry.action for entry in entries] == ["calendar.opened"]
        assert secret not in str(list(entries.values()))
        assert len(feed.digest) == 64

    def test_unchanged_it_is_not_sent_again(self, client, work, mara, today):
        path = f"/day/calendar/{renew_feed(mara, at=timezone.now())}.ics"
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        CtaFactory(account=AccountFactory(), owner=mara, due_on=today)
        changed = client.get(path, headers={"If-None-Match": first["ETag"]})
        assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)

    def test_it_ends_with_the_person_and_with_the_right_to_work(self, client, mara):
        path = f"/day/calendar/{renew_feed(mara, at=timezone.now())}.ics"
        change_role(mara, Role.READ_ONLY, actor=UserFactory(role=Role.OWNER), at=timezone.now())
        assert client.get(path).status_code == 404
        User.objects.filter(pk=mara.pk).update(role=Role.CSM)
        assert client.get(path).status_code == 200
        User.objects.filter(pk=mara.pk).update(is_active=False, deactivated_at=datetime(2026, 11, 1, tzinfo=UTC))
        assert client.get(path).status_code == 404
