"""The week's digest as its reader meets it: seen beforehand, switched off and on, got, and followed to the book."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Workspace
from health.actions.digest import next_digest_at, send_digests
from health.models import DigestWeek
from tenants.models import Tenant

pytestmark = pytest.mark.e2e


def test_it_is_seen_beforehand_switched_off_and_on_got_and_followed(visit, address):
    seen = visit("csm", "/notifications/preferences/")
    page = seen.page
    mail = page.get_by_role("checkbox", name=re.compile("^My week.*by mail"))
    mail.uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="How it would read today").click()
    expect(page.locator(".pagehead")).to_contain_text("Comes in the app on")
    title = page.locator("#h-digest").inner_text()
    assert title.startswith("Your week: ARR at risk in your book")
    expect(page.locator("main")).to_contain_text(re.compile(r"ARR: \$\d"))
    page.get_by_role("link", name="Notification settings").click()
    mail.check()
    page.get_by_role("button", name="Save", exact=True).click()

    # What the clock does on Monday morning.
    with tenant_context(Tenant.objects.get(slug="acme")):
        assert send_digests(at=next_digest_at(Workspace.objects.get(), timezone.now()) + timedelta(minutes=5)) >= 2
        DigestWeek.objects.all().delete()

    page.goto(address("/notifications/?kind=weekly_digest"))
    page.get_by_role("button", name=re.compile("^Open and mark read: Your week")).click()
    expect(page).to_have_url(re.compile(r"/portfolio/\?owner=me$"))
    expect(page.locator("select[name=owner] option:checked")).to_have_text("Me")
    assert seen.problems == []
