"""Saved views of the accounts list: whose they are, what they keep, how the list opens with one."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection

from accounts.actions import change_view, choose_default, delete_view, save_view
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import AuditEntry, SavedView
from accounts.queries.saved_views import default_view, views_of
from tests.database import wipe
from tests.factories import AccountFactory, UserFactory
from tests.health.listed import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return UserFactory(role=Role.CSM)


@pytest.fixture
def bob():
    return UserFactory(role=Role.CSM)


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


def save(actor, name="Mine", query="band=red", **more):
    return save_view(page="accounts", name=name, query=query, actor=actor, at=NOW, **more)


@pytest.mark.django_db(transaction=True)
def test_what_a_workspace_begins_with_outlives_a_test_that_commits(ann, tenants):
    save(ann)
    wipe([connection.schema_name])
    connection.set_tenant(tenants["acme"])
    begun = SavedView.objects.order_by("name").values_list("name", flat=True)
    assert list(begun) == ["At risk", "My book", "No touch for 30 days", "Renewing in 90 days"]


class TestRules:
    def test_a_private_view_is_ones_own_and_a_shared_one_everybodys(self, ann, bob):
        save(ann)
        save(ann, name="Ours", is_shared=True)
        seen = {view.name for view in views_of("accounts", bob)}
        assert "Ours" in seen
        assert "Mine" not in seen

    def test_only_its_owner_and_leaders_change_a_shared_view(self, ann, bob, vp):
        view = save(ann, is_shared=True)
        with pytest.raises(RuleViolated):
            change_view(view, actor=bob, at=NOW, name="His")
        assert change_view(view, actor=vp, at=NOW, name="Hers").version == 2
        with pytest.raises(RuleViolated):
            delete_view(view, actor=bob, at=NOW)
        delete_view(view, actor=vp, at=NOW)
        noted = AuditEntry.objects.filter(action__startswith="view.").order_by("id")
        assert list(noted.values_list("action", flat=True)) == [
            "view.created",
            "view.changed",
            "view.deleted",
        ]

    def test_a_lost_race_a_taken_name_and_no_name_are_told(self, ann):
        view = save(ann)
        with pytest.raises(StaleVersion):
            change_view(view, actor=ann, at=NOW, expected_version=7, name="New")
        with pytest.raises(RuleViolated, match="of this name"):
            save(ann, name="mine")
        with pytest.raises(RuleViolated, match="needs a name"):
            save(ann, name="  ")

    @pytest.mark.parametrize("spoilt", [{"name": "a\0b"}, {"query": "q=\0"}])
    def test_a_view_holds_no_nul(self, ann, spoilt):
        with pytest.raises(RuleViolated, match="Control characters"):
            save_view(**{"page": "accounts", "name": "Red", "query": "band=red"} | spoilt, actor=ann, at=NOW)

    def test_a_reader_keeps_views_and_shares_none(self):
        reader = UserFactory(role=Role.READ_ONLY)
        assert save(reader).pk
        with pytest.raises(RuleViolated):
            save(reader, name="Ours", is_shared=True)

    def test_a_default_is_ones_own_and_goes_with_the_sharing(self, ann, bob):
        view = save(ann, is_shared=True)
        choose_default(view, page="accounts", actor=bob, at=NOW)
        choose_default(view, page="accounts", actor=ann, at=NOW)
        assert default_view("accounts", bob) == view
        change_view(view, actor=ann, at=NOW, is_shared=False)
        assert (default_view("accounts", bob), default_view("accounts", ann)) == (None, view)
        choose_default(None, page="accounts", actor=ann, at=NOW)
        assert default_view("accounts", ann) is None


class TestPages:
    def test_a_view_is_saved_opened_changed_updated_and_reset(self, client, ann):
        client.force_login(ann)
        AccountFactory(name="Halden", owner=ann)
        opened = client.post("/accounts/views/", {"name": "Halden", "query": "sort=name&q=halden&junk=1"})
        view = SavedView.objects.get(owner=ann)
        assert view.query == "q=halden&sort=name"
        assert opened["Location"] == f"/accounts/?view={view.pk}&q=halden&sort=name"
        page = client.get(opened["Location"]).content.decode()
        assert "Unsaved changes" not in page
        assert page.count(f"view={view.pk}&amp;q=halden&amp;sort=name") >= 2, "as a tab and in the side bar"
        changed = client.get(f"/accounts/?view={view.pk}&q=hal&sort=name").content.decode()
        assert "Unsaved changes" in changed
        assert "Update view" in changed
        assert f'href="/accounts/?view={view.pk}&amp;q=halden&amp;sort=name"' in changed, "the way back"
        client.post(f"/accounts/views/{view.pk}/", {"query": "q=hal&sort=name", "version": 1})
        view.refresh_from_db()
        assert (view.query, view.name, view.version) == ("q=hal&sort=name", "Halden", 2)

    def test_another_order_of_the_same_address_is_no_change(self, client, ann):
        view = save(ann, query="band=red%2Corange&sort=name")
        client.force_login(ann)
        page = client.get(f"/accounts/?sort=name&view={view.pk}&band=orange&band=red&q=").content.decode()
        assert "Unsaved changes" not in page

    def test_the_list_opens_with_the_default_and_with_everything_on_request(self, client, ann):
        view = save(ann)
        client.force_login(ann)
        client.post(f"/accounts/views/{view.pk}/default/", {"default": "1"})
        assert client.get("/accounts/")["Location"] == f"/accounts/?view={view.pk}&band=red"
        assert client.get("/accounts/?view=all").status_code == 200
        client.post(f"/accounts/views/{view.pk}/default/", {"default": "0"})
        assert client.get("/accounts/").status_code == 200

    def test_tabs_count_what_their_views_hold(self, client, vp):
        for at in range(3):
            AccountFactory(name=f"Halden {at}")
        AccountFactory(name="Other")
        save(vp, name="Haldens", query="q=halden")
        cache.clear()
        client.force_login(vp)
        page = client.get("/accounts/").content.decode()
        tabs = page.split('class="tabs"')[1].split("</ul>")[0]
        assert 'Haldens <span class="count">3</span>' in tabs
        assert 'All <span class="count">4</span>' in tabs

    def test_somebody_elses_private_view_does_not_exist(self, client, ann, bob):
        view = save(ann)
        client.force_login(bob)
        for path in ("", "default/", "delete/"):
            assert client.post(f"/accounts/views/{view.pk}/{path}").status_code == 404
        assert "Update view" not in client.get(f"/accounts/?view={view.pk}&band=red").content.decode()

    def test_the_side_bar_holds_ones_own_and_shared_views(self, client, ann, bob):
        save(ann, name="Ours", is_shared=True)
        save(bob, name="His alone")
        client.force_login(ann)
        side = client.get("/accounts/").content.decode().split("</nav>")[0]
        assert "Ours" in side
        assert "His alone" not in side
        assert "At risk" in side, "a new workspace begins with some"
