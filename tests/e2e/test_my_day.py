"""My day as a CSM works it in the morning: with the mouse, with the keyboard alone, on a phone."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import User
from engagement.actions import mark_read, notify
from engagement.models import Notification
from health.models import HealthScore
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to

pytestmark = pytest.mark.e2e
TITLE = "Usage fell"


def cta_row(page):
    return page.locator("[data-item][id^=cta-]", has_text=TITLE)


def walk_to(page, locator):
    """Press K up to the first row, then J until the cursor stands on this one; again while the list is being drawn."""
    expect(page.locator("#day")).not_to_have_attribute("aria-busy", "true")
    count = page.locator("[data-item]").count()
    for key in ("k" * (count + 1) + "j" * count) * 2:
        press(page, key)
        if locator.get_attribute("data-cursor") is not None:
            return
    raise AssertionError("j never reached the row")


def test_a_csm_lands_on_their_day_and_it_stands_first(visit):
    page = visit("csm", "/").page
    expect(page).to_have_url(re.compile(r"/day/$"))
    expect(page.locator(".side .nav a").first).to_have_text(re.compile("My day"))
    expect(cta_row(page).locator(".reasons")).to_contain_text("high priority")
    expect(page.locator("aside")).to_contain_text("ARR")


def test_with_the_mouse_a_cta_is_closed_with_an_outcome_and_taken_back(visit):
    seen = visit("csm", "/day/")
    page = seen.page
    page.evaluate("window.stayed = true")
    count = page.locator("[data-item]").count()
    cta_row(page).get_by_role("link", name=re.compile("^Close")).click()
    dialog = page.locator("dialog#panel")
    expect(dialog).to_be_visible()
    assert seen.axe() == []
    dialog.get_by_role("button", name="Close the CTA").click()
    expect(dialog).to_contain_text("Please check this form.")
    dialog.locator("select").select_option("resolved")
    dialog.get_by_role("button", name="Close the CTA").click()
    expect(dialog).to_be_hidden()
    expect(cta_row(page)).to_have_count(0)
    page.locator(".toast", has_text="closed").get_by_role("button", name="Undo").click()
    expect(cta_row(page)).to_have_count(1)
    expect(page.locator("[data-item]")).to_have_count(count)
    assert page.evaluate("window.stayed") is True
    # The one refusal above is told by the browser as a failed request.
    assert [text for text in seen.problems if "422" not in text] == []


def test_with_the_keyboard_alone_from_start_to_end(visit):
    page = visit("csm", "/day/").page
    press(page, "?")
    expect(page.locator("dialog#keys")).to_be_visible()
    press(page, "Escape")
    walk_to(page, cta_row(page))
    press(page, "s")
    expect(page.locator("dialog#panel")).to_be_visible()
    tab_to(page, page.locator("dialog#panel [name=reason]"))
    page.keyboard.type("They are at an audit")
    press(page, "Enter")
    expect(cta_row(page)).to_have_count(0)
    expect(page.locator("[data-item][data-cursor]")).to_have_count(1)
    press(page, "u")
    expect(cta_row(page)).to_have_count(1)
    walk_to(page, cta_row(page))
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text(TITLE)


def test_with_the_keyboard_a_touch_is_logged_and_its_next_step_done(visit):
    page = visit("csm", "/day/").page
    walk_to(page, cta_row(page))
    press(page, "l")
    dialog = page.locator("dialog#panel")
    expect(dialog).to_be_visible()
    expect(dialog.locator("select").first).to_be_focused()
    page.keyboard.type("M")  # Meeting
    press(page, "Tab")
    page.keyboard.type("Talked about the audit")
    tab_to(page, dialog.locator("[name=next_step]"))
    page.keyboard.type("Send the audit plan")
    page.evaluate("document.querySelector('[name=next_step_on]').valueAsDate = new Date()")
    press(page, "Enter")
    expect(dialog).to_be_hidden()
    step = page.locator("[data-item][id^=step-]", has_text="Send the audit plan")
    expect(step).to_have_count(1)
    walk_to(page, step)
    press(page, "e")
    expect(step).to_have_count(0)
    expect(page.locator(".toast").last).to_contain_text("Send the audit plan: done.")


@pytest.fixture
def told(visit):
    """Two messages for Mara."""
    with tenant_context(Tenant.objects.get(slug="acme")):
        mara = User.objects.get(email="csm@acme.test")
        for number in (1, 2):
            notify([mara], kind="system", title=f"Message {number}", at=timezone.now(), dedupe_key=f"day-{number}")
    yield
    with tenant_context(Tenant.objects.get(slug="acme")):
        Notification.objects.filter(title__startswith="Message ").delete()


def test_with_the_keyboard_a_message_is_read_and_another_left_for_later(visit, told):
    page = visit("csm", "/day/?kind=notice").page
    first, second = (page.locator("[data-item][id^=notice-]", has_text=f"Message {number}") for number in (1, 2))
    walk_to(page, first)
    press(page, "e")
    expect(first).to_have_count(0)
    walk_to(page, second)
    press(page, "s")
    tab_to(page, page.locator("dialog#panel [name=reason]"))
    page.keyboard.type("After the call")
    press(page, "Enter")
    expect(second).to_have_count(0)
    expect(page.locator("h1 ~ .sub")).to_contain_text("put aside")


@pytest.fixture
def changed(world):
    """One of Mara's accounts that lost twelve points with its newest score, which is of today."""
    with tenant_context(Tenant.objects.get(slug="acme")):
        scores = HealthScore.objects.filter(account=world.accounts["Dovetail Couriers"])
        newest, before = scores.order_by("-computed_on")[:2]
        scores.filter(pk=newest.pk).update(computed_on=timezone.localdate())
        scores.filter(pk=before.pk).update(score=newest.score + 12)
    yield
    with tenant_context(Tenant.objects.get(slug="acme")):
        scores.filter(pk=before.pk).update(score=before.score)
        scores.filter(pk=newest.pk).update(computed_on=newest.computed_on)


