"""Board packs that are sent regularly: on time, once, to those who may have them, until somebody stops them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import change_view, delete_view, save_view
from accounts.actions.people import change_role
from accounts.choices import Role
from accounts.models import User, WorkCalendar
from documents.actions import remove_document, write_document
from documents.models import Document
from engagement.actions import bundle_excess, set_preferences
from engagement.choices import Kind
from engagement.delivery import deliver_due
from engagement.models import Notification, OutboxMessage
from health.actions import packs
from health.actions.pack_schedules import (
    When,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    schedule_pack,
)
from health.actions.packs import order_due, send_written, stop_broken
from health.models import PackSending
from health.pages.board_data import board_data
from playbooks.due import OFFICE_WEEK
from tests.factories import UserFactory
from tests.health.board_packs.sweeps import BEFORE, MONDAY, TICK, WEEK, WEEKLY, leave, mails, notes, sweep
from tests.racing import at_once

pytestmark = pytest.mark.django_db


class TestSending:
    def test_it_goes_out_at_its_hour_with_the_figures_the_file_and_a_receipt(self, schedule, vp, reader):
        assert sweep(MONDAY - TICK) == (0, 0, 0)
        assert sweep(MONDAY) == (0, 1, 1)
        sending = PackSending.objects.get()
        document = sending.document
        assert document.data["filters"] == [["Segment", "SMB"]]
        assert (sending.slot, sending.state, set(sending.readers.all())) == ("2026-11-30", "sent", {vp, reader})
        assert (sending.data_digest, sending.file_digest) == (document.data_digest, document.file_digest)
        first, second = mails()
        assert {first.user, second.user} == {vp, reader}
        assert first.title == "Board pack: Small ones, 30 Nov 2026"
        assert first.url == f"/portfolio/board-packs/sent/{sending.pk}/"
        for words in ("As of 30 Nov 2026, compared with 31 Oct 2026:", "• ARR: $100", document.data_digest):
            assert words in first.body, words
        assert deliver_due(now=MONDAY)["sent"] == 2
        [(name, content, kind)] = mail.outbox[0].attachments
        assert (name, kind, bytes(content).startswith(b"%PDF-")) == (
            "board-pack-2026-11-30.pdf",
            "application/pdf",
            True,
        )
        assert "\n• ARR: $100" in mail.outbox[0].body
        assert notes("sent").get().after["to"] == sorted([reader.email, vp.email], key=lambda to: to != reader.email)

    def test_it_goes_out_once_a_week_however_often_the_sweep_runs(self, schedule):
        counts = [sweep(MONDAY + timedelta(minutes=minutes)) for minutes in (0, 1, 60, 60 * 24 * 6)]
        assert counts == [(0, 1, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
        assert sweep(MONDAY + WEEK) == (0, 1, 1)
        assert list(PackSending.objects.values_list("slot", flat=True)) == ["2026-12-07", "2026-11-30"]

    @pytest.mark.parametrize(
        ("at", "zone", "ordered"),
        [
            (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "Europe/Berlin", 0),
            (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin", 1),  # two o'clock is skipped that night
            (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), "Europe/Berlin", 0),
            (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), "Europe/Berlin", 1),  # two o'clock, for the first time
            (datetime(2026, 10, 25, 6, 0, tzinfo=UTC), "America/New_York", 1),
            (datetime(2026, 10, 25, 5, 59, tzinfo=UTC), "America/New_York", 0),
        ],
    )
    def test_the_hour_is_that_of_the_owners_own_clock_on_both_sides_of_its_changes(self, view, vp, at, zone, ordered):
        User.objects.filter(pk=vp.pk).update(timezone=zone)
        schedule_pack(view, when=When("week", 2, weekday=6), recipients=[vp], actor=vp, at=at - timedelta(days=5))
        assert order_due(at=at, draw=board_data) == ordered
        assert order_due(at=at + timedelta(hours=1), draw=board_data) == 1 - ordered, "repeated hours send nothing more"

    def test_the_last_business_day_is_the_workspaces(self, view, vp):
        schedule_pack(view, when=When("month_end", 8), recipients=[vp], actor=vp, at=BEFORE - timedelta(days=40))
        assert order_due(at=datetime(2026, 10, 30, 7, 59, tzinfo=UTC), draw=board_data) == 0
        assert order_due(at=datetime(2026, 10, 30, 8, tzinfo=UTC), draw=board_data) == 1  # the 31st is a Saturday

    def test_a_month_that_had_its_pack_gets_no_other_when_its_last_day_is_taken_off(self, view, vp):
        schedule_pack(view, when=When("month_end", 8), recipients=[vp], actor=vp, at=BEFORE - timedelta(days=40))
        calendar = WorkCalendar.objects.create(key="ours", name="Ours", definition=OFFICE_WEEK)
        friday = datetime(2026, 10, 30, 8, tzinfo=UTC)
        assert sweep(friday) == (0, 1, 1)
        calendar.definition = {**OFFICE_WEEK, "holidays": ["2026-10-30"]}
        calendar.save()
        assert sweep(friday + timedelta(hours=1)) == (0, 0, 0)
        assert sweep(MONDAY) == (0, 1, 1)
        assert list(PackSending.objects.order_by("slot").values_list("slot", flat=True)) == ["2026-10-30", "2026-11-30"]

    @pytest.mark.parametrize(("late", "ordered"), [(timedelta(days=2) - TICK, 1), (timedelta(days=2), 0)])
    def test_what_could_not_be_sent_for_two_days_is_left_out(self, schedule, late, ordered):
        assert order_due(at=MONDAY + late, draw=board_data) == ordered

    def test_a_day_the_view_was_fixed_to_is_left_out_and_a_new_name_is_taken_up(self, schedule, view, vp):
        change_view(view, actor=vp, at=BEFORE, name="Little ones", query="segment=SMB&on=2026-11-02&period=90")
        sweep(MONDAY)
        document = Document.objects.get()
        assert (document.data["on"], document.data["since"]) == ("2026-11-30", "2026-09-01")
        schedule.refresh_from_db()
        assert (schedule.name, document.title) == ("Little ones", "Board pack of 30 Nov 2026: Little ones")

    def test_mine_are_the_owners_for_everybody(self, view, vp, reader):
        change_view(view, actor=vp, at=BEFORE, query="owner=me")
        schedule_pack(view, when=WEEKLY, recipients=[reader], actor=vp, at=BEFORE)
        sweep(MONDAY)
        assert "• ARR: $100" in mails().get().body

    def test_who_wants_no_mail_reads_it_in_the_app(self, schedule, reader, client):
        set_preferences(reader, {Kind.BOARD_PACK: (True, False)}, at=BEFORE)
        sweep(MONDAY)
        assert not mails(user=reader).exists()
        notice = Notification.objects.get(user=reader)
        client.force_login(reader)
        page = client.get(notice.url).content.decode()
        assert ("No mail, as they wish" in page, "Victoria Hale" in page) == (True, True)

    def test_a_pack_is_not_lost_in_a_bundle_of_mail(self, schedule, vp):
        sweep(MONDAY)
        for number in range(8):
            OutboxMessage.objects.create(
                user=vp, to=vp.email, kind=Kind.SYSTEM, title="x", dedupe_key=str(number), created_at=MONDAY,
                not_before=MONDAY,
            )  # fmt: skip
        assert bundle_excess(at=MONDAY) == 3
        assert mails(user=vp).get().state == "waiting"


class TestOnce:
    def test_a_worker_killed_between_making_and_sending_sends_once(self, schedule, monkeypatch):
        order_due(at=MONDAY, draw=board_data)
        write_document(Document.objects.get().pk)
        calls = []

        def killed(*args, **kwargs):
            calls.append(packs_record(*args, **kwargs))
            raise KeyboardInterrupt

        packs_record = packs.record
        with monkeypatch.context() as patch:
            patch.setattr(packs, "record", killed)  # the last thing it does: the mail is in the outbox by then
            with pytest.raises(KeyboardInterrupt):
                send_written(at=MONDAY)
        assert (len(calls), mails().count(), PackSending.objects.get().state) == (1, 0, "making")
        assert [sweep(MONDAY + timedelta(minutes=minutes)) for minutes in (5, 6)] == [(0, 0, 1), (0, 0, 0)]
        assert (mails().count(), Document.objects.count()) == (2, 1)

    def test_a_worker_killed_while_ordering_has_ordered_nothing(self, schedule, monkeypatch):
        def killed(*args, **kwargs):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(PackSending.objects, "create", killed)
            with pytest.raises(KeyboardInterrupt):
                order_due(at=MONDAY, draw=board_data)
        assert not Document.objects.exists()
        assert sweep(MONDAY) == (0, 1, 1)

    def test_one_that_cannot_be_drawn_keeps_no_other_waiting(self, schedule, view, vp):
        schedule_pack(view, when=WEEKLY, recipients=[vp], actor=vp, at=BEFORE)
        broken = []

        def draw(user, scope, *, at):
            broken.append(1)
            if len(broken) == 1:
                raise ZeroDivisionError
            return board_data(user, scope, at=at)

        assert order_due(at=MONDAY, draw=draw) == 1
        assert order_due(at=MONDAY, draw=draw) == 1

    def test_a_pack_that_could_not_be_written_is_told_to_its_maker(self, schedule, vp, reader):
        order_due(at=MONDAY, draw=board_data)
        Document.objects.update(state="failed", message="No letters.")
        assert send_written(at=MONDAY) == 0
        assert mails().get().body == "It could not be written. No letters."
        assert (mails().get().user, PackSending.objects.get().state) == (vp, "failed")

    def test_a_pack_that_was_removed_is_not_sent(self, schedule, vp):
        order_due(at=MONDAY, draw=board_data)
        remove_document(Document.objects.get(), actor=vp, at=MONDAY)
        assert send_written(at=MONDAY) == 0
        assert PackSending.objects.get().message == "The pack was removed before it was sent."


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_order_and_send_a_pack_once(view, vp, reader):
    schedule_pack(view, when=WEEKLY, recipients=[vp, reader], actor=vp, at=BEFORE)

    assert sorted(at_once(*[lambda: order_due(at=MONDAY, draw=board_data)] * 2)) == [0, 1]
    write_document(Document.objects.get().pk)
    assert sorted(at_once(*[lambda: send_written(at=MONDAY)] * 2)) == [0, 1]
    assert (PackSending.objects.get().state, mails().count()) == ("sent", 2)


class TestStopping:
    def test_it_stops_when_its_owner_is_deactivated_and_says_so(self, schedule, vp, reader):
        leave(vp, MONDAY - timedelta(hours=1))
        assert sweep(MONDAY) == (1, 0, 0)
        schedule.refresh_from_db()
        assert (schedule.state, schedule.stopped_why) == ("stopped", "owner_left")
        told = mails().get()
        assert (told.user, told.title) == (reader, "Board pack stopped: Small ones")
        assert told.body == "Whoever scheduled it was deactivated. It is sent no more."
        assert sweep(MONDAY + WEEK) == (0, 0, 0)
        assert (notes("stopped").count(), PackSending.objects.count()) == (1, 0)

    def test_nothing_goes_out_when_that_happens_after_it_was_ordered(self, schedule, vp):
        order_due(at=MONDAY, draw=board_data)
        leave(vp, MONDAY)
        assert sweep(MONDAY) == (1, 0, 0)
        assert PackSending.objects.get().message.startswith("Stopped before it was sent.")
        assert not OutboxMessage.objects.exclude(files=[]).exists()

    def test_it_stops_with_the_role_that_makes_packs(self, schedule, vp):
        change_role(vp, Role.CSM, actor=UserFactory(role=Role.OWNER), at=BEFORE)
        assert sweep(MONDAY) == (1, 0, 0)
        assert mails().get().body == "Whoever scheduled it makes no board packs any more. It is sent no more."

    def test_it_stops_when_the_view_is_deleted(self, schedule, view, vp):
        delete_view(view, actor=vp, at=BEFORE)
        assert sweep(BEFORE) == (1, 0, 0)
        told = mails().get()
        assert (told.user, told.url) == (vp, f"/portfolio/board-packs/schedules/{schedule.pk}/")
        assert told.body == "Its view was deleted or is not shared any more. It is sent no more."

    def test_it_stops_when_the_view_is_not_shared_any_more(self, vp, reader):
        other = UserFactory(role=Role.ADMIN)
        view = save_view(page="portfolio", name="Ours", query="", is_shared=True, actor=other, at=BEFORE)
        schedule_pack(view, when=WEEKLY, recipients=[reader], actor=vp, at=BEFORE)
        assert stop_broken(at=BEFORE) == 0
        change_view(view, actor=other, at=BEFORE, is_shared=False)
        assert stop_broken(at=BEFORE) == 1

    def test_asking_whether_one_may_go_on_takes_one_query_for_all(self, view, vp, reader):
        counts = []
        for more in (1, 2):
            for hour in range(more):
                schedule_pack(view, when=When("week", hour, weekday=0), recipients=[reader], actor=vp, at=BEFORE)
            with CaptureQueriesContext(connection) as seen:
                assert stop_broken(at=MONDAY) == 0
            counts.append(len(seen))
        assert counts == [1, 1]

    def test_a_pause_keeps_it_and_makes_up_for_nothing(self, schedule, vp):
        assert pause_schedule(schedule, actor=vp, at=BEFORE) is True
        assert pause_schedule(schedule, actor=vp, at=BEFORE) is False
        assert sweep(MONDAY) == (0, 0, 0)
        assert resume_schedule(schedule, actor=vp, at=MONDAY + timedelta(hours=1)) is True
        assert sweep(MONDAY + timedelta(hours=2)) == (0, 0, 0)
        assert sweep(MONDAY + WEEK) == (0, 1, 1)

    def test_deleted_it_sends_nothing_and_its_log_stays(self, schedule, vp):
        sweep(MONDAY)
        order_due(at=MONDAY + WEEK, draw=board_data)
        delete_schedule(schedule, actor=vp, at=MONDAY + WEEK)
        assert sweep(MONDAY + WEEK) == (0, 0, 0)
        assert sorted(PackSending.objects.values_list("state", flat=True)) == ["failed", "sent"]
