"""Saved views of the portfolio: what they keep, whom they are shown to, how the page opens with one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actions import save_view
from accounts.choices import Role
from accounts.models import AuditEntry, SavedView
from accounts.navigation import forget
from health.actions.digest import digest_of
from health.book.scope import Scope
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = timezone.localdate()


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


@pytest.fixture
def page(client, vp):
    client.force_login(vp)
    AccountFactory(name="Halden", segment="SMB", arr=100)
    AccountFactory(name="Other", segment="Enterprise", arr=50)
    return lambda address="/portfolio/": client.get(address).content.decode()


def save(actor, name="Small ones", query="segment=SMB&period=90", **more):
    return save_view(page="portfolio", name=name, query=query, actor=actor, at=NOW, **more)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("period=90&junk=1&segment=SMB", "segment=SMB&period=90"),
        ("period=30&split=segment&owner=", ""),
        ("owner=me&tier=x&card=fleet&split=tier", "owner=me&card=fleet&split=tier"),
        (f"on={TODAY}", ""),
        (f"on={TODAY - timedelta(days=3)}", f"on={TODAY - timedelta(days=3)}"),
        (f"since={TODAY - timedelta(days=1)}&period=90", f"since={TODAY - timedelta(days=1)}"),
    ],
)
def test_a_view_keeps_what_means_something_in_one_order(address, kept):
    once = Scope.parse(address, TODAY).canonical()
    assert (once, Scope.parse(once, TODAY).canonical()) == (kept, kept)


def test_it_is_saved_opened_changed_updated_and_deleted(client, page, vp):
    assert "Unsaved changes" in page("/portfolio/?segment=SMB")
    opened = client.post("/portfolio/views/", {"name": "Small ones", "query": "period=90&segment=SMB&junk=1"})
    view = SavedView.objects.get(owner=vp)
    assert (view.page, view.query) == ("portfolio", "segment=SMB&period=90")
    assert opened["Location"] == f"/portfolio/?view={view.pk}&segment=SMB&period=90"
    shown = page(opened["Location"])
    assert "Unsaved changes" not in shown
    assert shown.count(f"view={view.pk}&amp;segment=SMB&amp;period=90") >= 2, "as a tab and in the side bar"
    assert f'name="view" value="{view.pk}"' in shown, "the filters keep it open"
    changed = page(f"/portfolio/?view={view.pk}&segment=SMB&period=365")
    assert ("Unsaved changes" in changed, "Update view" in changed) == (True, True)
    assert f'href="/portfolio/?view={view.pk}&amp;segment=SMB&amp;period=90">Reset' in changed
    client.post(f"/portfolio/views/{view.pk}/", {"query": "segment=SMB&period=365", "version": 1})
    view.refresh_from_db()
    assert (view.query, view.version) == ("segment=SMB&period=365", 2)
    assert client.post(f"/portfolio/views/{view.pk}/delete/")["Location"] == "/portfolio/"
    actions = AuditEntry.objects.filter(action__startswith="view.").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["view.created", "view.changed", "view.deleted"]


def test_a_change_on_top_of_anothers_is_told(client, page, vp):
    view = save(vp)
    answer = client.post(f"/portfolio/views/{view.pk}/", {"query": "segment=SMB", "version": 7}, follow=True)
    assert "Somebody changed this in the meantime" in answer.content.decode()
    view.refresh_from_db()
    assert view.query == "segment=SMB&period=90"


def test_the_page_opens_with_the_default_and_with_everything_on_request(client, page, vp):
    view = save(vp)
    client.post(f"/portfolio/views/{view.pk}/default/", {"default": "1"})
    assert client.get("/portfolio/")["Location"] == f"/portfolio/?view={view.pk}&segment=SMB&period=90"
    assert "All</a>" in page("/portfolio/?view=all")
    assert 'href="/portfolio/?view=all">Reset' in page("/portfolio/?segment=SMB")
    client.post(f"/portfolio/views/{view.pk}/default/", {"default": "0"})
    assert client.get("/portfolio/").status_code == 200


def test_a_private_one_does_not_exist_for_others_and_a_shared_one_is_everybodys(client, page, vp):
    other = UserFactory(role=Role.VP_CS)
    hers, ours = save(other, name="Hers alone"), save(other, name="Ours", is_shared=True)
    shown = page()
    assert ("Hers alone" in shown, "Ours" in shown) == (False, True)
    for path in ("", "default/", "delete/"):
        assert client.post(f"/portfolio/views/{hers.pk}/{path}").status_code == 404
    listed = save_view(page="accounts", name="Reds", query="band=red", actor=vp, at=NOW)
    assert client.post(f"/portfolio/views/{listed.pk}/delete/").status_code == 404, "a view of another page"
    client.post(f"/portfolio/views/{ours.pk}/", {"name": "Everybody's"})
    assert SavedView.objects.get(pk=ours.pk).name == "Everybody's"


def test_who_does_not_see_the_portfolio_is_led_to_no_view_of_it(client, vp):
    save(vp, name="Ours", is_shared=True)
    for role, told in ((Role.CSM, True), (Role.SUPPORT_AGENT, False)):
        person = UserFactory(role=role)
        forget(person)
        client.force_login(person)
        assert ("Ours" in client.get("/accounts/").content.decode()) is told
    assert client.post("/portfolio/views/", {"name": "Mine", "query": ""}).status_code == 403


def test_links_to_the_whole_portfolio_open_no_default_view(client, page, vp):
    view = save(vp)
    client.post(f"/portfolio/views/{view.pk}/default/", {"default": "1"})
    assert client.get("/portfolio/").status_code == 302
    assert 'href="/portfolio/?view=all"' in page("/portfolio/compare/")
    assert 'href="/portfolio/?view=all#h-split"' in page("/portfolio/?split=tier")
    assert digest_of(vp, "USD", TODAY).url == "/portfolio/?view=all"
    assert client.get("/portfolio/?view=all").status_code == 200
