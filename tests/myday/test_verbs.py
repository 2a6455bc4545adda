"""Each verb of the day with and without script, and the way back."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Account, Activity, AuditEntry, Workspace
from accounts.queries.day import MOST_OF_A_KIND
from engagement.models import Notification
from myday.actions import hand_account_over
from myday.models import SetAside
from playbooks.actions import close_cta
from playbooks.models import Cta, Task
from tests.factories import CtaFactory, UserFactory
from tests.myday.shown import HTMX, fall, rows, text, toast

pytestmark = pytest.mark.django_db


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
