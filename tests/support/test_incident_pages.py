"""Incidents through the door: opened from a ticket, told of, reviewed and closed; who may, and what is refused."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contact
from accounts.models import Account, Severity, Workspace
from engagement.models import OutboxMessage
from health.actions import create_segment
from playbooks.models import Cta
from support import actions
from support.models import Incident, Ticket
from support.queries.incidents import IncidentFilters, incident_record, waiting_incidents
from tests.factories import UserFactory
from tests.support.levels import own_calendar
from tests.support.world import agent, at, customer, install, ticket

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script> {{ 7*7 }} '; drop table support_incident --"


@pytest.fixture
def vp(db):
    install("fmea")
    return UserFactory(role="vp_cs", name="Vera Paulsen")


@pytest.fixture
def desk(client, vp):
    client.force_login(vp)
    return client


def text(response) -> str:
    return response.content.decode()


def named(name, tier="basic", **fields):
    account = customer(tier, pack="fmea", name=name, **fields)
    create_contact(
        account, name=f"Ann {name}", email=f"ann@{name.lower()}.example", stakeholder_role="administrator", actor=None,
        at=timezone.now(),
    )  # fmt: skip
    return account


def opened(vp, accounts, title="Sign-in is down", severity="S1", **fields) -> Incident:
    return actions.open_incident(
        title=title, severity=Severity.objects.get(key=severity), impact=1, summary="Nobody can sign in.",
        accounts=accounts, actor=vp, at=fields.pop("at", timezone.now()), commander=vp, **fields,
    )  # fmt: skip


def details(**fields) -> dict[str, str]:
    return {"title": "Sign-in is down", "severity": "S1", "impact": "1", "component": "sign-in"} | fields


@pytest.mark.requirement("FMEA-8.4")
def test_it_is_opened_from_a_ticket_for_a_tier_and_shown_on_the_tickets_page(desk, vp):
    accounts = [named(name) for name in ("Rail", "Road")]
    named("Sea", "enterprise")
    asked = ticket(accounts[0], timezone.now(), severity="S1")
    shown = text(desk.get(f"/tickets/{asked.pk}/"))
    assert f"/incidents/new/?ticket={asked.pk}" in shown
    address = f"/incidents/new/?ticket={asked.pk}"
    form = text(desk.get(address))
    assert 'value="It does not work"' in form
    assert desk.post(address, details(severity="")).status_code == 422
    assert not Incident.objects.exists()
    assert desk.post(address, details(who=f"tier|{accounts[0].tier.key}", commander=str(vp.pk))).status_code == 302
    incident = Incident.objects.get()
    assert {row.account.name for row in incident.affected.all()} == {"Rail", "Road"}
    asked.refresh_from_db()
    assert asked.incident == incident
    shown = text(desk.get(f"/tickets/{asked.pk}/"))
    assert f"/incidents/{incident.pk}/" in shown
    said = re.search(r'aria-labelledby="h-incident".*?</ol>', shown, re.S)[0]
    assert re.findall(r'<div class="t">([^<]+)</div>', said) == ["First notice", "Updates", "Resolution", "Post-mortem"]
    assert waiting_incidents(vp).count() == 1
    for words in ("sign-in is", "INC-1"):
        assert f"/incidents/{incident.pk}/" in text(desk.get("/search/", {"q": words}))


def test_from_alert_to_review_over_three_accounts(desk, vp):
    accounts = [named(name, "enterprise", owner=vp) for name in ("Rail", "Road", "Sea")]
    asked = ticket(accounts[0], timezone.now(), severity="S1", requester=accounts[0].contacts.get())
    incident = opened(vp, accounts, tickets=[asked])
    page = f"/incidents/{incident.pk}/"
    letter = page + "letters/incident-alert/"
    form = text(desk.get(letter))
    people = re.findall(r'name="contact" value="([^"]+)" checked', form)
    assert len(people) == 3
    parts = {"subject": "[INC-1] Down at {account}", "part-0": "Nobody can sign in.", "part-1": "",
             "part-2": "Critical", "part-3": "{acknowledged_at}", "part-4": "{next_update}", "opening": ""}  # fmt: skip
    refused = desk.post(letter, parts | {"contact": people, "verb": "send", "answer": "on"})
    assert refused.status_code == 422
    assert "This part of the letter is still empty." in text(refused)
    parts["part-1"] = "sign-in"
    nobody = desk.post(letter, parts | {"verb": "send"})
    assert nobody.status_code == 422
    assert "Choose whom it goes to." in text(nobody)
    shown = text(desk.post(letter, parts | {"contact": people, "verb": "preview", "answer": "on"}))
    assert [f"[INC-1] Down at {name}" in shown for name in ("Rail", "Road", "Sea")] == [True] * 3
    assert not OutboxMessage.objects.filter(is_letter=True).exists()
    assert desk.post(letter, parts | {"contact": people, "verb": "send", "answer": "on"}).status_code == 302
    mails = OutboxMessage.objects.filter(is_letter=True).order_by("to")
    assert list(mails.values_list("to", flat=True)) == [f"ann@{name}.example" for name in ("rail", "road", "sea")]
    asked.refresh_from_db()
    assert asked.first_responded_at is not None
    assert "Nobody can sign in." in asked.messages.last().body
    rows = list(csv.DictReader(io.StringIO(text(desk.get(page + "told.csv")).lstrip("\ufeff"))))
    assert [(row["Account"], row["State"]) for row in rows] == [
        ("Rail", "Answered in the ticket"), ("Road", "Waiting"), ("Sea", "Waiting"),
    ]  # fmt: skip
    assert "Answer the one that waits" in text(desk.get(page))
    assert (
        desk.post(page + "answer/", {"answer-body": "It works again", "answer-status": "resolved"}).status_code == 302
    )
    assert Ticket.objects.get().status == "resolved"
    assert desk.post(page + "move/", {"move-stage": "resolution"}).status_code == 422
    moved = {
        "move-stage": "closure",
        "move-resolution": "Renewed",
        "move-confirmation": "Rail agreed",
        "move-confirmed": "on",
    }
    assert desk.post(page + "move/", moved).status_code == 302
    assert "without a published review" in text(desk.post(page + "close/"))
    review = page + "review/"
    assert "lessons" in text(desk.post(review, {"part-0": "Nobody watched it", "verb": "publish"})).lower()
    written = {f"part-{number}": f"Part {number}" for number in range(5)}
    assert desk.post(review, written | {"verb": "publish"}).status_code == 302
    day = (timezone.localdate() + timedelta(days=7)).isoformat()
    measure = {"action-title": "Watch certificates", "action-due_on": day, "action-account": str(accounts[1].pk)}
    assert desk.post(review + "actions/", measure | {"action-due_on": "soon"}).status_code == 422
    assert desk.post(review + "actions/", measure).status_code == 302
    assert Cta.objects.get().account == accounts[1]
    shown = text(desk.get(review))
    assert all(f"Part {number}" in shown for number in range(5))
    assert "Watch certificates" in shown
    assert desk.post(page + "close/").status_code == 302
    incident.refresh_from_db()
    assert incident.status == "closed"
    assert "Sign-in is down" in text(desk.get("/incidents/?view=closed"))
    assert "Nothing is broken" in text(desk.get("/incidents/"))
    dropped = incident.actions.get()
    assert desk.post(f"{review}actions/{dropped.pk}/drop/").status_code == 302
    assert desk.post(page + "reopen/", {"reason": "It is back"}).status_code == 302
    incident.refresh_from_db()
    assert incident.status == "open"


def test_accounts_are_chosen_by_name_tier_and_component_and_taken_away(desk, vp):
    rail, road, sea = named("Rail"), named("Road"), named("Sea", "enterprise")
    ticket(sea, timezone.now(), severity="S2", component="Import")
    incident = opened(vp, [])
    page = f"/incidents/{incident.pk}/accounts/"
    assert re.findall(r'aria-label="Select ([^"]+)"', text(desk.get(page))) == ["Rail", "Road", "Sea"]
    assert re.findall(r'aria-label="Select ([^"]+)"', text(desk.get(page, {"q": "r", "who": "component|import"}))) == []
    assert re.findall(r'aria-label="Select ([^"]+)"', text(desk.get(page, {"who": "component|import"}))) == ["Sea"]
    assert desk.post(page, {"account": [str(rail.pk), "not-a-key"], "which": "some"}).status_code == 302
    assert desk.post(page, {"who": f"tier|{road.tier.key}", "which": "all"}).status_code == 302
    rows = incident.affected.present().order_by("account__name").values_list("account__name", "origin")
    assert list(rows) == [("Rail", "hand"), ("Road", "tier")]
    desk.post(page + "remove/", {"account": [str(rail.pk)]})
    assert list(incident.affected.present().values_list("account__name", flat=True)) == ["Road"]
    large = named("Large", arr=90_000)
    wanted = {"field": "arr", "op": ">=", "value": "60000"}
    rule = {"join": "any", "groups": [{"join": "all", "conditions": [wanted]}]}
    who = f"segment|{create_segment(name='Large', rule=rule, actor=vp, at=timezone.now()).pk}"
    assert re.findall(r'aria-label="Select ([^"]+)"', text(desk.get(page, {"who": who}))) == ["Large"]
    desk.post(page, {"who": who, "which": "all"})
    assert incident.affected.present().get(account=large).origin == "segment"
    assert "Select an account first" in text(desk.post(page, {"which": "some"}, follow=True))


def test_tickets_are_linked_by_number_from_both_sides(desk, vp):
    asked = ticket(named("Rail"), timezone.now(), severity="S1")
    incident = opened(vp, [])
    page = f"/incidents/{incident.pk}/"
    assert "no such ticket" in text(desk.post(page + "ticket/", {"number": "9²"}, follow=True))
    desk.post(page + "ticket/", {"number": f"#{asked.number}", "verb": "link"})
    asked.refresh_from_db()
    assert asked.incident == incident
    desk.post(page + "ticket/", {"number": str(asked.number), "verb": "unlink"})
    asked.refresh_from_db()
    assert asked.incident is None
    desk.post(f"/tickets/{asked.pk}/incident/", {"incident": incident.code.lower()})
    asked.refresh_from_db()
    assert asked.incident == incident
    desk.post(f"/tickets/{asked.pk}/incident/", {"incident": ""})
    asked.refresh_from_db()
    assert asked.incident is None


def test_what_somebody_writes_is_shown_as_text_and_the_csv_runs_nothing(desk, vp):
    named("=cmd|calc")
    incident = opened(vp, [named("Rail")], title=f"={HOSTILE}")
    actions.note_incident(incident, HOSTILE, actor=vp, at=timezone.now())
    for path in ("", "review/", "accounts/", "letters/incident-alert/", "edit/"):
        shown = text(desk.get(f"/incidents/{incident.pk}/{path}"))
        assert "<script>alert" not in shown
        assert "49 " not in shown
    (row,) = csv.DictReader(io.StringIO(text(desk.get("/incidents/export.csv")).lstrip("\ufeff")))
    assert row["Title"].startswith("'=")
    for query in ("view=%00&severity=%27", "q=%00INC-99999999999999999999", "after=rubbish", "account=x&commander=x"):
        assert desk.get(f"/incidents/?{query}").status_code in {200, 404}
    edited = desk.post(f"/incidents/{incident.pk}/edit/", details(title="x" * 201, update_minutes="-1"))
    assert edited.status_code == 422


def test_two_who_edit_at_once_do_not_undo_each_other(desk, vp):
    incident = opened(vp, [named("Rail")])
    page = f"/incidents/{incident.pk}/edit/"
    seen = re.search(r'name="version" value="(\d+)"', text(desk.get(page)))[1]
    assert desk.post(page, details(title="First", version=seen)).status_code == 302
    refused = desk.post(page, details(title="Second", version=seen))
    assert refused.status_code == 422
    assert "Somebody changed this" in text(refused)
    assert 'value="Second"' in text(refused)
    incident.refresh_from_db()
    assert incident.title == "First"


def test_what_a_colleague_did_meanwhile_is_shown_before_the_incident_moves(desk, vp):
    incident = opened(vp, [named("Rail")])
    page = f"/incidents/{incident.pk}/"
    seen = set(re.findall(r'name="version" value="(\d+)"', text(desk.get(page))))
    assert seen == {str(incident.version)}
    actions.post_incident_update(incident, "The cause is found", actor=vp, at=timezone.now())
    old = {"version": seen.pop()}
    for verb, fields in (
        ("move", {"move-stage": "resolution", "move-resolution": "Renewed"}),
        ("update", {"update-body": "Still looking"}),
    ):
        refused = desk.post(f"{page}{verb}/", fields | old)
        assert refused.status_code == 422
        assert "Somebody changed this" in text(refused)
        assert "The cause is found" in text(refused)
    assert "Still looking" in text(refused)
    now = re.search(r'name="version" value="(\d+)"', text(refused))[1]
    moved = {"move-stage": "resolution", "move-resolution": "Renewed", "version": now}
    assert desk.post(f"{page}move/", moved).status_code == 302
    incident.refresh_from_db()
    assert incident.status == "resolved"
    assert "Somebody changed this" in text(desk.post(f"{page}reopen/", {"reason": "Back"} | old, follow=True))
    assert desk.post(f"{page}note/", {"note-body": "Noted all the same"}).status_code == 302


def test_a_review_that_lacks_a_part_is_published_on_the_second_try(desk, vp):
    incident = opened(vp, [named("Rail")])
    actions.move_incident(incident, "closure", resolution="Renewed", confirmed=True, actor=vp, at=timezone.now())
    page, written = f"/incidents/{incident.pk}/review/", {f"part-{number}": "Told" for number in range(5)}
    assert desk.post(page, written | {"part-1": "", "verb": "save"}).status_code == 302
    seen = re.search(r'name="version" value="(\d+)"', text(desk.get(page + "?write=1")))[1]
    refused = desk.post(page, written | {"part-0": "Newer", "part-1": "", "verb": "publish", "version": seen})
    assert (refused.status_code, "Newer" in text(refused)) == (422, True)
    assert desk.post(page, written | {"verb": "publish", "version": seen}).status_code == 302
    assert Incident.objects.get(pk=incident.pk).review.published_at is not None


def test_accounts_are_taken_away_only_by_those_who_work_them_and_past_customers_too(client, vp):
    rail, road = named("Rail"), named("Road")
    csm = UserFactory(role="csm")
    Account.objects.filter(pk=rail.pk).update(owner=csm, status="churned")
    incident = opened(vp, [rail, road])
    assert Account.objects.visible_to(csm).filter(pk=road.pk).exists()
    client.force_login(csm)
    client.post(f"/incidents/{incident.pk}/accounts/remove/", {"account": [str(rail.pk), str(road.pk)]})
    assert [row.account for row in incident.affected.present()] == [road]


def test_a_word_that_is_due_at_closing_is_overdue_with_the_next_opening_and_not_all_night(vp):
    hours = {"update_minutes": 60, "has_cadence": True, "calendar": own_calendar()}
    incident = opened(vp, [named("Rail")], at=at("2026-11-23 16:00"), **hours)
    assert incident.next_update_at == at("2026-11-23 17:00")
    for moment, late in (("2026-11-23 20:00", False), ("2026-11-24 09:00:01", True)):
        found = IncidentFilters(view="overdue").incidents(vp, at(moment)).exists()
        assert (found, incident_record(vp, incident.pk, at(moment)).is_late) == (late, late)


def test_waiting_tickets_of_the_same_service_are_offered(desk, vp):
    rail = named("Rail")
    same = ticket(rail, timezone.now(), severity="S2", component="Sign-in")
    ticket(rail, timezone.now(), severity="S2", component="export")
    incident = opened(vp, [], component="sign-in")
    page = f"/incidents/{incident.pk}/"
    assert re.findall(r'<span class="vh"> #(\d+)</span>', text(desk.get(page))) == [str(same.number)]
    desk.post(page + "ticket/", {"number": str(same.number), "verb": "link"})
    assert "Of the same service" not in text(desk.get(page))


def test_who_may_not_work_it_reads_it_and_who_may_not_see_it_finds_nothing(client, vp):
    mine = UserFactory(role="csm")
    rail, road = named("Rail", owner=mine), named("Road")
    incident = opened(vp, [road])
    page = f"/incidents/{incident.pk}/"
    reader = UserFactory(role="read_only")
    client.force_login(reader)
    assert "Work it" not in text(client.get(page))
    assert client.post(page + "update/", {"update-body": "x"}).status_code == 403
    client.force_login(mine)
    assert client.get(page).status_code == 200
    assert client.post(page + "update/", {"update-body": "x"}).status_code == 403
    Workspace.objects.update(csm_reads_all_accounts=False)
    mine = type(mine).objects.get(pk=mine.pk)
    client.force_login(mine)
    assert client.get(page).status_code == 404
    assert client.post(page + "update/", {"update-body": "x"}).status_code == 404
    actions.add_accounts(incident, [rail], actor=vp, at=timezone.now())
    shown = text(client.get(page))
    assert "Rail" in shown
    assert "Road" not in shown
    assert client.post(page + "update/", {"update-body": "Working on it"}).status_code == 302
    letter = text(client.get(page + "letters/incident-alert/"))
    assert "ann@road" not in letter
    assert letter.count('name="contact"') == 1
    portal = UserFactory(role="portal_user")
    client.force_login(portal)
    assert client.get(page).status_code == 403


def test_an_agent_works_every_incident_they_see(client, vp):
    incident = opened(vp, [named("Rail")])
    client.force_login(agent())
    assert client.post(f"/incidents/{incident.pk}/update/", {"update-body": "Found it"}).status_code == 302


def test_the_settings_hold_for_incidents_opened_afterwards(desk, vp):
    page = "/incidents/settings/"
    given = {"rank-1": "30", "rank-2": "60", "rank-3": "120", "rank-4": "240", "review_within_days": "3"}
    assert desk.post(page, given | {"rank-1": "0"}).status_code == 422
    assert desk.post(page, given).status_code == 302
    assert 'value="30"' in text(desk.get(page))
    assert opened(vp, []).update_minutes == 30


def test_an_account_shows_the_incidents_that_affect_it(desk, vp):
    rail = named("Rail")
    incident = opened(vp, [rail])
    for path in (f"/accounts/{rail.pk}/tickets/", f"/accounts/{rail.pk}/"):
        assert f'<a href="/incidents/{incident.pk}/">Critical incident INC-1: Sign-in is down</a>' in text(
            desk.get(path)
        )
    Incident.objects.update(severity=None)
    assert ">Incident INC-1: Sign-in is down</a>" in text(desk.get(f"/accounts/{rail.pk}/"))
    told = f'<a href="/incidents/{incident.pk}/">Affected by an incident'
    assert told in text(desk.get(f"/accounts/{rail.pk}/timeline/"))


@pytest.mark.parametrize("path", ["/incidents/", "page", "letter", "review"])
def test_one_and_three_of_everything_take_the_same_number_of_queries(desk, vp, path):
    def fill(number: int, incident: Incident) -> None:
        account = named(f"Name{number}", "enterprise", owner=vp)
        asked = ticket(account, timezone.now(), severity="S1", requester=account.contacts.get())
        actions.link_ticket(incident, asked, actor=vp, at=timezone.now())
        send_alert(incident, account, vp)
        opened(vp, [account], title=f"Other {number}")

    incident = opened(vp, [])
    at = {"page": f"/incidents/{incident.pk}/", "letter": f"/incidents/{incident.pk}/letters/status-update/",
          "review": f"/incidents/{incident.pk}/review/"}.get(path, path)  # fmt: skip
    fill(1, incident)
    desk.get(at)
    cache.clear()
    with CaptureQueriesContext(connection) as one:
        assert desk.get(at).status_code == 200
    fill(2, incident)
    fill(3, incident)
    cache.clear()
    with CaptureQueriesContext(connection) as three:
        desk.get(at)
    assert len(three) <= len(one), "\n".join(query["sql"][:150] for query in three)
    assert len(three) <= 45


def send_alert(incident, account, vp):
    values = {"issue": "x", "affected service": "y", "severity": "S1", "acknowledged at": "now", "next update": "soon"}
    contacts = list(account.contacts.select_related("account"))
    actions.send_letter(
        incident, "incident-alert", values=values, contacts=contacts, subject="Down", actor=vp, at=timezone.now()
    )
