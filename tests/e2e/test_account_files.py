"""Files, key facts and the news of an account as they are used: keyboard, phone, undo."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e
PLAN = {"name": "kickoff.txt", "mimeType": "text/plain", "buffer": b"Agenda"}


def test_a_file_is_added_downloaded_deleted_and_brought_back_with_the_keyboard(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Beacon Logistics']}/files/")
    page = seen.page
    page.locator("#upload summary").focus()
    press(page, "Enter")
    page.get_by_label("File", exact=True).set_input_files(PLAN)
    page.get_by_label("Title").fill("Kickoff")
    page.get_by_label("Tags").fill("agenda")
    assert seen.axe() == []
    page.get_by_label("Tags").press("Enter")
    expect(page.get_by_role("table", name=re.compile("^Files of"))).to_contain_text("Kickoff")
    with page.expect_download() as given:
        page.get_by_role("link", name="Download Kickoff").press("Enter")
    assert given.value.suggested_filename == "kickoff.txt"
    page.get_by_role("link", name="Kickoff", exact=True).press("Enter")
    expect(page.get_by_role("table", name="Versions, newest first")).to_contain_text("kickoff.txt")
    page.get_by_role("button", name="Delete").press("Enter")
    undo = page.locator(".toasts").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    undo.press("Enter")
    expect(page.get_by_role("link", name="Kickoff", exact=True)).to_be_visible()
    assert seen.problems == []


def test_on_a_phone_a_file_is_added_and_a_bad_one_told(visit, world):
    address = f"/accounts/{world.accounts['Cinder Lines']}/files/"
    seen = visit("vp", address, width=360, height=780, has_touch=True)
    page = seen.page
    page.locator("#upload summary").tap()
    page.get_by_label("File", exact=True).set_input_files(PLAN)
    assert (seen.axe(), seen.overflow()) == ([], [])
    page.get_by_role("button", name="Add the file").tap()
    expect(page.get_by_role("link", name="kickoff.txt", exact=True)).to_be_visible()
    assert (seen.overflow(), seen.problems) == ([], [])
    page.locator("#upload summary").tap()
    page.get_by_label("File", exact=True).set_input_files({**PLAN, "name": "page.html", "mimeType": "text/html"})
    page.get_by_role("button", name="Add the file").tap()
    expect(page.locator("#id_files_error")).to_contain_text("attach one of")


def test_a_key_fact_is_edited_in_place_with_the_keyboard_and_taken_back(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Ember Haulage']}/")
    page = seen.page
    fact = page.locator("#facts").get_by_role("link", name=re.compile("^Edit segment"))
    was = fact.inner_text().split(":")[-1].strip()
    fact.focus()
    press(page, "Enter")
    field = page.get_by_label("Segment of Ember Haulage")
    expect(field).to_be_focused()
    assert seen.axe() == []
    press(page, "Escape")
    expect(fact).to_be_focused()
    press(page, "Enter")
    # The form takes the focus once its script is bound; before, Enter would load the page anew.
    expect(field).to_be_focused()
    field.fill("Long haul")
    press(page, "Enter")
    expect(fact).to_contain_text("Long haul")
    expect(fact).to_be_focused()
    expect(page.locator("#acct-meta")).to_contain_text("Long haul")
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(fact).to_contain_text(was)
    assert seen.problems == []


def test_what_changed_since_the_last_look_is_shown_once_and_marked_as_seen(visit, world, address):
    path = f"/accounts/{world.accounts['Fjord Transport']}/"
    first = visit("reader", path)
    expect(first.page.locator("#since")).to_have_count(1)
    first.page.goto(address(f"{path}since/"))
    first.page.get_by_role("button", name="Mark as seen").click()
    expect(first.page.locator("#since")).to_contain_text("Nothing changed since you last looked")
    other = visit("vp", f"{path}timeline/log/?kind=note")
    other.page.get_by_label("What happened").fill("Something new")
    other.page.get_by_role("button", name="Log it").click()
    expect(other.page).to_have_url(re.compile("/timeline/$"))
    again = visit("reader", path)
    news = again.page.locator("#since")
    expect(news).to_contain_text("Something new")
    assert (again.axe(), again.overflow()) == ([], [])
    news.get_by_role("button", name="Mark as seen").press("Enter")
    expect(news).to_contain_text("Nothing changed since you last looked")
    expect(news.locator("p")).to_be_focused()
    assert again.problems == []
