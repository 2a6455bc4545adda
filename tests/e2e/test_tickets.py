"""Tickets as an agent works them with the keyboard alone, and as a customer lives through one in the portal."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e


def test_an_agent_answers_tags_assigns_and_goes_on_without_the_mouse(visit):
    seen = visit("vp", "/tickets/?tag=import&view=active&sort=number")
    page = seen.page
    press(page, "j")
    expect(page.locator("tr[data-cursor]")).to_contain_text("Import stops at row 400")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Import stops at row 400")
    press(page, "r")
    expect(page.locator("#id_body")).to_be_focused()
    page.keyboard.type("Row 400 has one comma too many.")
    press(page, "Control+Enter")
    expect(page.locator(".talk [data-from=agent]").last).to_contain_text("one comma too many")
    press(page, "n")
    page.keyboard.type("They use semicolons.")
    press(page, "Control+Enter")
    expect(page.locator(".talk [data-from=note]").last).to_contain_text("They use semicolons.")
    press(page, "t")
    page.keyboard.type("import, commas")
    press(page, "Enter")
    expect(page.locator(".facts")).to_contain_text("commas")
    press(page, "a")
    expect(page.locator("[data-shortcut=a]")).to_be_focused()
    page.keyboard.type("Mara")
    press(page, "Enter")
    expect(page.locator(".facts div", has_text="Assignee").last).to_contain_text("Mara Lind")
    press(page, "s")
    page.keyboard.type("Waiting on cust")
    press(page, "Enter")
    expect(page.locator(".pagehead .badge").first).to_have_text("Waiting on customer")
    press(page, "j")
    expect(page.locator("h1")).to_have_text("Drivers cannot sign in")
    press(page, "r")
    page.keyboard.type("Please try again now.")
    press(page, "Control+Shift+Enter")
    expect(page.locator("h1")).to_have_text("Map shows old routes")
    press(page, "e")
    expect(page.locator("h1")).to_have_text("Escalate")
    assert seen.problems == []


def test_a_customer_asks_is_answered_opens_it_again_and_rates(visit):
    customer = visit("portal", "/portal/tickets/").page
    customer.get_by_role("link", name="New request").click()
    customer.fill("[name=subject]", "The map stays empty")
    customer.fill("[name=body]", "Since this morning, for all of us.")
    if customer.locator("select[name=severity]").count():
        customer.locator("select[name=severity]").select_option(index=1)
    customer.locator("[name=impact]").select_option("1")
    customer.get_by_role("button", name="Send").click()
    expect(customer.locator("h1")).to_have_text("The map stays empty")
    expect(customer.locator(".p-hero")).to_contain_text(re.compile("Received .*due", re.S))
    address = customer.url

    agent = visit("vp", "/tickets/?q=map+stays+empty").page
    agent.get_by_role("link", name="The map stays empty").click()
    agent.fill("#id_body", "The tiles were moved. Please reload.")
    agent.locator("#reply [name=status]").select_option("resolved")
    agent.get_by_role("button", name="Send", exact=True).click()
    expect(agent.locator(".pagehead .badge").first).to_have_text("Resolved")

    customer.goto(address)
    expect(customer.locator(".talk")).to_contain_text("Please reload")
    customer.get_by_role("button", name="Open it again").click()
    expect(customer.locator(".p-hero")).to_contain_text("Being worked on")
    customer.get_by_role("button", name="It is solved, close it").click()
    expect(customer.locator(".p-hero")).to_contain_text("Closed")
    customer.get_by_label("5, very content").check()
    customer.get_by_role("button", name="Tell us").click()
    expect(customer.locator("#p-rate")).to_have_text("You gave 5 of 5")
    agent.reload()
    expect(agent.locator(".facts div", has_text="Rating")).to_contain_text("5 of 5")
