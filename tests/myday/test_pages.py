"""My day as its reader works it: what stands there, each verb with and without script, and the way back."""

from __future__ import annotations

import json
import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import log_touch
from accounts.choices import Role
from accounts.models import Account, Activity, AuditEntry, Workspace
from accounts.queries.day import MOST_OF_A_KIND
from engagement.actions import notify
from engagement.models import Notification
from health.cards import compiled_by_id
from health.models import AccountHealth, HealthScore
from myday.actions import hand_account_over
from myday.models import SetAside
from playbooks.actions import add_task, close_cta
from playbooks.models import Cta, Task
from tests.factories import AccountFactory, CtaFactory, UserFactory
from tests.health import world as health

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://acme.localhost/day/"}


@pytest.fixture
def cta(mara, halden, today):
    return CtaFactory(
        title="Usage fell", reason="31 % in five weeks", account=halden, owner=mara, due_on=today, priority="high"
    )


@pytest.fixture
def task(mara, cta, today):
    return add_task(cta, title="Call the sponsor", due_on=today, actor=mara, at=timezone.now())


@pytest.fixture
def step(mara, halden, today):
    return log_touch(
        halden, kind="call", title="Roll-out", actor=mara, at=timezone.now(), next_step="Send the plan",
        next_step_on=today,
    )  # fmt: skip


@pytest.fixture
def notice(mara, halden):
    notify([mara], kind="import_done", title="Import finished", account=halden, at=timezone.now(), dedupe_key="x")
    return Notification.objects.get()


def fall(account, today, before, after, band_before="green", band="red"):
    """The account's score of yesterday and of today, as two runs would have left them."""
    health.card()
    health.score(account)
    row = AccountHealth.objects.get(account=account)
    common = {
        field.attname: getattr(row, field.attname)
        for field in HealthScore._meta.concrete_fields
        if field.attname not in {"account_id", "computed_on", "score", "band", "band_rank"}
    }
    HealthScore.objects.filter(account=account).delete()
    for day, score, name in ((today - timedelta(days=1), before, band_before), (today, after, band)):
        rank = 0 if name == band_before else 2
        HealthScore.objects.create(account=account, computed_on=day, score=score, band=name, band_rank=rank, **common)


def text(response):
    return response.content.decode()


def rows(response):
    return re.findall(r'<li data-item id="([a-z]+)-', text(response))


def toast(response):
    return json.loads(response["HX-Trigger"])["toast"]


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