def test_an_account_that_changed_is_looked_at_and_brought_back(visit, changed):
    page = visit("csm", "/day/?kind=account").page
    row = page.locator("[data-item][id^=account-]", has_text="Dovetail Couriers")
    expect(row.locator(".reasons")).to_contain_text("core down 12 since yesterday")
    walk_to(page, row)
    press(page, "e")
    expect(row).to_have_count(0)
    press(page, "u")
    expect(row).to_have_count(1)


def test_the_book_stands_beside_it_with_money_colours_capacity_and_renewals(visit):
    page = visit("csm", "/day/").page
    book = page.get_by_role("complementary", name="Your book of business")
    for heading in ("Your book", "Capacity", "Renewals in 90 days"):
        expect(book.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(book).to_contain_text("ARR")
    colour = book.locator(".loads a").first
    name = colour.inner_text()
    accounts = int(book.locator(".loads .m").first.inner_text())
    colour.click()
    expect(page).to_have_url(re.compile("owner=me&band="))
    expect(page.locator("tbody tr")).to_have_count(accounts)
    assert name


def test_an_empty_day_says_so_and_where_to_go_on(visit):
    with tenant_context(Tenant.objects.get(slug="acme")):
        mark_read(User.objects.get(email="owner@acme.test"), at=timezone.now())
    page = visit("owner", "/day/").page
    expect(page.locator("#day")).to_contain_text("You are done for today")
    expect(page.locator("#day .empty p")).to_have_text(re.compile(r"^(Next: .|Nothing is planned\.)"))
    page.get_by_role("link", name="Go through your accounts").click()
    expect(page).to_have_url(re.compile(r"/accounts/\?owner=me"))


def test_by_account_the_keys_go_on_from_group_to_group(visit):
    page = visit("csm", "/day/").page
    page.get_by_role("navigation", name="Order").get_by_role("link", name="By account").click()
    expect(page).to_have_url(re.compile("by=account"))
    groups = page.locator("#day section")
    expect(groups.first).to_be_visible()
    expect(groups.filter(has=cta_row(page)).get_by_role("heading")).to_have_count(1)
    walk_to(page, cta_row(page))
    press(page, "s")
    tab_to(page, page.locator("dialog#panel [name=reason]"))
    page.keyboard.type("Waits for the audit")
    press(page, "Enter")
    expect(cta_row(page)).to_have_count(0)
    expect(groups.first).to_be_visible()
    press(page, "u")
    expect(cta_row(page)).to_have_count(1)


def test_single_keys_can_be_switched_off(visit):
    page = visit("csm", "/day/").page
    press(page, "?")
    page.locator("[data-keys]").uncheck()
    page.locator("dialog#keys").get_by_role("button", name="Close").click()
    press(page, "j")
    expect(page.locator("[data-item][data-cursor]")).to_have_count(0)


def test_on_a_phone_it_is_the_first_tab_and_a_message_is_handled_with_the_thumb(visit):
    seen = visit("csm", "/day/", width=390, height=844, has_touch=True)
    page = seen.page
    expect(page.locator(".tabbar-m a").first).to_have_attribute("aria-current", "page")
    assert seen.overflow() == []
    close = cta_row(page).get_by_role("link", name=re.compile("^Close"))
    size = close.bounding_box()
    assert min(size["width"], size["height"]) >= 40
    cta_row(page).get_by_role("link", name=re.compile("^Hand over")).tap()
    dialog = page.locator("dialog#panel")
    expect(dialog).to_be_visible()
    vera = dialog.locator("option", has_text=re.compile(r"^Vera Paulsen · \d+ open$"))
    dialog.locator("select").select_option(vera.get_attribute("value"))
    dialog.get_by_role("button", name="Hand over").tap()
    expect(cta_row(page)).to_have_count(0)
    page.locator(".toast", has_text="handed over").get_by_role("button", name="Undo").tap()
    expect(cta_row(page)).to_have_count(1)


def test_without_script_every_verb_is_a_link_or_a_button(visit):
    page = visit("csm", "/day/", java_script_enabled=False).page
    cta_row(page).get_by_role("link", name=re.compile("^Snooze")).click()
    expect(page.locator("h1")).to_have_text("Snooze")
    page.fill("[name=reason]", "They are away")
    page.locator("main").get_by_role("button", name="Snooze").click()
    expect(cta_row(page)).to_have_count(0)
    page.locator("#kept summary").click()
    page.locator("#kept").get_by_role("button", name=re.compile("Undo")).first.click()
    expect(cta_row(page)).to_have_count(1)
