"""The desk set up by hand: a team, a field of one's own, a calendar and a service level, each taken back again.

What is made here is taken away at the end, since the other files of this folder share the workspace.
"""

from __future__ import annotations

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Account, WorkCalendar
from support import actions
from support.models import SlaPolicy, Team, TicketField
from tenants.models import Tenant

pytestmark = pytest.mark.e2e
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@pytest.fixture
def acme(world, django_db_blocker):
    with django_db_blocker.unblock(), tenant_context(Tenant.objects.get(slug="acme")):
        yield


def save(page, name="Save"):
    page.get_by_role("button", name=name, exact=True).click()


def test_a_team_is_made_staffed_changed_and_taken_away(visit, acme):
    seen = visit("owner", "/support/teams/")
    page = seen.page
    page.get_by_role("link", name="New team").click()
    page.get_by_label("Name").fill("Night shift")
    page.get_by_label("Skills of everybody on it").fill("Labels, GPS")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Night shift")
    expect(page.get_by_text("Nobody is on it yet")).to_be_visible()
    page.get_by_label("Colleague").select_option(label="Vera Paulsen")
    page.get_by_label("Active tickets at most").fill("7")
    page.get_by_role("button", name="Put on the team").click()
    row = page.get_by_role("row", name="Vera Paulsen")
    expect(row).to_contain_text("of 7")
    row.get_by_role("link", name="Change").click()
    page.get_by_label("Active tickets at most").fill("0")
    save(page)
    expect(page.locator("#id_capacity_error")).to_be_visible()
    page.get_by_label("Active tickets at most").fill("9")
    save(page)
    expect(page.get_by_role("row", name="Vera Paulsen")).to_contain_text("of 9")
    page.get_by_role("button", name="Take away").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Teams")
    expect(page.get_by_role("heading", name="Night shift")).to_have_count(0)
    assert Team.objects.get(key="night-shift").retired_at
    # A form that was refused answers 422, which the console notes.
    assert [each for each in seen.problems if "422" not in str(each)] == []


def test_a_field_of_ones_own_is_asked_on_a_ticket_and_taken_away(visit, acme):
    account = Account.objects.get(name="Ember Haulage")
    given = {"channel": "phone", "actor": None, "at": timezone.now()}
    ticket = actions.open_ticket(account, subject="The gate stays shut", **given)
    page = visit("owner", "/tickets/fields/").page
    page.get_by_role("link", name="New field").click()
    page.get_by_label("Label").fill("Wing")
    page.get_by_label("Kind").select_option("choice")
    page.get_by_label("Options").fill("North\nSouth")
    save(page)
    expect(page.get_by_role("row", name="Wing")).to_contain_text("North, South")
    page = visit("vp", f"/tickets/{ticket.pk}/edit/").page
    page.get_by_label("Wing").select_option("South")
    if page.locator("select[name=severity] option").count() > 1:
        page.locator("select[name=severity]").select_option(index=1)
    save(page)
    expect(page.locator(".facts div", has_text="Wing").last).to_contain_text("South")
    page = visit("owner", "/tickets/fields/").page
    page.get_by_role("button", name="Take away Wing").click()
    expect(page.get_by_role("row", name="Wing")).to_have_count(0)
    ticket.refresh_from_db()
    assert ticket.custom == {"wing": "South"}
    assert TicketField.objects.get(key="wing").retired_at


def test_hours_and_promises_are_looked_at_before_they_hold_and_taken_back(visit, acme):
    page = visit("owner", "/support/calendars/new/").page
    page.get_by_label("Name").fill("Depot")
    for day in WEEK:
        page.locator(f"[name={day}]").fill("00:00-24:00")
    save(page)
    page = visit("owner", "/support/service-levels/new/").page
    page.get_by_label("Name").fill("Depot promise")
    page.get_by_label("Business hours").select_option("depot")
    page.get_by_label("Chat", exact=True).check()
    page.get_by_label("First response, Any other", exact=True).fill("4")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Depot promise")
    level = SlaPolicy.objects.get(name="Depot promise")
    ticket = actions.open_ticket(
        Account.objects.get(name="Garrick Distribution"), subject="The scanner is mute", channel="chat", actor=None,
        at=timezone.now(), policies=[level],
    )  # fmt: skip
    due = ticket.clocks.get(kind="first_response").due_at

    # The promise: looked at, applied, and the earlier version brought back.
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("First response, Any other", exact=True).fill("2")
    page.get_by_role("button", name="See what moves").click()
    moves = page.get_by_role("status").filter(has_text="What would move")
    expect(moves).to_contain_text(f"#{ticket.number} The scanner is mute")
    assert ticket.clocks.get(kind="first_response").due_at == due
    save(page, "Apply")
    expect(page.get_by_text("Version 2", exact=True)).to_be_visible()
    actions.recompute_where_calendars_changed(at=timezone.now())
    assert ticket.clocks.get(kind="first_response").due_at < due
    page.get_by_role("button", name="Bring back version 1").click()
    expect(page.get_by_text("Version 3", exact=True)).to_be_visible()
    actions.recompute_where_calendars_changed(at=timezone.now())
    assert ticket.clocks.get(kind="first_response").due_at == due

    # The hours: closed for good but one day a week, looked at, applied, as it was before.
    page = visit("owner", "/support/calendars/depot/").page
    for day in WEEK[1:]:
        page.locator(f"[name={day}]").fill("")
    page.locator("[name=mon]").fill("25:00-26:00")
    page.get_by_role("button", name="See what moves").click()
    expect(page.locator("#id_mon_error")).to_be_visible()
    page.locator("[name=mon]").fill("03:00-03:30")
    page.get_by_role("button", name="See what moves").click()
    expect(page.get_by_role("status").filter(has_text="What would move")).to_contain_text("The scanner is mute")
    save(page, "Apply")
    expect(page.get_by_role("button", name="As it was before")).to_be_visible()
    actions.recompute_where_calendars_changed(at=timezone.now())
    assert ticket.clocks.get(kind="first_response").due_at > due
    page.get_by_role("button", name="As it was before").click()
    expect(page.locator("[name=sun]")).to_have_value("00:00-24:00")
    actions.recompute_where_calendars_changed(at=timezone.now())
    assert ticket.clocks.get(kind="first_response").due_at == due
    assert WorkCalendar.objects.get(key="depot").definition["weekly"]["sun"] == [["00:00", "24:00"]]

    page = visit("owner", f"/support/service-levels/{level.key}/").page
    page.get_by_role("button", name="Retire").click()
    expect(page.get_by_text("Those that have it keep it.")).to_be_visible()
    actions.cancel(ticket, actor=None, at=timezone.now())