class TestVerbs:
    def test_closing_needs_an_outcome_and_can_be_taken_back(self, desk, cta):
        url = f"/day/ctas/{cta.pk}/done/"
        assert "Choose how it ended" in text(desk.get(url, headers=HTMX))
        refused = desk.post(url, {"outcome": ""}, headers=HTMX)
        assert (refused.status_code, refused["HX-Retarget"]) == (422, "#panel-body")
        done = desk.post(url, {"outcome": "resolved", "note": "Talked"}, headers=HTMX)
        assert (done.status_code, done["HX-Retarget"], rows(done)) == (200, "#day", [])
        assert Cta.objects.get().outcome == "resolved"
        back = desk.post(toast(done)["undo"], headers=HTMX)
        assert rows(back) == ["cta"]
        assert Cta.objects.get().status == "open"

    def test_snoozing_needs_a_reason_and_a_day_ahead(self, desk, cta, today):
        url = f"/day/ctas/{cta.pk}/snooze/"
        for sent in ({"until_on": today, "reason": "x"}, {"until_on": today + timedelta(days=1), "reason": ""}):
            assert desk.post(url, sent, headers=HTMX).status_code == 422
        done = desk.post(url, {"until_on": today + timedelta(days=3), "reason": "They are away"}, headers=HTMX)
        assert (rows(done), Cta.objects.get().snooze_reason) == ([], "They are away")
        desk.post(toast(done)["undo"], headers=HTMX)
        assert (Cta.objects.get().status, Cta.objects.get().snooze_reason) == ("open", "")

    def test_handing_over_and_back(self, desk, mara, cta):
        heir = UserFactory()
        done = desk.post(f"/day/ctas/{cta.pk}/reassign/", {"owner": heir.pk}, headers=HTMX)
        assert (rows(done), Cta.objects.get().owner) == ([], heir)
        desk.post(toast(done)["undo"], headers=HTMX)
        assert Cta.objects.get().owner == mara

    def test_a_task_is_ticked_and_unticked(self, desk, task):
        done = desk.post(f"/day/tasks/{task.pk}/done/", headers=HTMX)
        assert (rows(done), toast(done)["message"]) == (["cta"], "Call the sponsor: done.")
        assert Task.objects.get().completed_at
        desk.post(toast(done)["undo"], headers=HTMX)
        assert Task.objects.get().completed_at is None

    def test_a_tasks_handing_over_is_that_of_its_cta(self, desk, task):
        heir = UserFactory()
        desk.post(f"/day/tasks/{task.pk}/reassign/", {"owner": heir.pk}, headers=HTMX)
        assert Cta.objects.get().owner == heir

    def test_a_next_step_is_done_put_off_and_handed_over_each_with_a_way_back(self, desk, mara, step, today):
        heir, url = UserFactory(), f"/day/steps/{step.pk}/"
        later = today + timedelta(days=9)
        for verb, sent, field, value in (
            ("done", {}, "next_step_done_at", None),
            ("snooze", {"until_on": later, "reason": "Away"}, "next_step_on", later),
            ("reassign", {"owner": heir.pk}, "next_step_owner_id", heir.pk),
        ):
            done = desk.post(f"{url}{verb}/", sent, headers=HTMX)
            assert rows(done) == []
            stored = getattr(Activity.objects.get(pk=step.pk), field)
            assert stored == value if value else stored
            assert rows(desk.post(toast(done)["undo"], headers=HTMX)) == ["step"]
        step.refresh_from_db()
        assert (step.next_step_on, step.next_step_owner, step.next_step_done_at) == (today, mara, None)

    def test_a_notice_is_read_and_unread_again(self, desk, notice):
        done = desk.post(f"/day/notices/{notice.pk}/done/", headers=HTMX)
        assert (rows(done), Notification.objects.unread().count()) == ([], 0)
        desk.post(toast(done)["undo"], headers=HTMX)
        assert Notification.objects.unread().count() == 1

    def test_a_change_is_looked_at_for_today_only(self, desk, mara, halden, today):
        fall(halden, today, Decimal(80), Decimal(60))
        done = desk.post(f"/day/accounts/{halden.pk}/done/", headers=HTMX)
        assert rows(done) == []
        assert SetAside.objects.get().until_on == today + timedelta(days=1)
        assert rows(desk.post(toast(done)["undo"], headers=HTMX)) == ["account"]

    @pytest.mark.parametrize("kind", ["tasks", "notices", "accounts"])
    def test_what_has_no_snooze_of_its_own_is_put_aside_with_a_reason(self, desk, task, notice, halden, today, kind):
        fall(halden, today, Decimal(80), Decimal(60))
        key = {"tasks": task, "notices": notice, "accounts": halden}[kind].pk
        url = f"/day/{kind}/{key}/snooze/"
        assert desk.post(url, {"until_on": today, "reason": "x"}, headers=HTMX).status_code == 422
        before = rows(desk.get("/day/"))
        done = desk.post(url, {"until_on": today + timedelta(days=2), "reason": "Waiting"}, headers=HTMX)
        assert len(rows(done)) == len(before) - 1
        assert "1 put aside." in text(done)
        assert AuditEntry.objects.get(action="day.set_aside").after["reason"] == "Waiting"
        assert rows(desk.post(toast(done)["undo"], headers=HTMX)) == before

    def test_putting_aside_is_ones_own_and_runs_out(self, client, desk, mara, task, today):
        desk.post(f"/day/tasks/{task.pk}/snooze/", {"until_on": today + timedelta(days=1), "reason": "Waiting"})
        assert "task" not in rows(desk.get("/day/"))
        SetAside.objects.update(until_on=today)
        assert "task" in rows(desk.get("/day/"))

    def test_everything_put_aside_stays_aside_however_much_it_is(self, desk, mara, task, today):
        """Of what there is to do at most sixty of a kind are read; of what is put aside all."""
        until = today + timedelta(days=1)
        for _ in range(MOST_OF_A_KIND):
            SetAside.objects.create(user=mara, kind="task", object_id=uuid4(), until_on=until, at=timezone.now())
        last = SetAside.objects.create(
            user=mara, kind="task", object_id=task.pk, until_on=until + timedelta(days=9), at=timezone.now()
        )
        assert "task" not in rows(desk.get("/day/"))
        last.delete()
        assert "task" in rows(desk.get("/day/"))

    def test_a_touch_is_logged_with_people_and_the_next_step(self, desk, halden, cta, today):
        url = f"/day/accounts/{halden.pk}/log/"
        halden.contacts.create(name="Pieter Vos")
        assert "Pieter Vos" in text(desk.get(url, headers=HTMX))
        assert desk.post(url, {"kind": "call", "title": ""}, headers=HTMX).status_code == 422
        sent = {"kind": "meeting", "title": "Review", "people": ["Pieter Vos"], "next_step": "Send it",
                "next_step_on": today}  # fmt: skip
        done = desk.post(url, sent, headers=HTMX)
        assert set(rows(done)) == {"cta", "step"}
        assert Activity.objects.get(kind="meeting").attendees == ["Pieter Vos"]

    def test_an_account_changes_hands(self, desk, halden, today):
        heir = UserFactory()
        desk.post(f"/day/accounts/{halden.pk}/reassign/", {"owner": heir.pk, "reason": "Leave"}, headers=HTMX)
        assert Account.objects.get().owner == heir

    @pytest.mark.parametrize("along", [True, False])
    def test_an_account_is_handed_over_with_its_open_ctas_or_without(self, desk, mara, cta, halden, along):
        heir, other = UserFactory(name="Otto Reed"), UserFactory()
        closed = close_cta(CtaFactory(account=halden, owner=mara), outcome="resolved", actor=mara, at=timezone.now())
        anothers = CtaFactory(account=halden, owner=other)
        elsewhere = CtaFactory(owner=mara)
        assert "checked" in text(desk.get(f"/day/accounts/{halden.pk}/reassign/", headers=HTMX))
        sent = {"owner": heir.pk, "reason": "Leave", **({"with_ctas": "on"} if along else {})}
        answer = desk.post(f"/day/accounts/{halden.pk}/reassign/", sent, headers=HTMX)
        owners = dict(Cta.objects.values_list("pk", "owner"))
        assert owners == {
            cta.pk: heir.pk if along else mara.pk, closed.pk: mara.pk, anothers.pk: other.pk, elsewhere.pk: mara.pk,
        }  # fmt: skip
        said = "Halden: now owned by Otto Reed, with 1 CTA." if along else "Halden: now owned by Otto Reed."
        assert toast(answer)["message"] == said

    def test_the_ctas_of_who_owns_the_account_by_now_go_along(self, mara, cta, halden):
        heir, between = UserFactory(), UserFactory()
        theirs = CtaFactory(account=halden, owner=between)
        Account.objects.filter(pk=halden.pk).update(owner=between)
        assert halden.owner == mara  # read before
        assert hand_account_over(halden, heir, with_ctas=True, actor=mara, at=timezone.now()) == 1
        assert dict(Cta.objects.values_list("pk", "owner")) == {cta.pk: mara.pk, theirs.pk: heir.pk}

    def test_without_script_every_verb_is_a_page_and_undo_a_button(self, desk, cta):
        page = text(desk.get(f"/day/ctas/{cta.pk}/done/"))
        assert "<h1>Close the CTA</h1>" in page
        assert desk.post(f"/day/ctas/{cta.pk}/done/", {"outcome": ""}).status_code == 422
        answer = desk.post(f"/day/ctas/{cta.pk}/done/", {"outcome": "resolved"}, follow=True)
        body = text(answer)
        assert answer.redirect_chain == [("/day/", 302)]
        assert "Usage fell: closed." in body
        which = re.search(r'name="which" value="(\w+)"', body).group(1)
        assert "Taken back: Usage fell" in text(desk.post("/day/undo/", {"which": which}, follow=True))
        assert "nothing to take back" in text(desk.post("/day/undo/", {"which": which}, follow=True))

    def test_what_somebody_changed_since_is_not_taken_back(self, desk, cta, task):
        first = desk.post(f"/day/ctas/{cta.pk}/done/", {"outcome": "resolved"}, headers=HTMX)
        Cta.objects.update(version=9)
        assert "changed it since" in toast(desk.post(toast(first)["undo"], headers=HTMX))["message"]
        assert Cta.objects.get().status == "closed"
        refused = desk.post(f"/day/tasks/{task.pk}/done/", headers=HTMX)
        assert "closed" in toast(refused)["message"]

    def test_the_list_keeps_the_tab_of_the_page(self, desk, cta, task):
        headers = HTMX | {"HX-Current-URL": "http://acme.localhost/day/?kind=cta"}
        assert rows(desk.post(f"/day/tasks/{task.pk}/done/", headers=headers)) == ["cta"]

    @pytest.mark.parametrize("verb", ["done", "snooze", "reassign"])
    def test_others_work_is_refused_or_not_even_there(self, desk, verb):
        other = CtaFactory()
        assert desk.post(f"/day/ctas/{other.pk}/{verb}/", {}).status_code == 403
        Workspace.objects.update(csm_reads_all_accounts=False)
        assert desk.post(f"/day/ctas/{other.pk}/{verb}/", {}).status_code == 404


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
