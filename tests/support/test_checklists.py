"""Checklists of the desk, warnings of what was not escalated, and what methodologies ask of escalations."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import Severity
from playbooks.models import Playbook
from support import actions
from support.models import Checklist, ChecklistTemplate, Ladder, Ticket
from support.queries.escalations import unescalated
from tests.factories import UserFactory
from tests.support.world import agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db
NOON = at("2026-12-01 12:00")


@pytest.fixture
def lead():
    return agent("vp_cs")


def escalated(account, lead, reason, moment, **given):
    ladder = Ladder.objects.get(pack="fleet")
    return actions.escalate(account, ladder=ladder, path="default", reason=reason, actor=lead, at=moment, **given)


class TestMonthlyReview:
    @pytest.mark.requirement("FLEET-9.15")
    def test_it_opens_when_the_month_is_over_with_what_came_again(self, desk, lead):
        install("fleet")
        for day in (3, 10, 17):
            escalated(customer("standard", pack="fleet"), lead, "Again", at(f"2026-11-{day:02} 10:00"),
                      trigger="needs specialist technical help", level="T1")  # fmt: skip
        escalated(customer("standard", pack="fleet"), lead, "Once", at("2026-11-20 10:00"),
                  trigger="cannot fulfil the request", level="T1")  # fmt: skip
        assert actions.open_monthly(at=at("2026-12-01 00:05", "UTC")) == 1
        assert actions.open_monthly(at=NOON) == 0
        opened = Checklist.objects.get()
        assert (opened.month, opened.opened_by) == (date(2026, 11, 1), None)
        steps = [item.text for item in opened.items.all()]
        assert steps == ["recurring issues", "prevention", "share learnings", "celebrate"]
        shown = desk.get(f"/escalations/checklists/{opened.pk}/").content.decode()
        assert "What came again in November 2026" in shown
        assert "3 escalations, 3 accounts" in shown
        assert "cannot fulfil the request" not in shown

    def test_it_closes_with_its_last_step_and_opens_again_without_it(self, desk, lead):
        install("fleet")
        actions.open_monthly(at=NOON)
        opened = Checklist.objects.get()
        keys = [str(item.pk) for item in opened.items.all()]
        page = f"/escalations/checklists/{opened.pk}/"
        sent = {f"owner-{keys[0]}": str(lead.pk), "done": keys, "notes": "Fewer than in October"}
        desk.post(page, sent)
        opened.refresh_from_db()
        assert (opened.closed_at is not None, opened.notes) == (True, "Fewer than in October")
        assert opened.items.get(pk=keys[0]).owner == lead
        assert opened.items.get(pk=keys[1]).done_by == lead
        desk.post(page, {"done": keys[1:], "notes": ""})
        opened.refresh_from_db()
        assert opened.closed_at is None
        assert opened.items.get(pk=keys[0]).owner == lead

    def test_two_who_tick_at_once_do_not_undo_each_other(self, desk, lead):
        install("fleet")
        actions.open_monthly(at=NOON)
        opened = Checklist.objects.get()
        page, keys = f"/escalations/checklists/{opened.pk}/", [str(item.pk) for item in opened.items.all()]
        assert f'name="version" value="{opened.version}"' in desk.get(page).content.decode()
        assert desk.post(page, {"done": keys[:1], "version": opened.version}).status_code == 302
        late = desk.post(page, {"done": keys[1:2], "notes": "Mine", "version": opened.version})
        assert (late.status_code, ">Mine<" in late.content.decode()) == (422, True)
        assert [item.done_at is not None for item in opened.items.all()] == [True, False, False, False]
        opened.refresh_from_db()
        assert opened.notes == ""
        long = desk.post(page, {"done": keys, "notes": "x" * 10_001, "version": opened.version})
        assert (long.status_code, Checklist.objects.get().closed_at) == (422, None)


@pytest.mark.requirement("FLEET-9.16")
def test_six_habits_can_be_ticked_and_first_contact_resolution_is_on_the_support_report(desk):
    install("fleet")
    template = ChecklistTemplate.objects.get(key="escalation-prevention")
    started = desk.post("/escalations/checklists/", {"template": str(template.pk)})
    shown = desk.get(started.url).content.decode()
    for habit in ("Proactive outreach", "Clear change notices", "First-contact resolution", "Address concerns early"):
        assert habit in shown, habit
    assert Checklist.objects.get().items.count() == 6
    assert 'href="/support/reports/figures/"' in shown
    assert "First-contact resolution" in desk.get("/support/reports/figures/").content.decode()
    again = desk.post("/escalations/checklists/", {"template": str(template.pk)}, follow=True)
    assert "started already" in again.content.decode()


@pytest.mark.requirement("FMEA-9.4")
def test_the_support_improvement_cycle_has_six_steps_with_owners_and_leads_to_the_report(desk, lead):
    install("fmea")
    template = ChecklistTemplate.objects.get(key="cycle-support")
    started = desk.post("/escalations/checklists/", {"template": str(template.pk)})
    opened = Checklist.objects.get()
    texts = [item.text for item in opened.items.all()]
    assert texts == [
        "measure performance", "gap analysis", "optimise process", "enhance knowledge", "develop team",
        "evaluate effectiveness",
    ]  # fmt: skip
    owners = {f"owner-{item.pk}": str(lead.pk) for item in opened.items.all()}
    desk.post(started.url, owners)
    shown = desk.get(started.url).content.decode()
    assert shown.count(f'value="{lead.pk}" selected') == 6
    assert 'href="/support/reports/figures/"' in shown


@pytest.mark.requirement("FLEET-9.1")
def test_an_issue_of_24_hours_that_nobody_escalated_warns(desk, lead):
    install("fleet")
    now = timezone.now()
    account = customer("standard", pack="fleet")
    young = ticket(account, now - timedelta(hours=23, minutes=50))
    old = ticket(account, now - timedelta(hours=24, minutes=1))
    waiting = ticket(account, now - timedelta(days=3))
    actions.change_status(waiting, "waiting_customer", actor=lead, at=now)
    found = unescalated(lead, now)
    assert (found.hours, found.count, [each.pk for each in found.tickets]) == (24, 1, [old.pk])
    assert unescalated(lead, old.created_at + timedelta(hours=24)).count == 1
    assert unescalated(lead, old.created_at + timedelta(hours=24) - timedelta(seconds=1)).count == 0
    warning = "not escalated"
    assert warning in desk.get(f"/tickets/{old.pk}/").content.decode()
    assert warning not in desk.get(f"/tickets/{young.pk}/").content.decode()
    assert f"#{old.number}" in desk.get("/escalations/").content.decode()
    escalated(account, lead, "Integration fails", now, ticket=old, level="T1")
    assert warning not in desk.get(f"/tickets/{old.pk}/").content.decode()
    assert unescalated(lead, now).count == 0


@pytest.mark.requirement("FLEET-9.7")
def test_commercial_and_at_risk_cases_go_to_the_vp_from_tier_one_or_two(desk, lead):
    install("fleet")
    for fact in ("is_commercial_or_at_risk", "is_churn_risk", "needs_contract_change"):
        shown = desk.post("/support/escalations/decide/", {fact: "on"}).content.decode()
        assert "VP Customer Success" in shown, fact
    levels = {level["key"]: level for level in Ladder.objects.get(pack="fleet").definition["levels"]}
    assert (len(levels["T3"]["triggers"]), len(levels["T3"]["handles"])) == (7, 8)
    account = customer("standard", pack="fleet")
    for start in ("T1", "T2"):
        first = escalated(account, lead, "Wants to leave", timezone.now(), level=start)
        page = f"/escalations/{first.pk}/"
        assert "VP Customer Success" in desk.get(page).content.decode()
        second = actions.pass_on(
            first, level="T3", reason="churn threat", trigger="churn threat", actor=lead, at=timezone.now()
        )
        assert (second.level, second.rank) == ("T3", 3)


@pytest.mark.requirement("BIS-1.3")
def test_an_alert_and_a_users_report_each_open_a_ticket_and_closing_asks_how_it_was(client, lead):
    install("bis")
    account = customer()
    client.force_login(lead)
    body = {"account": str(account.pk), "subject": "Disk is full", "impact": 2, "channel": "monitoring"}
    severity = Severity.objects.first()
    if severity is not None:
        body["severity"] = severity.key
    made = client.post("/api/v1/support/tickets/", json.dumps(body), content_type="application/json")
    assert made.status_code == 201
    person = UserFactory(role="portal_user")
    person.portal_accounts.add(account)
    client.force_login(person)
    sent = {"account": str(account.pk), "subject": "Report is slow", "body": "Since noon", "impact": "1"}
    sent |= {"severity": severity.key} if severity is not None else {}
    assert client.post("/portal/tickets/new/", sent).status_code == 302
    assert set(Ticket.objects.values_list("channel", flat=True)) == {"monitoring", "portal"}
    reported = Ticket.objects.get(channel="portal")
    asks = "How did we do?"
    assert asks not in client.get(f"/portal/tickets/{reported.pk}/").content.decode()
    actions.close(reported, actor=lead, at=timezone.now())
    assert asks in client.get(f"/portal/tickets/{reported.pk}/").content.decode()
    assert actions.ask_for_ratings(at=timezone.now()) == 1


@pytest.mark.requirement("FLEET-9.2")
def test_the_csm_owns_the_first_step_and_answers_within_24_hours(lead):
    install("fleet")
    owner = UserFactory(role="csm")
    account = customer("standard", pack="fleet", owner=owner)
    first = escalated(account, lead, "Where is the setting?", NOON, level="T1")
    assert (first.owner, clock(first, "acknowledge").due_at) == (owner, NOON + timedelta(hours=24))


def test_over_rest(desk, lead):
    install("fleet")

    def send(method, path, body=None, status=200):
        given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        response = getattr(desk, method)(f"/api/v1/support/{path}", **given)
        assert response.status_code == status, response.content
        return response.json()

    listed = send("get", "checklist-templates/")["results"]
    review = next(each for each in listed if each["is_monthly"])
    made = send("post", "checklists/", {"template": review["id"], "month": "2026-11-15"}, 201)
    assert made["month"] == "2026-11-01"
    send("post", "checklists/", {"template": review["id"], "month": "2026-11-01"}, 422)
    page = f"checklists/{made['id']}/"
    first = send("get", page)["steps"][0]
    changed = send("patch", page, {"steps": [{"id": first["id"], "done": True, "owner": lead.email}]})
    assert (changed["steps"][0]["owner"], changed["steps"][0]["done_at"] is not None) == (lead.email, True)
    assert changed["closed_at"] is None
    send("patch", page, {"steps": [{"id": made["id"], "done": True}]}, 422)


def test_one_checklist_and_three_are_shown_in_the_same_number_of_queries(desk, lead):
    install("fleet")
    review = ChecklistTemplate.objects.get(is_monthly=True)

    def shown():
        with CaptureQueriesContext(connection) as queries:
            desk.get("/escalations/checklists/")
        return len(queries)

    actions.start_checklist(review, actor=lead, at=NOON, month=date(2026, 1, 1))
    shown()
    one = shown()
    for month in (2, 3):
        actions.start_checklist(review, actor=lead, at=NOON, month=date(2026, month, 1))
    assert shown() <= one
    with pytest.raises(RuleViolated):
        actions.start_checklist(review, actor=lead, at=NOON, month=date(2026, 3, 9))


@pytest.mark.requirement("BIS-6.26")
def test_a_report_of_more_than_30_seconds_is_an_issue_and_its_impact_is_asked_in_four_ways(desk):
    install("bis")

    def fires(seconds):
        sent = json.dumps({"facts": {"report_seconds": seconds}})
        url = "/api/v1/health/triggers/slow-report/simulate/"
        return desk.post(url, sent, content_type="application/json").json()["fires"]

    assert (fires(30), fires(30.1)) == (False, True)
    playbook = Playbook.objects.get(key="issue-resolution")
    shown = desk.get(f"/playbooks/{playbook.pk}/").content.decode()
    impact = shown.split(">Impact<")[1].split(">Root cause<")[0].lower()
    assert all(asked in impact for asked in ("users", "process", "financial", "compliance"))
