"""What stands in a day, in which order, and who has one."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import log_touch
from accounts.choices import Role
from accounts.models import Account
from engagement.actions import notify
from engagement.models import Notification
from health.cards import compiled_by_id
from health.models import HealthScore
from playbooks.actions import add_task
from tests.factories import AccountFactory, CtaFactory, UserFactory
from tests.myday.shown import HTMX, fall, rows, text

pytestmark = pytest.mark.django_db


class TestWhatStandsThere:
    def test_work_steps_messages_and_changes_in_one_list_with_the_reasons(
        self, desk, cta, task, step, notice, halden, today
    ):
        fall(halden, today, Decimal(80), Decimal(62))
        page = desk.get("/day/")
        assert set(rows(page)) == {"cta", "task", "step", "notice", "account"}
        body = text(page)
        assert "Due today, high priority, renewal in 24 days" in body
        assert "Renewal in 24 days, fell from Green to Red, score down 18 since yesterday" in body
        assert "5 things to look at: 3 due today." in body

    def test_only_ones_own_and_only_what_is_near(self, desk, mara, halden, today):
        other = UserFactory()
        CtaFactory(title="of another", owner=other, account=halden, due_on=today)
        CtaFactory(title="far away", owner=mara, account=halden, due_on=today + timedelta(days=8))
        CtaFactory(title="far but high", owner=mara, account=halden, due_on=today + timedelta(days=8), priority="high")
        archived = AccountFactory(archived_at=timezone.now())
        CtaFactory(title="of an archived account", owner=mara, account=archived, due_on=today)
        mine = CtaFactory(owner=mara, account=halden, due_on=today + timedelta(days=3))
        add_task(mine, title="later task", due_on=today + timedelta(days=2), actor=mara, at=timezone.now())
        body = text(desk.get("/day/"))
        shown = [name for name in ("of another", "far away", "far but high", "archived", "later task") if name in body]
        assert shown == ["far but high"]

    def test_a_small_move_or_one_of_yesterday_is_no_news(self, desk, halden, today):
        fall(halden, today - timedelta(days=1), Decimal(80), Decimal(60))
        assert rows(desk.get("/day/")) == []
        HealthScore.objects.all().delete()
        fall(halden, today, Decimal(80), Decimal(78), band="green")
        assert rows(desk.get("/day/")) == []

    def test_a_band_notice_gives_way_to_the_change_itself(self, desk, mara, halden, today):
        notify([mara], kind="health_band", title="Halden fell", account=halden, at=timezone.now(), dedupe_key="b")
        assert rows(desk.get("/day/")) == ["notice"]
        fall(halden, today, Decimal(80), Decimal(60))
        assert rows(desk.get("/day/")) == ["account"]

    def test_a_meeting_of_today_stands_before_an_equal_step_and_tells_its_hour(self, desk, mara, halden, today):
        ten = timezone.make_aware(datetime.combine(today, time(23, 50)))
        for title, begins in (("Plain step", None), ("The meeting", ten)):
            log_touch(
                halden, kind="call", title="x", actor=mara, at=timezone.now(), next_step=title, next_step_on=today,
                next_step_at=begins,
            )  # fmt: skip
        body = text(desk.get("/day/"))
        assert body.index("The meeting") < body.index("Plain step")
        assert "Today at 23:50" in body

    def test_tabs_narrow_the_list_and_stay_in_the_address(self, desk, cta, task):
        assert rows(desk.get("/day/?kind=task")) == ["task"]
        assert rows(desk.get("/day/?kind=nonsense")) == ["cta", "task"]
        assert "Nothing of this kind" in text(desk.get("/day/?kind=notice"))

    def test_a_long_day_shows_fifty_and_says_how_many_more(self, desk, mara, halden, today):
        for number in range(55):
            CtaFactory(title=f"T{number}", owner=mara, account=halden, due_on=today)
        page = desk.get("/day/")
        assert len(rows(page)) == 50
        assert "5 more" in text(page)
        assert len(rows(desk.get("/day/?all=1"))) == 55

    def test_an_empty_day_says_what_comes_next(self, desk, mara, halden, today):
        assert "Halden renews on" in text(desk.get("/day/"))
        CtaFactory(title="Prepare the review", owner=mara, account=halden, due_on=today + timedelta(days=20))
        body = text(desk.get("/day/"))
        assert "You are done for today" in body
        assert "Next: Prepare the review, due" in body
        Account.objects.all().delete()
        assert "Nothing is planned" in text(desk.get("/day/"))

    def test_what_is_written_by_customers_is_escaped(self, desk, mara, today):
        nasty = AccountFactory(name="<script>alert(1)</script>", owner=mara)
        CtaFactory(title="<b>T</b>", reason="<i>R</i>", owner=mara, account=nasty, due_on=today)
        body = text(desk.get("/day/"))
        assert "<script>alert" not in body
        assert "<b>T</b>" not in body
        assert "<i>R</i>" not in body

    def test_a_notice_leads_only_into_the_workspace(self, desk, mara, notice):
        Notification.objects.update(url="https://evil.example/")
        assert "evil.example" not in text(desk.get("/day/"))

    def test_by_account_each_account_is_named_once_the_most_pressing_first(
        self, desk, mara, cta, task, notice, halden, today
    ):
        later = CtaFactory(title="Plan", account=AccountFactory(name="Brook", owner=mara), owner=mara, due_on=today)
        body = text(desk.get("/day/?by=account"))
        parts = re.findall(r'<section aria-labelledby="g-([^"]+)">(.*?)</section>', body, re.DOTALL)
        assert [key for key, _part in parts] == [str(halden.pk), str(later.account_id)]
        assert sorted(re.findall(r'data-item id="([a-z]+)-', parts[0][1])) == ["cta", "notice", "task"]
        assert parts[0][1].count(">Halden</a>") == 1
        assert "renews" in parts[0][1]
        assert 'href="?kind=cta&by=account"' in body.replace("&amp;", "&")
        # A verb draws the list again as its reader had it.
        again = desk.post(f"/day/tasks/{task.pk}/done/", headers=HTMX | {
            "HX-Current-URL": "http://acme.localhost/day/?by=account"})  # fmt: skip
        assert f'aria-labelledby="g-{halden.pk}"' in text(again)

    def test_a_change_tells_what_moved_most(self, desk, halden, today):
        fall(halden, today, Decimal(80), Decimal(62))
        score = HealthScore.objects.get(account=halden, computed_on=today)
        measure = compiled_by_id([score.version_id])[score.version_id].card.measures[0]
        score.points = [(score.points[0] or 0) - 40_000_000, *score.points[1:]]
        score.save(update_fields=["points"])
        assert f'<p class="about">by {measure.name} ' in text(desk.get("/day/"))

    def test_at_most_twelve_queries_and_as_many_for_one_row_as_for_three(
        self, desk, mara, cta, task, step, notice, halden, today
    ):
        fall(halden, today, Decimal(80), Decimal(60))
        desk.get("/day/")
        counts = []
        for _ in range(2):
            cache.delete(f"navigation.counts.{mara.pk}")  # the side bar's numbers are read as well
            with CaptureQueriesContext(connection) as queries:
                assert rows(desk.get("/day/"))
            # The test client looks its own host up and selects its schema; the product does neither.
            counts.append(sum(not query["sql"].startswith("SET ") for query in queries) - 1)
            for number in range(2):
                account = AccountFactory(owner=mara, renewal_on=today + timedelta(days=9))
                more = CtaFactory(owner=mara, account=account, due_on=today)
                add_task(more, title="x", due_on=today, actor=mara, at=timezone.now())
                notify([mara], kind="system", title="x", at=timezone.now(), dedupe_key=f"n{number}")
        assert counts[0] == counts[1] <= 12


class TestLanding:
    @pytest.mark.parametrize(("role", "first"), [(Role.CSM, "My day"), (Role.VP_CS, "Portfolio")])
    def test_it_stands_first_for_those_who_work_a_book(self, client, role, first):
        client.force_login(UserFactory(role=role))
        body = text(client.get("/accounts/"))
        for part in ('<nav class="side"', '<nav class="tabbar-m"'):
            links = re.findall(r"<a href=\"[^\"]+\"[^>]*><svg.*?</svg> ([A-Za-z ]+)", body[body.index(part) :])
            assert links[0] == first

    def test_a_reader_has_no_day(self, client):
        client.force_login(UserFactory(role=Role.READ_ONLY))
        assert client.get("/day/").status_code == 403
