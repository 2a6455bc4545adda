"""Board packs that are sent regularly: on time, once, to those who may have them, until somebody stops them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import change_view, delete_view, save_view
from accounts.actions.people import change_role, deactivate_user
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import AuditEntry, SavedView, User, Workspace
from documents.actions import remove_document, write_document
from documents.models import Document
from engagement.actions import bundle_excess, set_preferences
from engagement.choices import Kind
from engagement.delivery import deliver_due
from engagement.models import Notification, OutboxMessage
from health.actions import packs
from health.actions.pack_schedules import (
    When,
    change_schedule,
    delete_schedule,
    pause_schedule,
    resume_schedule,
    schedule_pack,
    send_now,
)
from health.actions.packs import order_due, send_written, stop_broken, withdraw_lost
from health.models import PackSchedule, PackSending
from health.pages.board_data import board_data
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 30, 8, tzinfo=UTC)
BEFORE = MONDAY - timedelta(days=3)
WEEKLY = When("week", 8, weekday=0)
WEEK, TICK = timedelta(days=7), timedelta(microseconds=1)


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria Hale")


@pytest.fixture
def reader():
    return UserFactory(role=Role.READ_ONLY, name="Rea Der")


@pytest.fixture
def view(vp):
    AccountFactory(name="Halden", segment="SMB", arr=100, owner=vp)
    AccountFactory(name="Elsewhere", segment="Enterprise", arr=900)
    return save_view(page="portfolio", name="Small ones", query="segment=SMB", actor=vp, at=BEFORE)


@pytest.fixture
def schedule(view, vp, reader):
    return schedule_pack(view, when=WEEKLY, recipients=[vp, reader], actor=vp, at=BEFORE)


def sweep(at):
    """What the worker does each minute, the writing of documents included; (stopped, ordered, sent)."""
    done = stop_broken(at=at), order_due(at=at, draw=board_data)
    for document in Document.objects.unfinished():
        write_document(document.pk)
    return *done, send_written(at=at)


def mails(**match):
    return OutboxMessage.objects.filter(kind=Kind.BOARD_PACK, **match).order_by("to")


def leave(person, at):
    """``person`` is deactivated; somebody takes their accounts over."""
    boss = UserFactory(role=Role.OWNER)
    deactivate_user(person, actor=boss, at=at, reassign_to=boss)


def notes(action):
    return AuditEntry.objects.filter(action=f"pack_schedule.{action}")


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


class TestRecipients:
    def test_whoever_does_not_see_it_all_is_refused_by_name(self, view, vp):
        Workspace.objects.update(csm_reads_all_accounts=False)
        agent, csm = UserFactory(role=Role.SUPPORT_AGENT, name="Ag Ent"), UserFactory(role=Role.CSM, name="Mara Lind")
        gone = UserFactory(role=Role.VP_CS, name="Gone", is_active=False, deactivated_at=BEFORE)
        with pytest.raises(RuleViolated) as refused:
            schedule_pack(view, when=WEEKLY, recipients=[vp, agent, csm, gone], actor=vp, at=BEFORE)
        assert refused.value.field == "recipients"
        assert str(refused.value) == (
            "Ag Ent does not see the portfolio. "
            "Mara Lind sees their own book only, and a board pack holds every account. Gone was deactivated."
        )
        Workspace.objects.update(csm_reads_all_accounts=True)
        assert schedule_pack(view, when=WEEKLY, recipients=[csm], actor=vp, at=BEFORE).pk

    def test_whoever_loses_the_right_gets_none_and_the_log_says_so(self, view, vp, client):
        csm = UserFactory(role=Role.CSM, name="Mara Lind")
        schedule_pack(view, when=WEEKLY, recipients=[vp, csm], actor=vp, at=BEFORE)
        sweep(MONDAY)
        first = PackSending.objects.get()
        client.force_login(csm)
        assert client.get(f"/portfolio/board-packs/sent/{first.pk}/file/").content.startswith(b"%PDF-")
        Workspace.objects.update(csm_reads_all_accounts=False)
        for path in ("", "file/"):
            assert client.get(f"/portfolio/board-packs/sent/{first.pk}/{path}").status_code == 404
        sweep(MONDAY + WEEK)
        second = PackSending.objects.first()
        assert list(second.readers.all()) == [vp]
        assert second.left_out == [["Mara Lind", "sees their own book only, and a board pack holds every account"]]

    def test_mail_that_waits_for_whoever_loses_the_right_is_taken_back(self, view, vp):
        csm = UserFactory(role=Role.CSM)
        schedule_pack(view, when=WEEKLY, recipients=[vp, csm], actor=vp, at=BEFORE)
        sweep(MONDAY)
        assert withdraw_lost(at=MONDAY) == 0
        Workspace.objects.update(csm_reads_all_accounts=False)
        assert (withdraw_lost(at=MONDAY), withdraw_lost(at=MONDAY)) == (1, 0)
        deliver_due(now=MONDAY)
        assert [message.to for message in mail.outbox] == [[vp.email]]
        assert mails(user=csm).get().last_error == "Whom it is for may not have it any more."

    def test_mail_that_waits_for_whoever_is_deactivated_is_given_up(self, view, vp, reader):
        schedule_pack(view, when=WEEKLY, recipients=[vp, reader], actor=vp, at=BEFORE)
        sweep(MONDAY)
        leave(reader, MONDAY)
        deliver_due(now=MONDAY)
        assert reader.email not in [address for message in mail.outbox for address in message.to]
        assert mails(user=reader).get().state == "dead"

    def test_with_nobody_left_it_stops(self, view, vp):
        csm = UserFactory(role=Role.CSM)
        schedule = schedule_pack(view, when=WEEKLY, recipients=[csm], actor=vp, at=BEFORE)
        Workspace.objects.update(csm_reads_all_accounts=False)
        assert sweep(MONDAY) == (0, 1, 0)
        schedule.refresh_from_db()
        assert (schedule.stopped_why, OutboxMessage.objects.exclude(files=[]).exists()) == ("nobody", False)

    def test_a_receipt_is_for_those_who_got_it_and_for_makers(self, schedule, client):
        sweep(MONDAY)
        path = f"/portfolio/board-packs/sent/{PackSending.objects.get().pk}/"
        for role, status in ((Role.READ_ONLY, 404), (Role.ADMIN, 200), (Role.SUPPORT_AGENT, 403)):
            client.force_login(UserFactory(role=role))
            assert (role, client.get(path).status_code) == (role, status)


class TestRules:
    @pytest.mark.parametrize(
        ("when", "field"),
        [
            (When("day", 8), "every"),
            (When("week", 8), "weekday"),
            (When("week", 8, weekday=7), "weekday"),
            (When("month", 8, day=0), "day"),
            (When("month", 8, day=29), "day"),
            (When("month_end", 24), "hour"),
            (When("month_end", -1), "hour"),
        ],
    )
    def test_a_time_that_is_none_is_refused_at_its_field(self, view, vp, when, field):
        with pytest.raises(RuleViolated) as refused:
            schedule_pack(view, when=when, recipients=[vp], actor=vp, at=BEFORE)
        assert refused.value.field == field

    @pytest.mark.parametrize(
        ("when", "kept"),
        [
            (When("week", 0, weekday=6, day=3), ("week", 6, None, 0)),
            (When("month", 23, weekday=2, day=28), ("month", None, 28, 23)),
            (When("month", 8, day=1), ("month", None, 1, 8)),
            (When("month_end", 8, weekday=2, day=3), ("month_end", None, None, 8)),
        ],
    )
    def test_a_day_that_does_not_count_is_dropped(self, view, vp, when, kept):
        made = schedule_pack(view, when=when, recipients=[vp], actor=vp, at=BEFORE)
        assert (made.every, made.weekday, made.day, made.hour) == kept

    def test_only_a_view_of_the_portfolio_that_one_sees(self, vp):
        other = UserFactory(role=Role.VP_CS)
        hers = save_view(page="portfolio", name="Hers", query="", actor=other, at=BEFORE)
        accounts = SavedView.objects.get(name="At risk")
        for view in (hers, accounts):
            with pytest.raises(RuleViolated, match="view of the portfolio that you see"):
                schedule_pack(view, when=WEEKLY, recipients=[vp], actor=vp, at=BEFORE)

    def test_a_change_counts_from_now_and_a_lost_race_is_told(self, schedule, vp, reader):
        noon = MONDAY + timedelta(hours=4)
        changed = change_schedule(
            schedule, when=When("week", 10, weekday=0), recipients=[reader], actor=vp, at=noon, expected_version=1
        )
        assert (changed.version, list(changed.recipients.all())) == (2, [reader])
        assert order_due(at=noon, draw=board_data) == 0, "ten o'clock was before the change"
        assert notes("changed").get().before == {"hour": 8, "to": sorted([vp.email, reader.email])}
        with pytest.raises(StaleVersion):
            change_schedule(schedule, when=WEEKLY, recipients=[vp], actor=vp, at=noon, expected_version=1)

    def test_a_change_of_the_hour_on_the_day_itself_sends_nothing_twice(self, schedule, vp):
        sweep(MONDAY)
        change_schedule(schedule, when=When("week", 12, weekday=0), recipients=[vp], actor=vp, at=MONDAY)
        assert sweep(MONDAY + timedelta(hours=4)) == (0, 0, 0)

    def test_now_means_once_however_often_it_is_pressed(self, schedule, vp):
        send_now(schedule, draw=board_data, actor=vp, at=BEFORE)
        with pytest.raises(RuleViolated, match="One is being written"):
            send_now(schedule, draw=board_data, actor=vp, at=BEFORE + TICK)
        assert sweep(BEFORE) == (0, 0, 1)
        assert (PackSending.objects.get().due, mails().count()) == ("Asked for", 2)
        assert sweep(MONDAY) == (0, 1, 1)

    def test_what_was_stopped_is_not_sent_now(self, schedule, view, vp):
        delete_view(view, actor=vp, at=BEFORE)
        with pytest.raises(RuleViolated, match="Its view was deleted"):
            send_now(schedule, draw=board_data, actor=vp, at=BEFORE)


class TestPages:
    FORM = {"every": "month", "weekday": "0", "day": "3", "hour": "7"}
    LIST = "/portfolio/board-packs/schedules/"

    def test_scheduled_changed_paused_resumed_sent_and_deleted(self, client, view, vp, reader):
        client.force_login(vp)
        assert "Send as board pack" in client.get(f"/portfolio/?view={view.pk}&segment=SMB").content.decode()
        page = client.get(f"{self.LIST}new/?view={view.pk}").content.decode()
        assert f'value="{view.pk}" selected' in page
        made = client.post(f"{self.LIST}new/", {**self.FORM, "view": view.pk, "recipients": [vp.pk, reader.pk]})
        schedule = PackSchedule.objects.get()
        assert made["Location"] == f"{self.LIST}{schedule.pk}/"
        page = client.get(made["Location"]).content.decode()
        assert "Every month on day 3 at 07:00, on the clock of Victoria Hale." in page
        client.post(f"{self.LIST}{schedule.pk}/edit/", {**self.FORM, "hour": "9", "recipients": [vp.pk], "version": 1})
        client.post(f"{self.LIST}{schedule.pk}/pause/")
        assert "Paused" in client.get(self.LIST).content.decode()
        client.post(f"{self.LIST}{schedule.pk}/resume/")
        told = client.post(f"{self.LIST}{schedule.pk}/send/", follow=True).content.decode()
        assert ("goes out within a minute or two" in told, "Asked for" in told) == (True, True)
        client.post(f"{self.LIST}{schedule.pk}/delete/")
        assert "Nothing is scheduled" in client.get(self.LIST).content.decode()
        names = AuditEntry.objects.filter(action__startswith="pack_schedule.").order_by("id")
        assert [name.split(".")[1] for name in names.values_list("action", flat=True)] == [
            "created", "changed", "paused", "resumed", "sent_now", "deleted",
        ]  # fmt: skip

    def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(self, client, view, vp):
        client.force_login(vp)
        answer = client.post(f"{self.LIST}new/", {**self.FORM, "view": view.pk})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert ("This field is required." in page, 'value="3" selected' in page) == (True, True)

    def test_without_a_view_the_page_says_how_to_get_one(self, client, vp):
        client.force_login(vp)
        assert "No view of the portfolio yet" in client.get(f"{self.LIST}new/").content.decode()

    def test_the_receipt_says_what_was_frozen_and_how_the_mail_fared(self, client, schedule, vp):
        sweep(MONDAY)
        deliver_due(now=MONDAY)
        sending = PackSending.objects.get()
        client.force_login(vp)
        page = client.get(f"/portfolio/board-packs/sent/{sending.pk}/").content.decode()
        for words in ("Due on 30 Nov 2026", "<b>SMB</b>", sending.data_digest, sending.file_digest, "Sent", "Rea Der"):
            assert words in page, words

    @pytest.mark.parametrize("path", ["", "new/", "{pk}/", "{pk}/edit/"])
    def test_queries_do_not_grow_with_the_rows(self, client, schedule, view, vp, reader, path):
        client.force_login(vp)
        sweep(MONDAY)
        counts = []
        for more in range(2):
            for number in range(2 * more):
                person = UserFactory(role=Role.VP_CS)
                other = save_view(page="portfolio", name=f"View {number}", query="", actor=vp, at=BEFORE)
                schedule_pack(other, when=WEEKLY, recipients=[person, vp], actor=vp, at=BEFORE)
                sweep(MONDAY + WEEK * (number + 1))
            client.get("/accounts/")  # the shell's own counts are kept for some seconds
            with CaptureQueriesContext(connection) as queries:
                assert client.get(self.LIST + path.format(pk=schedule.pk)).status_code == 200
            counts.append(len([query for query in queries if not query["sql"].startswith(("SET", 'SELECT "tenants_'))]))
        assert counts[0] == counts[1] <= 12
