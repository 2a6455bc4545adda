"""Service levels of a workspace's own: written, tried, applied, taken back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Tier
from support import actions
from support.models import DeadlineRun, SlaClock, SlaPolicy
from tests.factories import AccountFactory
from tests.support.levels import FRIDAY, OFFICE, due, promise
from tests.support.world import agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return agent("admin")


# What the editor sends for one severity ("any other" is the last row of the table).
FORM = {
    "name": "Gold", "position": "0", "calendar": "office", "0-response": "2", "0-response-unit": "business_hours",
    "0-resolution": "16", "0-resolution-unit": "business_hours",
}  # fmt: skip


class TestEditor:
    def test_a_service_level_is_written_and_holds_for_new_tickets_alone(self, desk, office):
        before = ticket(AccountFactory(), FRIDAY)
        sent = desk.post("/support/service-levels/new/", FORM | {"warn_at": "50%, 30m", "pause": "both"})
        assert sent.url == "/support/service-levels/gold/"
        version = SlaPolicy.objects.get(key="gold").versions.get()
        assert version.rules == [
            {"severity": "*", "response": promise(2), "first_action": None, "resolution": promise(16),
             "update_every": None}
        ]  # fmt: skip
        assert (version.warn_at, version.pause_on) == (["50%", "30m"], ["waiting_customer", "waiting_vendor"])
        after = ticket(AccountFactory(), FRIDAY)
        assert due(after) == at("2026-11-30 10:55")
        assert not before.clocks.exists()
        shown = desk.get(sent.url).content.decode()
        assert "1 open ticket" in shown
        assert "Version 1" in shown

    def test_mistakes_stand_at_their_fields_and_nothing_is_stored(self, desk, office):
        for change, words in (
            ({"0-response": ""} | {"0-resolution": ""}, "Promise something"),
            ({"0-response": "20"}, "due after the solution"),
            ({"warn_at": "soon"}, "use 80% of the time used"),
            ({"0-response": "0"}, "longer than nothing"),
        ):
            refused = desk.post("/support/service-levels/new/", FORM | change)
            assert (refused.status_code, words in refused.content.decode()) == (422, True), change
        assert not SlaPolicy.objects.exists()

    def test_a_methodologys_level_is_copied_and_the_copy_comes_first(self, desk):
        install("fmea")
        page = "/support/service-levels/new/?copy=standard"
        shown = desk.get(page)
        assert 'value="Standard Support"' in shown.content.decode()
        form = {name: value for name, value in shown.context["form"].initial.items() if value is not None}
        sent = {name: ", ".join(value) if name == "warn_at" else value for name, value in form.items()}
        made = desk.post(page, sent | {"name": "Better", "position": "0"})
        assert made.status_code == 302
        theirs, own = SlaPolicy.objects.get(key="standard"), SlaPolicy.objects.get(key="better")

        def targets(policy):
            return [{name: (rule[name] or {}).get("value") for name in ("response", "resolution")}
                    for rule in policy.versions.get().rules]  # fmt: skip

        assert targets(own) == targets(theirs)
        opened = ticket(customer("basic", pack="fmea"), at("2026-11-23 09:00"), severity="S1")
        assert list(opened.policies.all()) == [own]
        assert desk.get("/support/service-levels/standard/edit/").status_code == 404

    def test_the_first_that_fits_by_tier_and_channel_holds(self, lead, gold, office):
        tier = Tier.objects.create(key="vip", name="VIP", rank=9)
        rules = [{"severity": "*", "response": promise(1)}]
        given = {"calendar": office, "rules": rules, "actor": lead, "at": timezone.now()}
        vip = actions.create_policy(key="vip", name="VIP", tiers=["vip"], position=0, **given)
        phone = actions.create_policy(key="phone", name="Phone", channels=["phone"], position=1, **given)
        actions.change_policy(gold, position=5, actor=lead, at=timezone.now())
        held = {
            "vip": ticket(AccountFactory(tier=tier), FRIDAY, channel="phone"),
            "phone": ticket(AccountFactory(), FRIDAY, channel="phone"),
            "gold": ticket(AccountFactory(), FRIDAY),
        }
        found = {name: [policy.key for policy in each.policies.all()] for name, each in held.items()}
        assert found == {"vip": [vip.key], "phone": [phone.key], "gold": ["gold"]}

    def test_who_gets_what_is_shown_for_every_tier_and_severity(self, desk, gold):
        install("fmea")
        shown = desk.get("/support/service-levels/matrix/").content.decode()
        assert shown.count(">Gold</a>") == 4 * (Tier.objects.count() + 1)
        actions.change_policy(gold, is_enabled=False, actor=agent("admin"), at=timezone.now())
        shown = desk.get("/support/service-levels/matrix/?channel=phone").content.decode()
        assert ">Gold</a>" not in shown
        assert "Standard Support" in shown


class TestApplying:
    def test_a_change_is_looked_at_then_applied_and_taken_back(self, desk, lead, gold):
        opened = ticket(AccountFactory(), FRIDAY)
        actions.recompute_where_calendars_changed(at=timezone.now())
        was = due(opened)
        page = "/support/service-levels/gold/edit/"
        looked = desk.post(page, FORM | {"0-response": "1", "step": "preview"}).content.decode()
        assert "1 of 2 open deadlines" in looked
        assert gold.versions.count() == 1
        assert due(opened) == was
        desk.post(page, FORM | {"0-response": "1", "step": "save"})
        run = actions.recompute_where_calendars_changed(at=timezone.now())
        assert (run.total, run.done, run.changed) == (1, 1, 1)
        assert due(opened) == was - timedelta(hours=1)
        assert "1 of 1, 1 moved" in desk.get("/support/service-levels/recounts/").content.decode()
        desk.post("/support/service-levels/gold/restore/", {"number": "1"})
        actions.recompute_where_calendars_changed(at=timezone.now())
        assert due(opened) == was
        assert [version.number for version in gold.versions.order_by("number")] == [1, 2, 3]

    def test_what_changes_nothing_is_noted_nowhere(self, lead, gold):
        seen = actions.change_policy(
            gold, actor=lead, at=FRIDAY, name="Gold", tiers=[], rules=gold.versions.get().rules
        )
        assert (seen.version, seen.versions.count()) == (gold.version, 1)

    def test_only_a_change_of_promises_makes_a_version(self, lead, gold):
        actions.change_policy(gold, name="Golden", position=3, actor=lead, at=timezone.now())
        actions.restore_policy(gold, 1, actor=lead, at=timezone.now())
        assert gold.versions.count() == 1
        with pytest.raises(RuleViolated, match="no such version"):
            actions.restore_policy(gold, 7, actor=lead, at=timezone.now())

    def test_a_level_may_let_its_clocks_wait_otherwise_than_the_workspace(self, lead, gold):
        plain = ticket(AccountFactory(), at("2026-11-23 09:00"))
        actions.change_policy(gold, pause_on=["waiting_vendor"], actor=lead, at=timezone.now())
        other = ticket(AccountFactory(), at("2026-11-23 09:00"))
        for each in (plain, other):
            actions.change_status(each, "waiting_customer", actor=lead, at=at("2026-11-23 10:00"))
            actions.change_status(each, "waiting_vendor", actor=lead, at=at("2026-11-23 12:00"))
            actions.change_status(each, "open", actor=lead, at=at("2026-11-23 15:00"))
        # The newest version counts for both: only the three hours of the third party are left out.
        assert {due(each, "resolution") for each in (plain, other)} == {at("2026-11-25 12:00")}
        actions.change_policy(gold, pause_on=[], actor=lead, at=timezone.now())
        actions.recompute_open("x", at=timezone.now())
        assert due(plain, "resolution") == at("2026-11-24 17:00")

    def test_a_level_warns_at_its_own_shares(self, lead, gold):
        actions.change_policy(gold, warn_at=["25%", "30m"], actor=lead, at=timezone.now())
        opened = ticket(AccountFactory(), at("2026-11-23 09:00"))
        found = clock(opened, "first_response")
        assert dict(zip(found.thresholds, found.moments, strict=True)) == {
            "25%": at("2026-11-23 09:30"), "30m": at("2026-11-23 10:30"),
            "100%": at("2026-11-23 11:00") + timedelta(microseconds=1),
        }  # fmt: skip

    def test_the_workspaces_clocks_are_set(self, desk):
        page = "/support/service-levels/settings/"
        sent = {"pause_on_vendor": "on", "reopen_days": "3", "close_after_days": "0", "warn_at": "50%,60m"}
        sent |= {"remind_after_days": "3", "solve_after_days": "4"}
        assert desk.post(page, sent).status_code == 302
        row = actions.settings_row()
        assert (row.pause_on_customer, row.pause_on_vendor, row.reopen_days) == (False, True, 3)
        assert row.warn_at == ["50%", "60m"]
        refused = desk.post(page, sent | {"warn_at": "100%"})
        assert (refused.status_code, "use 80%" in refused.content.decode()) == (422, True)


class TestWhy:
    def test_friday_evening_is_told_step_by_step(self, desk, gold):
        form = {"policy": "gold", "created_at": "2026-11-27T16:55", "holidays": "2026-11-30"}
        shown = desk.post("/support/service-levels/try/", form).content.decode()
        assert "2026-12-01T10:55:00+01:00" in shown
        assert "Why first response is due then" in shown
        assert "Holiday" in shown
        for step in ("Fri 27 Nov, 16:55", "Fri 27 Nov, 17:00", "Tue 1 Dec, 09:00"):
            assert step in shown, step

    def test_the_page_and_a_real_ticket_say_the_same(self, desk, gold):
        opened = ticket(AccountFactory(), FRIDAY)
        shown = desk.post("/support/service-levels/try/", {"policy": "gold", "created_at": "2026-11-27T16:55"})
        answer = dict(shown.context["answer"])
        assert answer["First response"].due == due(opened)
        assert answer["Resolution"].due == due(opened, "resolution")

    def test_a_ticket_tells_its_service_level_and_since_when(self, desk, gold):
        opened = ticket(AccountFactory(), FRIDAY)
        shown = desk.get(f"/tickets/{opened.pk}/").content.decode()
        assert '<a href="/support/service-levels/gold/">Gold</a>, version 1' in shown


class TestApi:
    def send(self, client, method, path, body=None, status=200):
        given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        response = getattr(client, method)(f"/api/v1/support/{path}", **given)
        assert response.status_code == status, response.content
        return response.json() if response.content else None

    def test_versions_are_listed_tried_and_brought_back(self, desk, gold):
        ticket(AccountFactory(), FRIDAY)
        rules = [{"severity": "*", "response": promise(1), "resolution": promise(8)}]
        looked = self.send(desk, "post", "sla-policies/gold/preview/", {"rules": rules})
        assert (looked["moved"], looked["earlier"], looked["tickets"]) == (2, 2, 1)
        assert {each["clock"] for each in looked["examples"]} == {"First response", "Resolution"}
        changed = self.send(desk, "patch", "sla-policies/gold/", {"rules": rules, "warn_at": ["50%"]})
        assert (changed["number"], changed["warn_at"], changed["pause_on"]) == (2, ["50%"], None)
        back = self.send(desk, "post", "sla-policies/gold/restore/", {"number": 1})
        assert (back["number"], back["warn_at"]) == (3, None)
        listed = self.send(desk, "get", "sla-policies/gold/versions/")["results"]
        assert [each["number"] for each in listed] == [3, 2, 1]
        found = self.send(desk, "get", "sla-matrix/")["results"]
        assert found[0]["policies"] == ["gold"]

    def test_days_off_are_kept_and_tried(self, desk, gold, office):
        ticket(AccountFactory(), at("2026-12-24 16:55"))
        made = self.send(desk, "post", "holiday-lists/", {"name": "Germany", "country": "DE"}, 201)
        assert (made["key"], made["calendars"], made["version"]) == ("germany", [], 1)
        page = f"holiday-lists/{made['id']}/"
        looked = self.send(desk, "post", f"{page}preview/", {"calendars": ["office"]})
        assert (looked["moved"], looked["later"]) == (2, 2)
        assert self.send(desk, "patch", page, {"calendars": ["office"]})["calendars"] == ["office"]
        self.send(desk, "patch", page, {"country": "XX"}, 422)
        self.send(desk, "delete", page, status=204)

    def test_a_calendar_is_tried_and_what_is_odd_is_told(self, desk, gold):
        ticket(AccountFactory(), FRIDAY)
        weekly = OFFICE["weekly"] | {"fri": [["09:00", "16:00"], ["16:10", "18:00"]]}
        looked = self.send(desk, "post", "calendars/office/preview/", {"definition": OFFICE | {"weekly": weekly}})
        assert looked["moved"] == 2
        assert looked["oddities"] == ["Friday: 10 minutes after 09:00–16:00 are closed."]
        night = OFFICE["weekly"] | {"mon": [["22:00", "10:00"]]}
        self.send(desk, "patch", "calendars/office/", {"definition": OFFICE | {"weekly": night}}, 422)

    def test_clocks_are_set_and_recounts_listed(self, desk, gold):
        changed = self.send(desk, "patch", "clock-settings/", {"reopen_days": 2, "warn_at": ["50%"]})
        assert (changed["reopen_days"], changed["pause_on_customer"]) == (2, True)
        assert self.send(desk, "get", "clock-settings/") == changed
        self.send(desk, "patch", "clock-settings/", {"warn_at": ["soon"]}, 422)
        DeadlineRun.objects.create(reason="x", started_at=timezone.now(), total=3, done=1)
        assert self.send(desk, "get", "recounts/")["results"][0]["done"] == 1


def test_a_look_at_many_tickets_takes_as_many_queries_as_at_one(desk, gold):
    def looked():
        with CaptureQueriesContext(connection) as queries:
            desk.post("/support/service-levels/gold/edit/", FORM | {"0-response": "1", "step": "preview"})
        return len(queries)

    ticket(AccountFactory(), FRIDAY)
    looked()
    one = looked()
    for _number in range(3):
        ticket(AccountFactory(), FRIDAY)
    assert looked() <= one
    assert SlaClock.objects.count() == 8
