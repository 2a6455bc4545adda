"""Every dialog, menu and panel: reached and left with the keyboard, accessible in light and dark, whole on a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.e2e.conftest import press
from tests.e2e.test_pages import ACCOUNT, path_of

pytestmark = pytest.mark.e2e
INSIDE = "e => e.contains(document.activeElement) && document.activeElement !== e.querySelector(':scope > summary')"

KEPT = "e => e.contains(document.activeElement) || document.activeElement === document.body"


@dataclass(frozen=True)
class Layer:
    """Who opens it where, with which control, and what opens. ``modal`` keeps the focus until it is closed; what holds
    nothing but text leaves it with the control.
    """

    who: str
    path: str
    opener: str
    layer: str
    modal: bool = False
    text_only: bool = False


def _verb(name: str) -> Layer:
    return Layer("csm", "/day/", f"[data-item][id^=cta-] >> role=link[name=/^{name}/] >> nth=0", "#panel", modal=True)


def _panel(opener: str, path: str = "/accounts/") -> Layer:
    return Layer("vp", path, opener, f"details:has(> {opener})")


LAYERS = {
    "palette": Layer("vp", "/accounts/", ".searchbtn", "#palette", modal=True),
    "menu of the account": Layer("vp", "/accounts/", ".side-foot [popovertarget=me]", "#me"),
    "menu of the portal": Layer("portal", "/portal/", "[popovertarget=me]", "#me"),
    "my day, close": _verb("Close"),
    "my day, snooze": _verb("Snooze"),
    "my day, hand over": _verb("Hand over"),
    "my day, log": _verb("Log"),
    "my day, keys": Layer("csm", "/day/", "[data-open='#keys']", "#keys", modal=True),
    "ticket, keys": Layer("vp", "/tickets/{ticket}/", "[data-open='#keys']", "#keys", modal=True),
    "what a figure is": Layer("vp", "/portfolio/", "[popovertarget=k-arr]", "#k-arr", text_only=True),
    "account, time machine": _panel("summary#time-machine", f"{ACCOUNT}/"),
    "accounts, filter": _panel("summary#add-filter"),
    "accounts, sort": _panel("summary:has-text('Sort')"),
    "accounts, columns": _panel("summary#choose-columns"),
    "accounts, download": _panel("summary[aria-label=Download]"),
    "accounts, save a view": _panel("summary:has-text('Save as new')", "/accounts/?band=red"),
    "accounts, a view": _panel("summary:has-text('View')", "/accounts/?view={shared view}&band=red%2Corange"),
}


def test_the_menu_of_all_pages_opens_on_a_phone(visit):
    seen = visit("vp", "/accounts/", width=390, height=844)
    menu = seen.page.locator("#me")
    seen.page.locator(".topbar [popovertarget=me]").click()
    expect(menu).to_be_visible()
    assert (seen.axe(), seen.overflow()) == ([], [])
    menu.get_by_role("link", name="Portfolio").click()
    expect(seen.page.locator("h1")).to_have_text("Portfolio")


def test_every_layer_of_the_templates_is_in_the_list():
    text = "".join(path.read_text() for path in sorted(Path(settings.BASE_DIR, "templates").rglob("*.html")))
    dialogs = set(re.findall(r'<dialog[^>]* id="([a-z]+)"', text))
    popovers = set(re.findall(r'popover id="([a-z]+)', text))
    listed = {one.layer[1:].split("-")[0] for one in LAYERS.values() if one.layer.startswith("#")}
    assert dialogs | popovers == listed
    assert text.count("data-pop>") + text.count("data-pop{%") == sum(
        one.layer.startswith("details") for one in LAYERS.values()
    )


def _expect_open(locator, *, is_open=True):
    """A ``details`` is always there and says by itself whether it is open."""
    if locator.evaluate("e => e.matches('details')"):
        expect(locator).to_have_js_property("open", is_open)
    else:
        expect(locator).to_be_visible(visible=is_open)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_takes_the_focus_gives_it_back_and_is_accessible(visit, world, name):
    one = LAYERS[name]
    seen = visit(one.who, path_of(one.path, world))
    page = seen.page
    opener, layer = page.locator(one.opener).first, page.locator(one.layer).first
    opener.focus()
    press(page, "Enter")
    _expect_open(layer)
    handle = layer.element_handle()
    if not one.modal and not one.text_only:
        press(page, "Tab")
    if not one.text_only:
        page.wait_for_function(INSIDE, arg=handle)

    found = {"light": seen.axe()}
    if one.modal:
        for key in ["Tab"] * 14 + ["Shift+Tab"] * 4:
            press(page, key)
            # Between the last control and the first the browser's own bar has the focus; the page behind never.
            assert layer.evaluate(KEPT), key
        layer.locator("a, button, input, select, textarea").locator("visible=true").first.focus()
    seen.look(1440, "dark")
    found["dark"] = seen.axe(["color-contrast"])
    seen.look(320, "light")
    found["narrow"] = seen.overflow()
    body = layer.locator(".pop-body") if layer.locator(".pop-body").count() else layer
    box = body.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert found == {"light": [], "dark": [], "narrow": []}

    seen.look(1440, "light")
    _expect_open(layer)
    press(page, "Escape")
    _expect_open(layer, is_open=False)
    expect(opener).to_be_focused()
    assert seen.problems == []
