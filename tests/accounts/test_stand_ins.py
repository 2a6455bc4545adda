"""Stand-ins: whose work they see, are told of and may change, from the first day to the last and not a day longer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import log_activity
from accounts.actions.stand_ins import end_stand_in, set_stand_in
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, Activity, AuditEntry, StandIn, TeamRole, User, Workspace
from accounts.queries.stand_ins import lent_words
from engagement.actions import notify
from engagement.announcements import announce_ctas
from engagement.choices import Kind
from engagement.models import Notification, OutboxMessage
from myday.queries import my_day
from playbooks.actions import add_task, create_cta
from playbooks.models import Cta
from playbooks.queries import CtaFilters, cta_list
from tests.factories import AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 4)
BEFORE = datetime(2026, 11, 24, 9, tzinfo=UTC)
DURING = datetime(2026, 12, 2, 9, tzinfo=UTC)
TICK = timedelta(seconds=1)
BEGINS = datetime(2026, 12, 1, tzinfo=UTC)
WORDS = "for Dana Reyes until 4 Dec"
ENDS = datetime(2026, 12, 5, tzinfo=UTC)


@pytest.fixture
def dana():
    return UserFactory(name="Dana Reyes")


@pytest.fixture
def bob():
    return UserFactory(name="Bob Ohm")


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria Hale")


@pytest.fixture
def halden(dana):
    return AccountFactory(name="Halden", owner=dana)


@pytest.fixture
def away(dana, bob):
    return set_stand_in(dana, bob, from_on=FIRST, until_on=LAST, actor=dana, at=BEFORE)


def edges():
    return pytest.mark.parametrize(
        ("at", "lasts"),
        [(BEGINS - TICK, False), (BEGINS, True), (ENDS - TICK, True), (ENDS, False)],
        ids=["the day before", "the first day", "the last day", "the day after"],
    )


class TestRights:
    @edges()
    def test_they_change_the_accounts_of_the_absent_while_it_lasts(self, away, bob, halden, client, at, lasts):
        cta = CtaFactory(account=AccountFactory(), owner=away.absent)
        step = Activity.objects.create(
            account=AccountFactory(), kind="call", at=BEFORE, title="x", next_step="y", next_step_on=LAST,
            next_step_owner=away.absent,
        )  # fmt: skip
        with time_machine.travel(at, tick=False):
            client.force_login(bob)
            assert Account.objects.editable_by(bob).filter(pk=halden.pk).exists() is lasts
            assert Cta.objects.workable_by(bob).filter(pk=cta.pk).exists() is lasts
            assert Activity.objects.all().step_workable_by(bob).filter(pk=step.pk).exists() is lasts
            assert client.get(f"/accounts/{halden.pk}/edit/").status_code == (200 if lasts else 403)
            page = client.get(f"/accounts/{halden.pk}/people/").content.decode()
            assert ("Change the owner" in page) is lasts

    @edges()
    def test_where_csms_see_their_own_book_only_they_see_it_while_it_lasts(self, away, bob, halden, client, at, lasts):
        Workspace.objects.update(csm_reads_all_accounts=False)
        other = AccountFactory(name="Elsewhere")
        with time_machine.travel(at, tick=False):
            client.force_login(bob)
            seen = set(Account.objects.visible_to(bob))
            assert seen == ({halden} if lasts else set())
            assert client.get(f"/accounts/{halden.pk}/").status_code == (200 if lasts else 404)
            assert client.get(f"/accounts/{other.pk}/").status_code == 404

    def test_figures_that_were_drawn_for_them_are_not_shown_after_the_last_day(self, away, bob, halden, client):
        """Where they are it is still the day before, for which the portfolio was drawn."""
        Workspace.objects.update(csm_reads_all_accounts=False)
        type(bob).objects.filter(pk=bob.pk).update(timezone="America/New_York")
        for at, seen in ((ENDS - TICK, True), (ENDS, False)):
            with time_machine.travel(at, tick=False):
                client.force_login(bob)
                assert ("No accounts yet" not in client.get("/portfolio/").content.decode()) is seen

    @pytest.mark.parametrize(
        ("zone", "at", "lasts"),
        [
            ("Pacific/Auckland", datetime(2026, 11, 30, 11, tzinfo=UTC), True),
            ("Pacific/Auckland", datetime(2026, 11, 30, 10, 59, tzinfo=UTC), False),
            ("America/New_York", datetime(2026, 12, 5, 4, 59, tzinfo=UTC), True),
            ("America/New_York", datetime(2026, 12, 5, 5, tzinfo=UTC), False),
        ],
    )
    def test_days_are_the_workspaces(self, away, bob, halden, zone, at, lasts):
        Workspace.objects.update(timezone=zone)
        with time_machine.travel(at, tick=False):
            assert Account.objects.editable_by(bob).filter(pk=halden.pk).exists() is lasts

    def test_a_reader_who_may_change_nothing_still_may_not(self, away, bob, halden):
        with time_machine.travel(DURING, tick=False):
            type(bob).objects.filter(pk=bob.pk).update(role=Role.READ_ONLY)
            reader = type(bob).objects.get(pk=bob.pk)
            assert not Account.objects.editable_by(reader).exists()

    def test_a_book_holds_each_account_once_by_whatever_right_it_is_there(self, away, dana, bob, halden):
        role = TeamRole.objects.create(key="csm", name="CSM", side="vendor")
        own, served, other = AccountFactory(owner=bob), AccountFactory(), AccountFactory()
        for account in (own, served, halden):
            account.team.create(user=bob, role=role)
        with time_machine.travel(DURING, tick=False):
            book = Account.objects.in_book_of(bob)
            assert sorted(book.values_list("pk", flat=True)) == sorted(a.pk for a in (own, served, halden))
            assert book.count() == 3
            assert other not in book

    def test_whom_somebody_stands_in_for_is_asked_once(self, away, bob, halden):
        with time_machine.travel(DURING, tick=False), CaptureQueriesContext(connection) as queries:
            reader = User.objects.get(pk=bob.pk)
            assert Account.objects.editable_by(reader).exists()
            assert not Cta.objects.workable_by(reader).exists()
            my_day(reader, DURING.date())
        assert sum('FROM "accounts_standin"' in query["sql"] for query in queries) == 1

    def test_the_absent_keep_their_own_rights(self, away, dana, halden):
        with time_machine.travel(DURING, tick=False):
            assert Account.objects.editable_by(dana).filter(pk=halden.pk).exists()


class TestDay:
    @pytest.fixture
    def work(self, dana, halden):
        cta = CtaFactory(account=halden, owner=dana, title="Call the sponsor", due_on=FIRST)
        add_task(cta, title="Find the number", due_on=FIRST, actor=dana, at=BEFORE)
        log_activity(
            halden, kind="call", title="Talked", actor=dana, at=BEFORE, next_step="Send the offer", next_step_on=FIRST,
            next_step_owner=dana,
        )  # fmt: skip
        return cta

    @edges()
    def test_their_day_and_their_ctas_hold_the_work_of_the_absent_and_say_so(
        self, away, work, bob, dana, client, at, lasts
    ):
        with time_machine.travel(at, tick=False):
            client.force_login(bob)
            lines = {(e.line.kind, lent_words(e.line.lent, at.date())) for e in my_day(bob, at.date()).entries}
            assert lines == ({(kind, WORDS) for kind in ("cta", "task", "step")} if lasts else set())
            page = client.get("/day/").content.decode()
            assert (page.count(WORDS) == 3) is lasts
            mine = cta_list(bob, CtaFilters(owner="me"), "", "", at.date()).page.rows
            assert [row["pk"] for row in mine] == ([work.pk] if lasts else [])
            for path in ("/ctas/?owner=me", "/ctas/board/?owner=me", "/ctas/calendar/?owner=me&on=2026-12-01"):
                assert (WORDS in client.get(path).content.decode()) is lasts, path

    def test_whoever_stands_in_for_nobody_sees_none_of_it(self, away, work):
        other = UserFactory()
        with time_machine.travel(DURING, tick=False):
            assert my_day(other, DURING.date()).entries == []

    @edges()
    def test_the_account_says_who_is_away_and_who_stands_in(self, away, halden, vp, client, at, lasts):
        with time_machine.travel(at, tick=False):
            client.force_login(vp)
            for path in ("", "people/"):
                page = client.get(f"/accounts/{halden.pk}/{path}").content.decode()
                assert ("Bob Ohm stands in" in page) is lasts, path


class TestTold:
    @edges()
    def test_a_new_cta_of_the_absent_is_told_to_both_while_it_lasts(self, away, halden, dana, bob, vp, at, lasts):
        cta = create_cta(
            halden, title="Call the sponsor", reason="Logins fell", kind="risk", priority="high", due_on=LAST,
            owner=dana, actor=vp, at=at,
        )  # fmt: skip
        announce_ctas(at=at)
        assert Notification.objects.filter(user=dana, url=f"/ctas/{cta.pk}/").count() == 1
        told = Notification.objects.filter(user=bob)
        assert [(notice.title, notice.body) for notice in told] == (
            [("Halden: Call the sponsor", "For Dana Reyes until 4 Dec. Logins fell")] if lasts else []
        )
        assert OutboxMessage.objects.filter(user=bob).exists() is lasts
        announce_ctas(at=at)
        assert Notification.objects.filter(user=bob).count() == int(lasts)

    def test_what_is_about_the_person_stays_with_them(self, away, dana, bob, halden):
        for kind, account in ((Kind.WEEKLY_DIGEST, None), (Kind.SYSTEM, None), (Kind.MENTION, halden)):
            notify([dana], kind=kind, title="x", account=account, at=DURING, dedupe_key=kind)
        assert not Notification.objects.filter(user=bob).exists()

    def test_whoever_is_told_anyhow_is_told_once(self, away, dana, bob, halden):
        notify([dana, bob], kind=Kind.HEALTH_BAND, title="x", account=halden, at=DURING, dedupe_key="x")
        assert Notification.objects.filter(user=bob).count() == 1

    @pytest.mark.parametrize(("at", "queries"), [(BEGINS - TICK, 8), (BEGINS, 14)])
    def test_telling_whoever_stands_in_takes_six_queries_more(self, away, dana, halden, at, queries):
        with CaptureQueriesContext(connection) as seen:
            notify([dana], kind=Kind.HEALTH_BAND, title="x", account=halden, at=at, dedupe_key="x" * 300)
        told = [query["sql"] for query in seen if "SAVEPOINT" not in query["sql"]]
        assert len(told) == queries, "\n".join(each[:160] for each in told)

    def test_each_absent_is_told_of_by_a_key_of_its_own(self, away, dana, bob, vp, halden):
        other = UserFactory(name="Eve Adler")
        set_stand_in(other, bob, from_on=FIRST, until_on=LAST, actor=vp, at=BEFORE)
        notify([dana, other], kind=Kind.HEALTH_BAND, title="x", account=halden, at=DURING, dedupe_key="x" * 300)
        told = Notification.objects.filter(user=bob).order_by("body").values_list("body", flat=True)
        assert list(told) == ["For Dana Reyes until 4 Dec.", "For Eve Adler until 4 Dec."]


class TestSetting:
    def test_it_is_audited_from_beginning_to_end(self, away, dana):
        end_stand_in(away, actor=dana, at=DURING)
        entries = AuditEntry.objects.filter(action__startswith="stand_in.").order_by("id")
        assert list(entries.values_list("action", flat=True)) == ["stand_in.set", "stand_in.ended"]
        assert entries[0].after == entries[1].before
        assert (entries[0].after["from"], entries[0].after["until"]) == ("2026-12-01", "2026-12-04")
        assert not StandIn.objects.exists()

    @pytest.mark.parametrize(
        ("from_on", "until_on", "refused"),
        [
            (FIRST, FIRST, True),
            (LAST, LAST + timedelta(days=3), True),
            (FIRST - timedelta(days=3), FIRST, True),
            (FIRST - timedelta(days=3), LAST + timedelta(days=3), True),
            (FIRST - timedelta(days=3), FIRST - timedelta(days=1), False),
            (LAST + timedelta(days=1), LAST + timedelta(days=1), False),
        ],
    )
    def test_periods_of_one_person_never_share_a_day(self, away, dana, vp, from_on, until_on, refused):
        def set_another():
            return set_stand_in(dana, vp, from_on=from_on, until_on=until_on, actor=dana, at=BEFORE)

        if not refused:
            assert set_another().pk
            return
        with pytest.raises(RuleViolated) as wrong:
            set_another()
        assert (wrong.value.rule, wrong.value.field) == ("stand_in.overlap", "from_on")
        assert "Bob Ohm stands in for Dana Reyes from 1 Dec 2026 to 4 Dec 2026." in str(wrong.value)

    def test_what_was_lent_is_not_lent_on(self, away, dana, bob, vp):
        with pytest.raises(RuleViolated) as wrong:
            set_stand_in(bob, vp, from_on=LAST, until_on=LAST, actor=bob, at=BEFORE)
        assert (wrong.value.rule, wrong.value.field) == ("stand_in.chain", "absent")
        with pytest.raises(RuleViolated) as wrong:
            set_stand_in(vp, dana, from_on=FIRST, until_on=FIRST, actor=vp, at=BEFORE)
        assert (wrong.value.rule, wrong.value.field) == ("stand_in.away", "colleague")

    @pytest.mark.parametrize(
        ("values", "rule", "field"),
        [
            ({"until_on": FIRST - timedelta(days=1)}, "stand_in.order", "until_on"),
            ({"from_on": BEFORE.date() - timedelta(days=9), "until_on": BEFORE.date() - timedelta(days=1)},
             "stand_in.past", "until_on"),
            ({"until_on": FIRST + timedelta(days=365)}, "stand_in.too_long", "until_on"),
        ],
    )  # fmt: skip
    def test_days_that_make_no_period_are_refused(self, dana, bob, values, rule, field):
        with pytest.raises(RuleViolated) as wrong:
            set_stand_in(dana, bob, **{"from_on": FIRST, "until_on": LAST, **values}, actor=dana, at=BEFORE)
        assert (wrong.value.rule, wrong.value.field) == (rule, field)

    def test_today_alone_is_a_period(self, dana, bob):
        today = BEFORE.date()
        assert set_stand_in(dana, bob, from_on=today, until_on=today, actor=dana, at=BEFORE).pk

    def test_only_oneself_and_leaders_and_only_those_who_work_accounts(self, dana, bob, vp):
        days = {"from_on": FIRST, "until_on": LAST, "at": BEFORE}
        agent = UserFactory(role=Role.SUPPORT_AGENT)
        for absent, colleague, actor, field in (
            (dana, vp, bob, "absent"),
            (dana, dana, dana, "colleague"),
            (dana, agent, dana, "colleague"),
            (agent, dana, vp, "absent"),
        ):
            with pytest.raises(RuleViolated) as wrong:
                set_stand_in(absent, colleague, actor=actor, **days)
            assert wrong.value.field == field
        period = set_stand_in(dana, bob, actor=vp, **days)
        with pytest.raises(RuleViolated):
            end_stand_in(period, actor=bob, at=BEFORE)

    def test_ended_by_two_at_once_it_is_noted_once(self, away, dana, vp):
        again = StandIn.objects.get()
        end_stand_in(away, actor=dana, at=BEFORE)
        end_stand_in(again, actor=vp, at=BEFORE)
        assert AuditEntry.objects.filter(action="stand_in.ended").count() == 1

    def test_the_page_sets_refuses_at_the_field_and_ends(self, client, dana, bob, vp):
        with time_machine.travel(BEFORE, tick=False):
            client.force_login(dana)
            values = {"absent": dana.pk, "colleague": bob.pk, "from_on": "2026-12-01", "until_on": "2026-12-04"}
            assert client.post("/people/stand-ins/", values)["Location"] == "/people/stand-ins/"
            refused = client.post("/people/stand-ins/", values)
            assert (refused.status_code, "must not share a day" in refused.content.decode()) == (422, True)
            assert client.post("/people/stand-ins/", {**values, "absent": vp.pk}).status_code == 422
            period = StandIn.objects.get()
            client.force_login(bob)
            client.post(f"/people/stand-ins/{period.pk}/end/")
            assert StandIn.objects.exists(), "bob may not end what Dana set up"
            client.force_login(vp)
            assert "Take back" in client.get("/people/stand-ins/").content.decode()
            client.post(f"/people/stand-ins/{period.pk}/end/")
        assert not StandIn.objects.exists()

    def test_queries_of_the_page_do_not_grow(self, client, vp, bob):
        counts = []
        with time_machine.travel(BEFORE, tick=False):
            client.force_login(vp)
            for more in (1, 2):
                for _number in range(more):
                    set_stand_in(UserFactory(), bob, from_on=FIRST, until_on=LAST, actor=vp, at=BEFORE)
                client.get("/accounts/")
                with CaptureQueriesContext(connection) as queries:
                    client.get("/people/stand-ins/")
                counts.append(len([q for q in queries if not q["sql"].startswith(("SET", 'SELECT "tenants_'))]))
        assert counts[0] == counts[1] <= 12
