"""``ctas``, ``tasks``, ``playbooks``, ``support/calendars`` and ``methodology`` over REST."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.stand_ins import set_stand_in
from accounts.models import WorkCalendar, Workspace
from packs.actions import install_pack
from playbooks.actions import add_task, close_cta, install_playbook
from playbooks.models import Cta, Playbook
from tests.factories import AT, AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db
OFFICE = {"timezone": "Europe/Berlin", "weekly": {"tue": [["09:00", "17:00"]], "wed": [["09:00", "17:00"]]}}


OPEN = {"operation": "is_open", "at": "2026-11-24T15:30:00Z"}
START = "2026-11-24T15:30:00Z"


class TestCtas:
    def test_one_is_opened_read_changed_and_closed(self, api, owner, csm):
        account = AccountFactory(name="Halden")
        body = {
            "account": str(account.pk),
            "title": "Call them",
            "priority": "high",
            "owner": csm.email,
            "due_on": "2099-01-01",
        }
        created = api.post("ctas/", body)
        assert created.status_code == 201
        cta = created.json()
        expected = {
            "account_name": "Halden", "title": "Call them", "kind": "activity", "priority": "high", "status": "open",
            "owner": csm.email, "due_on": "2099-01-01", "opened_by": owner.email, "trigger": None, "outcome": None,
        }  # fmt: skip
        assert {name: cta[name] for name in expected} == expected
        read = api.get(f"ctas/{cta['id']}/")
        assert read.json() == cta
        changed = api.patch(f"ctas/{cta['id']}/", {"title": "Call now"}, if_match=read["ETag"])
        assert (changed.status_code, changed.json()["title"], changed.json()["version"]) == (200, "Call now", 2)
        assert api.patch(f"ctas/{cta['id']}/", {"title": "Late"}, if_match=read["ETag"]).status_code == 412
        closed = api.post(f"ctas/{cta['id']}/close/", {"outcome": "resolved", "note": "Done."})
        assert (closed.json()["status"], closed.json()["outcome"], closed.json()["close_note"]) == (
            "closed",
            "resolved",
            "Done.",
        )
        assert api.post(f"ctas/{cta['id']}/close/", {"outcome": "resolved"}).status_code == 422
        assert api.post(f"ctas/{cta['id']}/reopen/", {}).json()["status"] == "open"

    def test_snoozing_waking_and_handing_over(self, api, csm):
        cta = CtaFactory()
        snoozed = api.post(f"ctas/{cta.pk}/snooze/", {"until": "2099-01-01", "reason": "waits"}).json()
        assert (snoozed["status"], snoozed["snoozed_until"], snoozed["snooze_reason"]) == (
            "snoozed",
            "2099-01-01",
            "waits",
        )
        assert api.post(f"ctas/{cta.pk}/wake/", {}).json()["status"] == "open"
        assert api.post(f"ctas/{cta.pk}/reassign/", {"owner": csm.email}).json()["owner"] == csm.email

    @pytest.mark.parametrize(
        ("path", "body", "pointer"),
        [
            ("snooze", {"until": "2020-01-01", "reason": "x"}, "/until_on"),
            ("snooze", {"until": "2099-01-01"}, "/reason"),
            ("close", {}, "/outcome"),
            ("close", {"outcome": "won"}, "/outcome"),
            ("reassign", {"owner": "nobody@example.com"}, "/owner"),
        ],
    )
    def test_a_refusal_names_the_field_and_changes_nothing(self, api, path, body, pointer):
        cta = CtaFactory()
        answer = api.post(f"ctas/{cta.pk}/{path}/", body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
        cta.refresh_from_db()
        assert (cta.status, cta.version) == ("open", 1)

    def test_the_list_is_filtered(self, api, owner):
        mine = CtaFactory(owner=owner, kind="renewal", priority="high", due_on=date(2026, 1, 1))
        CtaFactory(due_on=date(2026, 6, 1))
        closed = CtaFactory()
        close_cta(closed, outcome="resolved", actor=owner, at=AT)

        def found(query):
            return [row["id"] for row in api.get(f"ctas/?{query}").json()["results"]]

        for query in ("owner=me", f"owner={owner.email}", f"owner={owner.pk}", "kind=renewal", "priority=high",
                      "due_before=2026-02-01", f"account={mine.account_id}"):  # fmt: skip
            assert found(query) == [str(mine.pk)], query
        assert found("status=closed") == [str(closed.pk)]
        assert len(found("owner=none")) == 2
        for query in ("status=odd", "owner=x", "due_before=x", "colour=red"):
            assert api.get(f"ctas/?{query}").status_code == 400

    def test_mine_are_also_those_of_whom_one_stands_in_for_as_on_the_page(self, api, owner):
        now, away = timezone.now(), UserFactory()
        mine, lent, _theirs = CtaFactory(owner=owner), CtaFactory(owner=away), CtaFactory(owner=UserFactory())
        days = {"from_on": now.date(), "until_on": now.date() + timedelta(days=1)}
        set_stand_in(away, owner, **days, actor=owner, at=now)
        found = {row["id"] for row in api.get("ctas/?owner=me").json()["results"]}
        assert found == {str(mine.pk), str(lent.pk)}

    def test_others_accounts_are_read_but_not_worked_and_hidden_ones_do_not_exist(self, csm_api):
        cta = CtaFactory()
        assert csm_api.get(f"ctas/{cta.pk}/").status_code == 200
        assert csm_api.post(f"ctas/{cta.pk}/close/", {"outcome": "resolved"}).status_code == 403
        assert csm_api.post("ctas/", {"account": str(cta.account_id), "title": "x"}).status_code == 403
        Workspace.objects.update(csm_reads_all_accounts=False)
        assert csm_api.get(f"ctas/{cta.pk}/").status_code == 404
        assert csm_api.get("ctas/").json()["results"] == []
        assert Cta.objects.get().status == "open"

    def test_lists_take_the_same_queries_for_one_and_three_rows(self, api, owner):
        for path in ("ctas/", "tasks/", "playbooks/"):
            counts = []
            api.get(path)
            for number in (1, 3):
                while Cta.objects.count() < number:
                    add_task(CtaFactory(), title="x", actor=owner, at=AT)
                    definition = {
                        "key": f"p{Cta.objects.count()}",
                        "name": "P",
                        "steps": [{"name": "s", "tasks": ["t"]}],
                    }
                    install_playbook(definition, pack="mna", version="1", at=AT)
                with CaptureQueriesContext(connection) as queries:
                    assert api.get(path).status_code == 200
                counts.append(len(queries))
            assert counts[0] == counts[1], path


class TestTasks:
    def test_a_task_is_added_changed_ticked_and_found(self, api, owner):
        cta = CtaFactory()
        task = api.post("tasks/", {"cta": str(cta.pk), "title": "Call"}).json()
        assert (task["title"], task["due_on"], task["completed_at"]) == ("Call", cta.due_on.isoformat(), None)
        assert api.patch(f"tasks/{task['id']}/", {"title": "Call now"}).json()["title"] == "Call now"
        done = api.post(f"tasks/{task['id']}/complete/", {}).json()
        assert done["completed_by"] == owner.email
        assert [row["id"] for row in api.get("tasks/?done=true").json()["results"]] == [task["id"]]
        assert api.get(f"tasks/?cta={cta.pk}&done=false").json()["results"] == []
        assert api.post(f"tasks/{task['id']}/reopen/", {}).json()["completed_at"] is None
        assert api.post("tasks/", {"cta": "x", "title": "Call"}).status_code == 422


def test_playbooks_show_their_tasks_and_take_triggers(api, csm_api):
    definition = {"key": "save", "name": "Save", "objective": "keep", "entry": "red",
                  "steps": [{"name": "Look", "tasks": ["call"]}]}  # fmt: skip
    install_playbook(definition, pack="mna", version="1", at=AT)
    (row,) = api.get("playbooks/").json()["results"]
    assert row["tasks"] == [
        {"step": "Look", "title": "Call", "detail": "", "offset_days": 2, "unit": "business", "optional": False}
    ]
    assert api.patch(f"playbooks/{row['id']}/", {"triggers": ["red"]}).json()["triggers"] == ["red"]
    assert csm_api.patch(f"playbooks/{row['id']}/", {"triggers": []}).status_code == 403
    assert api.patch(f"playbooks/{row['id']}/", {"triggers": "red"}).status_code == 422
    assert Playbook.objects.get().trigger_keys == ["red"]


class TestCalculate:
    def ask(self, api, **body):
        return api.post("support/calendars/calculate/", {"calendar": OFFICE, **body})

    def test_a_field_that_does_not_exist_is_refused_by_name(self, api):
        answer = self.ask(api, operation="is_open", at="2026-11-24T18:00:00+01:00", timzone="Europe/Berlin")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/timzone")

    def test_the_four_operations(self, api):
        assert self.ask(api, operation="add", start="2026-11-24T15:30:00Z", minutes=90).json() == {
            "at": "2026-11-25T10:00:00+01:00"
        }
        assert self.ask(api, operation="add", start="2026-11-25T09:00:00+01:00", minutes="-0.5").json() == {
            "at": "2026-11-24T16:59:30+01:00"
        }
        assert self.ask(api, operation="between", start="2026-11-24T15:30:00Z", end="2026-11-25T08:30:15Z").json() == {
            "minutes": 60.25,
            "seconds": 3615,
        }
        assert self.ask(api, operation="next_open", at="2026-11-24T18:00:00+01:00").json() == {
            "at": "2026-11-25T09:00:00+01:00"
        }
        assert self.ask(api, operation="is_open", at="2026-11-24T17:00:00+01:00").json() == {"open": False}

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ({"operation": "subtract"}, "/operation", "choice"),
            ({"operation": ["add"]}, "/operation", "choice"),
            ({"operation": "add", "start": "yesterday", "minutes": 1}, "/start", None),
            ({"operation": "add", "start": "2026-11-24T15:30:00", "minutes": 1}, "/start", None),
            ({"operation": "add", "start": START}, "/minutes", "number"),
            ({"operation": "add", "start": START, "minutes": True}, "/minutes", "number"),
            ({"operation": "add", "start": START, "minutes": "Infinity"}, "/minutes", "number"),
            ({"operation": "add", "start": START, "minutes": 100000000}, "/calendar", "no_working_time"),
            ({**OPEN, "calendar": {"timezone": "Mars"}}, "/calendar/timezone", "unknown"),
            ({**OPEN, "calendar": {"weekly": {"mon": [["9", "17:00"]]}}}, "/calendar/weekly/mon/0/0", "time"),
            ({**OPEN, "calendar": None}, "/calendar", "type"),
            ({**OPEN, "calendar": "none"}, "/calendar", "unknown"),
            ({"operation": "is_open", "at": "9999-12-31T23:59:59Z"}, None, None),
        ],
    )  # fmt: skip
    def test_a_mistake_is_named_by_place_and_rule(self, api, body, pointer, code):
        answer = self.ask(api, **body)
        assert answer.status_code == 422
        error = answer.json()["errors"][0]
        assert pointer in {None, error["pointer"]}
        assert code in {None, error["code"]}

    def test_a_calendar_without_a_zone_is_in_the_workspaces_and_a_stored_one_goes_by_its_key(self, api):
        Workspace.objects.update(timezone="America/New_York")
        WorkCalendar.objects.create(key="ours", name="Ours", definition={"weekly": OFFICE["weekly"]})
        at = {"operation": "next_open", "at": "2026-11-24T00:00:00Z"}
        for calendar in ({"weekly": OFFICE["weekly"]}, "ours"):
            assert self.ask(api, calendar=calendar, **at).json() == {"at": "2026-11-24T09:00:00-05:00"}


class TestCalendars:
    def test_ones_own_calendar_is_added_changed_and_removed(self, api):
        body = {"key": "desk", "name": "Desk", "definition": OFFICE, "minutes_per_day": 480}
        created = api.post("support/calendars/", body)
        assert (created.status_code, created.json()) == (201, {**body, "timezone": "Europe/Berlin", "pack": ""})
        assert api.post("support/calendars/", body).status_code == 422
        assert api.patch("support/calendars/desk/", {"name": "The desk"}).json()["name"] == "The desk"
        assert [row["key"] for row in api.get("support/calendars/").json()["results"]] == ["desk"]
        assert api.delete("support/calendars/desk/").status_code == 204
        assert api.get("support/calendars/desk/").status_code == 404

    def test_a_definition_that_is_no_calendar_is_refused_by_place(self, api):
        answer = api.post(
            "support/calendars/", {"key": "x", "name": "X", "definition": {"weekly": {"mon": [["a", "b"]]}}}
        )
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "calendar.time")
        assert WorkCalendar.objects.count() == 0

    def test_a_methodologys_calendar_is_not_changed_here(self, api):
        install_pack("mna", actor=None, at=AT)
        assert api.patch("support/calendars/business-hours/", {"name": "x"}).status_code == 422
        assert api.delete("support/calendars/business-hours/").status_code == 422

    def test_only_administrators_change_calendars(self, csm_api):
        assert csm_api.post("support/calendars/", {"key": "x", "name": "X", "definition": OFFICE}).status_code == 403
        assert csm_api.get("support/calendars/").status_code == 200


def test_the_methodology_is_read_with_its_sections_and_items(api):
    install_pack("mna", actor=None, at=AT)
    (pack,) = api.get("methodology/").json()["results"]
    assert (pack["key"], len(pack["sections"])) == ("mna", 41)
    assert api.get("methodology/mna/").json() == pack
    (tier,) = api.get("methodology/mna/tiers/").json()["results"]
    assert (tier["key"], tier["data"]["accounts_per_csm"], tier["edited"]) == ("fortune-500", {"min": 0, "max": 3}, [])
    assert api.get("methodology/mna/checklists/").json()["results"] == []
    assert api.get("methodology/fleet/").status_code == 404
    assert api.get("methodology/mna/odd/").status_code == 404
