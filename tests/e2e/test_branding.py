"""An owner gives the workspace its colours and its mark; everybody sees them, and they can be taken away again."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e
ACCENT = "getComputedStyle(document.documentElement).getPropertyValue('--accent')"


def picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "PNG")
    return out.getvalue()


def save(page):
    page.get_by_role("button", name="Save").first.click()


def test_an_accent_and_a_logo_reach_the_staff_the_portal_and_the_sign_in_and_go_again(visit):
    seen = visit("owner", "/settings/")
    page = seen.page
    colour = page.get_by_role("textbox", name="Accent colour")
    colour.fill("green")
    save(page)
    expect(page.locator("#id_accent_error")).to_contain_text("# and six digits")
    expect(colour).to_have_value("green")
    colour.fill("#FFD400")
    page.get_by_label("Logo").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": picture()})
    save(page)
    expect(page.locator(".toasts")).to_contain_text("Saved.")
    expect(page.get_by_role("img", name="The accent's shades, light above dark")).to_be_visible()
    assert seen.axe() == []

    for who, path in (("csm", "/day/"), ("portal", "/portal/"), ("", "/auth/login/")):
        other = visit(who, path)
        expect(other.page.locator("img[src^='/brand/']").first).to_have_js_property("naturalWidth", 64)
        assert "FFD400" in other.page.evaluate(ACCENT).upper()
        # Yellow is darkened on white until it reads.
        assert other.axe(["color-contrast"]) == []
        other.look(1440, "dark")
        assert other.axe(["color-contrast"]) == []

    colour.fill("")
    page.get_by_label("Take the logo away").check()
    save(page)
    expect(page.locator(".toasts")).to_contain_text("Saved.")
    expect(page.locator("img[src^='/brand/']")).to_have_count(0)
    assert [problem for problem in seen.problems if "422" not in problem] == []
