"""What a person does with keyboard and mouse: lists, filters, palette, theme, forms, and all of it without script."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from playbooks.models import Cta
from tenants.models import Tenant
from tests.e2e.conftest import press
from tests.e2e.world import NAMES, SECRET

pytestmark = pytest.mark.e2e


def test_j_k_and_x_move_and_select_and_the_bar_counts(visit):
    page = visit("vp", "/accounts/?sort=name").page
    expect(page.locator(".bulk")).to_be_hidden()
    press(page, "j")
    press(page, "j")
    expect(page.locator("tr[data-cursor] th a")).to_have_text(NAMES[1])
    press(page, "x")
    press(page, "k")
    press(page, "x")
    expect(page.locator(".bulk")).to_be_visible()
    expect(page.locator(".bulk [data-n]")).to_have_text("2")
    page.locator(".bulk [data-clear]").click()
    expect(page.locator("tr[data-cursor] th a")).to_be_focused()
    expect(page.locator(".bulk")).to_be_hidden()
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text(NAMES[0])


def test_shift_click_selects_a_range(visit):
    page = visit("vp", "/accounts/?sort=name").page
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("tbody input:checked")).to_have_count(4)


def test_filters_change_the_results_and_the_address_without_a_reload(visit):
    seen = visit("vp", "/accounts/")
    page = seen.page
    page.evaluate("window.stayed = true")
    page.locator("main input[type=search]").fill("halden")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=halden"))
    page.locator("main input[type=search]").fill("")
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="Health").click()
    page.locator("[name=band][value=green]").check()
    expect(page).to_have_url(re.compile(r"\?band=green$"))
    expect(page.locator(".chip")).to_contain_text("Green")
    assert page.evaluate("window.stayed") is True
    assert seen.problems == []


def test_the_palette_finds_pages_accounts_and_people_and_opens_one(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    press(page, "Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.type("kestrel")
    expect(page.get_by_role("group", name="Accounts")).to_contain_text("Kestrel Energy")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Kestrel Energy")
    press(page, "/")
    page.keyboard.type("audit")
    expect(page.locator("#palette [data-nothing]")).to_have_text("Nothing found for “audit”.")
    expect(page.locator("#palette [role=option]:visible")).to_have_count(0)
    press(page, "Escape")
    expect(page.locator("#palette")).to_be_hidden()
    assert seen.problems == []


def test_ctas_articles_and_colleagues_are_found_and_chosen_with_the_keyboard(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    press(page, "Control+k")
    page.keyboard.type("route")
    articles = page.get_by_role("group", name="Articles")
    expect(articles.get_by_role("option")).to_have_count(1)
    press(page, "ArrowUp")
    expect(page.locator("#f-all")).to_have_attribute("aria-selected", "true")
    press(page, "ArrowUp")
    expect(articles.get_by_role("option")).to_have_attribute("aria-selected", "true")
    press(page, "Enter")
    page.wait_for_url("**/kb/articles/plan-a-route/")
    press(page, "Control+k")
    page.keyboard.type("kestrel")
    expect(page.locator("#f-all")).to_be_visible()
    press(page, "ArrowUp")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Search")
    expect(page.get_by_role("main").get_by_role("link", name="Kestrel Energy").first).to_be_visible()
    assert seen.problems == []


def test_quiet_hours_are_set_by_keyboard_and_kept(visit):
    seen = visit("reader", "/notifications/preferences/")
    page = seen.page
    page.get_by_label("From").fill("22:00")
    page.get_by_label("From").press("Enter")
    expect(page.locator("main [role=alert]")).to_contain_text("Give both times, or neither.")
    assert page.get_by_label("From").input_value() == "22:00"
    page.get_by_label("Until").fill("07:00")
    page.get_by_label("Until").press("Enter")
    expect(page.locator(".toasts")).to_contain_text("Quiet hours: 22:00–07:00.")
    expect(page.get_by_label("Until")).to_have_value("07:00")
    # The refused form answered 422, which the browser notes.
    assert [problem for problem in seen.problems if "422" not in problem] == []


def test_the_theme_is_switched_at_once_and_kept(visit):
    page = visit("vp", "/portfolio/").page
    page.locator(".side-foot button").click()
    page.locator("[data-theme-set=dark]").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).colorScheme || 'dark'")


def test_every_stop_of_the_tab_key_is_visible_and_the_skip_link_comes_first(visit):
    page = visit("vp", "/accounts/").page
    press(page, "Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    press(page, "Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    hidden = page.evaluate(
        """() => [...document.querySelectorAll('main a, main button, main input, main select')].filter(e => {
            if (!e.offsetParent || e.type === 'hidden') return false;
            e.focus();
            e.scrollIntoView({block: 'nearest'});
            const box = e.getBoundingClientRect();
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return document.activeElement === e && top && !e.contains(top) && !top.contains(e) && !top.closest('label');
        }).map(e => e.outerHTML.slice(0, 90))"""
    )
    assert hidden == []


def test_a_chart_tells_its_numbers_on_hover_and_in_a_table(visit):
    page = visit("vp", "/portfolio/").page
    column = page.locator("section:has(#h-bands) .fig .col:visible").last
    column.hover()
    expect(page.locator(".tip")).to_contain_text("Total")
    page.locator("section:has(#h-bands) summary").click()
    expect(page.locator("section:has(#h-bands) details th[scope=row]").first).to_be_visible()


def test_a_form_tells_what_is_wrong_and_moves_the_focus_there(visit):
    page = visit("vp", "/accounts/new/").page
    page.locator("input[name=name]").fill("New One")
    page.locator("input[name=timezone]").fill("Mars/Base")
    page.locator("main form [type=submit]").first.click()
    expect(page.locator("[role=alert]")).to_be_focused()
    expect(page.locator("#id_timezone_error")).to_be_visible()
    assert page.locator("input[name=name]").input_value() == "New One"
    assert page.title().startswith("Error:")


def test_everything_works_without_script(visit, world):
    page = visit("vp", "/accounts/", java_script_enabled=False).page
    page.locator("main input[type=search]").fill("halden")
    page.locator(".filters > .apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody input[type=checkbox]").check()
    expect(page.locator(".bulk")).to_be_visible()
    page.locator("tbody th a").click()
    expect(page.locator("h1")).to_have_text("Halden Logistics")
    page.locator(".tabs").get_by_role("link", name="CTAs").click()
    expect(page.locator(".tabs [aria-current]")).to_contain_text("CTAs")
    page.get_by_role("link", name="Timeline").click()
    page.get_by_role("link", name="Note").click()
    page.locator("input[name=title]").fill("Written without script")
    page.locator("main form [type=submit]").click()
    expect(page.locator(".tl").first).to_contain_text("Written without script")
    page.locator(".searchbtn").click()
    page.locator("main input[type=search]").fill("kestrel")
    page.locator("main form [type=submit]").click()
    expect(page.locator("main")).to_contain_text("Kestrel Energy")


def test_a_cookie_of_one_workspace_opens_nothing_in_another(visit, address):
    seen = visit("vp", "/accounts/")
    seen.page.goto(address("/accounts/", host="globex"))
    assert "/auth/login/" in seen.page.url
    assert SECRET not in seen.page.content()
    assert seen.page.goto(address("/", host="nobody")).status == 404


def test_the_portal_shows_what_was_shared_and_nothing_internal(visit):
    page = visit("portal", "/portal/").page
    expect(page.locator("main")).to_contain_text("Call about the Halden Logistics roll-out")
    assert "INTERNAL-NOTE" not in page.content()


def test_the_sign_up_proposes_the_browsers_own_time_zone(browser, address):
    context = browser.new_context(timezone_id="Europe/Lisbon")
    page = context.new_page()
    page.goto(address("/signup/").replace("acme.", ""))
    expect(page.locator("[name=timezone]")).to_have_value("Europe/Lisbon")
    context.close()


def due_day(title):
    """The day on which the CTA of that title is due: it follows from the weekday of the run."""
    with tenant_context(Tenant.objects.get(slug="acme")):
        return Cta.objects.get(title=title).due_on


def test_the_filters_go_along_from_list_to_board_to_calendar(visit):
    seen = visit("vp", "/ctas/")
    page = seen.page
    page.locator("select[name=kind]").select_option("risk")
    expect(page).to_have_url(re.compile("kind=risk"))
    page.get_by_role("navigation", name="View").get_by_role("link", name="Board").click()
    expect(page).to_have_url(re.compile(r"/ctas/board/\?kind=risk"))
    expect(page.locator("[data-column=high]")).to_contain_text("Usage fell")
    page.get_by_role("navigation", name="View").get_by_role("link", name="Calendar").click()
    expect(page).to_have_url(re.compile(r"/ctas/calendar/\?kind=risk"))
    # Its day may lie in the next month.
    page.goto(f"{page.url}&on={due_day('Usage fell')}")
    expect(page.locator(".cal-day", has_text="Usage fell")).to_have_count(1)
    page.locator("select[name=kind]").select_option("renewal")
    expect(page.locator(".cal-day", has_text="Usage fell")).to_have_count(0)
    assert seen.problems == []


@pytest.mark.parametrize("way", ["drag", "choice"])
def test_a_card_moves_to_another_column_and_back_by_undo(visit, way):
    seen = visit("vp", "/ctas/board/")
    page = seen.page
    card = page.locator("[data-card]", has_text="Usage fell")
    if way == "drag":
        card.drag_to(page.locator("[data-column=low]"), target_position={"x": 40, "y": 14})
    else:
        card.locator("select").focus()
        card.locator("select").select_option("low")
        press(page, "Tab")
        press(page, "Enter")
    expect(page.locator("[data-column=low] [data-card]", has_text="Usage fell")).to_have_count(1)
    page.locator(".toast", has_text="moved").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-column=high] [data-card]", has_text="Usage fell")).to_have_count(1)
    assert seen.problems == []


@pytest.mark.parametrize("way", ["drag", "keys"])
def test_in_the_calendar_a_cta_moves_to_another_day_and_back_by_undo(visit, way):
    due_on = due_day("Usage fell")
    seen = visit("vp", f"/ctas/calendar/?span=week&on={due_on}")
    page = seen.page
    item = page.locator(".cal-day [data-card]", has_text="Usage fell")
    step = 1 if due_on.weekday() < 6 else -1
    before, to = (page.locator(f".cal-day[data-column='{day}']") for day in (due_on, due_on + timedelta(days=step)))
    expect(before).to_contain_text("Usage fell")
    if way == "drag":
        item.drag_to(to, target_position={"x": 40, "y": 14})
    else:
        button = item.get_by_role("button", name="A day later" if step > 0 else "A day earlier")
        button.focus()
        press(page, "Enter")
    expect(to).to_contain_text("Usage fell")
    expect(before).not_to_contain_text("Usage fell")
    page.locator(".toast", has_text="now due").get_by_role("button", name="Undo").click()
    expect(before).to_contain_text("Usage fell")
    assert seen.problems == []


def test_many_get_a_priority_with_the_keyboard_and_take_it_back(visit):
    page = visit("vp", "/ctas/").page
    low = page.locator("tbody tr").filter(has=page.get_by_text("Low", exact=True))
    before = low.count()
    press(page, "j")
    press(page, "x")
    bar = page.locator(".bulk")
    bar.locator("[name=new_priority]").select_option("low")
    bar.get_by_role("button", name="Set").focus()
    press(page, "Enter")
    expect(low).to_have_count(before + 1)
    page.get_by_role("button", name="Undo").click()
    expect(low).to_have_count(before)
