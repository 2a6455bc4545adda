"""The Cockpit with the keyboard: a playbook's tasks, why a CTA is there, its past, many at once, the histories."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Account, User
from playbooks.actions import close_cta, open_cta, reassign_cta
from playbooks.models import Cta, Playbook
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to

pytestmark = pytest.mark.e2e
BY_HAND = "Win the depot back"


@pytest.fixture
def low_adoption(visit, world):
    """A CTA that a rule opened for Mara, after an earlier one of the same trigger; both are gone afterwards."""
    now = timezone.now()
    with tenant_context(Tenant.objects.get(slug="acme")):
        account = Account.objects.get(pk=world.accounts["Dovetail Couriers"])
        mara, vera = (User.objects.get(email=f"{who}@acme.test") for who in ("csm", "vp"))
        values = {
            "title": "Low adoption", "reason": "", "kind": "risk", "priority": "low", "trigger_key": "low-adoption",
            "evidence": {"condition": "active users under 50 %", "facts": {"active_users_pct": "41"},
                         "score": "54.0", "band": "red"},
        }  # fmt: skip
        earlier = open_cta(account, at=now - timedelta(days=40), **values)
        close_cta(earlier, outcome="resolved", note="Trained the depot", actor=vera, at=now - timedelta(days=30))
        cta = open_cta(account, owner=vera, at=now, actions=["call the sponsor"], **values)
        reassign_cta(cta, mara, reason="Knows them", actor=vera, at=now)
    yield cta.pk
    with tenant_context(Tenant.objects.get(slug="acme")):
        Cta.objects.filter(pk__in=[cta.pk, earlier.pk]).delete()


def test_why_it_is_there_what_it_saw_and_how_it_came_here_are_told_on_one_page(visit, low_adoption):
    seen = visit("csm", f"/ctas/{low_adoption}/")
    why = seen.page.locator("section", has=seen.page.locator("#h-why"))
    expect(why).to_contain_text("The rule looks for: active users under 50 %.")
    expect(why).to_contain_text("When it fired, active users was 41 %.")
    expect(why).to_contain_text("The account's score was 54 then, Red.")
    expect(why).to_contain_text("The account's score is now")
    expect(why).to_contain_text("Resolved")
    expect(why).to_contain_text("Trained the depot")
    history = seen.page.locator("section", has=seen.page.locator("#h-history"))
    expect(history.locator("li").first).to_contain_text("Handed from Vera Paulsen to Mara Lind")
    expect(history.locator("li").first).to_contain_text("Knows them")
    assert seen.axe() == []
    assert seen.problems == []


def test_with_the_keyboard_a_playbook_brings_its_tasks_with_their_days(visit):
    seen = visit("vp", "/ctas/new/")
    page = seen.page
    tab_to(page, page.locator("[name=account]"))
    page.keyboard.type("Ibsen")
    press(page, "Tab")
    page.keyboard.type(BY_HAND)
    tab_to(page, page.locator("[name=playbook]"))
    page.keyboard.type("Recovery")
    tab_to(page, page.get_by_role("button", name="Open the CTA"))
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text(BY_HAND)
    tasks = page.locator("#tasks")
    expect(tasks).to_contain_text("0 of 3 done")
    expect(tasks.locator("h3")).to_have_text(["Look", "Act"])
    expect(tasks.locator(".due")).to_have_text([re.compile("^Due ")] * 3)
    tab_to(page, page.get_by_role("checkbox", name="Call the sponsor"))
    press(page, "Space")
    expect(tasks).to_contain_text("1 of 3 done")
    expect(tasks).to_contain_text("by Vera Paulsen")
    # As it was before: the other tests count on what is open.
    with tenant_context(Tenant.objects.get(slug="acme")):
        Cta.objects.filter(title=BY_HAND).delete()


def test_a_playbook_is_written_copied_changed_retired_and_brought_back(visit):
    seen = visit("owner", "/playbooks/")
    page = seen.page
    page.get_by_role("link", name="Recovery").click()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)  # it comes with the methodology
    page.get_by_role("link", name="Copy").click()
    page.get_by_label("Name").fill("Recovery of depots")
    page.get_by_role("group", name="Task 4").get_by_label(re.compile("^Task")).fill("Visit the depot")
    row = page.get_by_role("group", name="Task 4")
    row.get_by_label("Days after").fill("1")
    row.get_by_label("Counted in").select_option("calendar")
    assert seen.axe() == []
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Recovery of depots")
    first = page.locator("section", has=page.locator("#h-steps")).locator("li").first
    expect(first).to_contain_text("Visit the depot")
    expect(first).to_contain_text("1 calendar day after")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Name").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("This field is required.")
    page.get_by_label("Name").fill("Depots")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Depots")
    page.get_by_role("button", name="Retire").click()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Playbooks").click()
    expect(page.locator("tbody")).not_to_contain_text("Depots")
    page.get_by_role("link", name="Retired").click()
    page.get_by_role("link", name="Depots").click()
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("button", name="Retire")).to_be_visible()
    with tenant_context(Tenant.objects.get(slug="acme")):
        Playbook.objects.filter(name="Depots").delete()


def test_many_are_put_off_with_a_reason_seen_among_the_snoozed_and_taken_back(visit, low_adoption):
    seen = visit("csm", "/ctas/?q=Low+adoption")
    page = seen.page
    expect(page.locator("tbody tr")).to_have_count(1)
    press(page, "j")
    press(page, "x")
    bar = page.locator(".bulk")
    until_on = timezone.localdate() + timedelta(days=9)
    bar.locator("[name=until_on]").fill(until_on.isoformat())
    bar.locator("[name=reason]").fill("Waits for the new depot")
    bar.get_by_role("button", name="Snooze").focus()
    press(page, "Enter")
    expect(page.locator("tbody tr")).to_have_count(0)
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Snoozed").click()
    expect(page.locator("tbody tr", has_text="Low adoption")).to_contain_text("Waits for the new depot")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Open").click()
    page.locator("[type=search]").fill("Low adoption")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert seen.problems == []


def test_mine_are_one_step_away_and_the_closed_ones_tell_who_and_how(visit, low_adoption):
    page = visit("vp", "/ctas/?status=all&q=Low+adoption").page
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("navigation", name="Whose").get_by_role("link", name="Mine").click()
    expect(page).to_have_url(re.compile("owner=me"))
    expect(page.locator("tbody tr", has_text="Mara Lind")).to_have_count(0)
    page.get_by_role("navigation", name="Whose").get_by_role("link", name="Everybody's").click()
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Closed").click()
    row = page.locator("tbody tr", has_text="Low adoption")
    expect(row).to_contain_text("Resolved")
    expect(row).to_contain_text("by Vera Paulsen")


def test_what_came_of_them_leads_to_the_ctas_behind_each_number(visit, low_adoption):
    seen = visit("csm", "/ctas/")
    page = seen.page
    page.get_by_role("link", name="What came of them").click()
    row = page.locator("tbody tr", has_text="Low adoption")
    expect(row).to_contain_text("Too few to tell")
    row.get_by_role("link", name="1", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Low adoption")
    assert seen.problems == []
