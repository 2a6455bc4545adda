"""Scheduled board packs: who may get one, which times there are, and the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import delete_view, save_view
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import AuditEntry, SavedView, Workspace
from engagement.actions import retry_message
from engagement.delivery import deliver_due
from engagement.models import OutboxMessage
from health.actions.pack_schedules import When, change_schedule, delete_schedule, schedule_pack, send_now
from health.actions.packs import order_due
from health.models import PackSchedule, PackSending
from health.pages.board_data import board_data
from tests.factories import UserFactory
from tests.health.board_packs.sweeps import BEFORE, MONDAY, TICK, WEEK, WEEKLY, leave, mails, notes, sweep

pytestmark = pytest.mark.django_db


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

    def test_mail_to_whoever_lost_the_right_does_not_go_out_nor_when_it_is_tried_again(self, view, vp):
        csm = UserFactory(role=Role.CSM, name="Mara Lind")
        schedule_pack(view, when=WEEKLY, recipients=[vp, csm], actor=vp, at=BEFORE)
        sweep(MONDAY)
        Workspace.objects.update(csm_reads_all_accounts=False)
        assert deliver_due(now=MONDAY) == {"sent": 1, "failed": 0, "dead": 1}
        assert retry_message(mails(user=csm).get(), actor=vp, at=MONDAY)
        assert deliver_due(now=MONDAY) == {"sent": 0, "failed": 0, "dead": 1}
        assert [message.to for message in mail.outbox] == [[vp.email]]
        lost = mails(user=csm).get()
        assert (lost.state, lost.last_error) == (
            "dead",
            (
                "Whom it is for may not have it any more: "
                "Mara Lind sees their own book only, and a board pack holds every account."
            ),
        )

    def test_the_right_is_asked_as_each_mail_leaves_not_when_the_worker_takes_them(self, view, vp, monkeypatch):
        """Fifty mails to a slow server take minutes."""
        schedule_pack(view, when=WEEKLY, recipients=[UserFactory(), UserFactory()], actor=vp, at=BEFORE)
        sweep(MONDAY)
        send = EmailBackend.send_messages

        def send_slowly(server, messages):
            Workspace.objects.update(csm_reads_all_accounts=False)
            return send(server, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", send_slowly)
        assert deliver_due(now=MONDAY) == {"sent": 1, "failed": 0, "dead": 1}

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

    def test_what_was_deleted_meanwhile_is_not_sent_now_nor_changed(self, schedule, vp):
        delete_schedule(PackSchedule.objects.get(), actor=vp, at=BEFORE)
        with pytest.raises(RuleViolated, match="was deleted"):
            send_now(schedule, draw=board_data, actor=vp, at=BEFORE)
        with pytest.raises(RuleViolated, match="was deleted"):
            change_schedule(schedule, when=WEEKLY, recipients=[vp], actor=vp, at=BEFORE)
        delete_schedule(schedule, actor=vp, at=BEFORE)
        assert (PackSending.objects.count(), notes("deleted").count()) == (0, 1)


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
