"""The methodology through the door: readable, silent where its text is silent, editable and upgradable."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from accounts.choices import Role
from accounts.models import Tier
from packs import files
from packs.actions import edit_value, install_pack
from packs.models import PackItem, TenantEdit
from packs.sections import SECTIONS
from tests.factories import AT, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def desk(client, admin):
    client.force_login(admin)
    return client


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("key", files.PACK_KEYS)
def test_every_section_of_every_pack_can_be_read(desk, key):
    install_pack(key, actor=None, at=AT)
    definition = files.load(key)
    overview = text(desk.get(f"/methodology/{key}/"))
    assert escape(definition["pack"]["name"]) in overview
    for section in SECTIONS:
        response = desk.get(f"/methodology/{key}/{section.key}/")
        assert response.status_code == 200
        count = PackItem.objects.filter(install__key=key, section=section.key).count()
        assert f'data-items="{count}"' in text(response)
        assert "None</" not in text(response)
        if section.key in definition["silent_on"]:
            assert "Not part of this methodology" in text(response)


def test_the_first_page_is_the_first_pack_and_offers_the_others(desk):
    assert "No methodology is installed" in text(desk.get("/methodology/"))
    install_pack("mna", actor=None, at=AT)
    body = text(desk.get("/methodology/"))
    assert "<h1>" + escape(files.load("mna")["pack"]["name"]) in body
    for key in files.PACK_KEYS:
        assert f'href="/methodology/install/{key}/"' in body


def test_a_default_of_ours_is_named_as_ours(desk):
    install_pack("fmea", actor=None, at=AT)
    body = text(desk.get("/methodology/fmea/lifecycle_stages/"))
    assert "Default set by Tenure – change it" in body
    assert "our default, AMB-12" in text(desk.get("/methodology/fmea/calendars/"))


def test_conditions_and_durations_are_read_in_words(desk):
    install_pack("fmea", actor=None, at=AT)
    assert "under 50 % over 30 days" in text(desk.get("/methodology/fmea/triggers/"))
    assert "within 8 business hours" in text(desk.get("/methodology/fmea/sla_policies/"))


def test_comparing_shows_what_would_change_and_installing_changes_it(desk):
    body = text(desk.get("/methodology/install/fleet/"))
    assert "Scorecards" in body
    assert PackItem.objects.count() == 0
    assert desk.post("/methodology/install/fleet/")["Location"] == "/methodology/fleet/"
    assert PackItem.objects.filter(install__key="fleet").count() > 100
    assert "Nothing would change" in text(desk.get("/methodology/install/fleet/"))
    assert desk.get("/methodology/install/acme/").status_code == 404


def test_a_tenants_value_is_set_shown_and_taken_back(desk, admin):
    install_pack("mna", actor=None, at=AT)
    item = PackItem.objects.get(section="tiers", key="fortune-500")
    form = {
        "name": "Fortune 500",
        "success_model": "x",
        "accounts_per_csm.min": "0",
        "accounts_per_csm.max": "4",
        "accounts_per_tam.min": "5",
        "accounts_per_tam.max": "7",
    }
    assert desk.post(f"/methodology/items/{item.pk}/", form).status_code == 302
    assert Tier.objects.get(key="fortune-500").capacity["csm"] == {"min": 0, "max": 4}
    body = text(desk.get("/methodology/mna/tiers/"))
    assert "Set here" in body
    assert "Accounts per CSM, at most" in body
    desk.post(f"/methodology/items/{item.pk}/reset/", {"path": "accounts_per_csm.max"})
    assert Tier.objects.get(key="fortune-500").capacity["csm"] == {"min": 0, "max": 3}
    assert set(TenantEdit.objects.values_list("path", flat=True)) == {"success_model"}


def test_a_value_that_does_not_fit_comes_back_with_its_reason(desk):
    install_pack("mna", actor=None, at=AT)
    item = PackItem.objects.get(section="tiers", key="fortune-500")
    form = {"name": "F", "accounts_per_csm.min": "9", "accounts_per_csm.max": "4"}
    response = desk.post(f"/methodology/items/{item.pk}/", form)
    assert response.status_code == 422
    assert "The lower figure is above the upper one." in text(response)
    assert not TenantEdit.objects.exists()


def test_readers_read_and_do_not_edit(client):
    install_pack("mna", actor=None, at=AT)
    client.force_login(UserFactory())
    item = PackItem.objects.filter(section="tiers").first()
    assert client.get("/methodology/mna/tiers/").status_code == 200
    assert client.get(f"/methodology/items/{item.pk}/").status_code == 403
    assert client.post("/methodology/install/fleet/").status_code == 403
    assert client.get("/methodology/nothing/").status_code == 404
    assert client.get("/methodology/mna/nothing/").status_code == 404


def test_a_section_takes_the_same_queries_however_many_items_it_has(desk):
    install_pack("fmea", actor=None, at=AT)
    counts = []
    desk.get("/methodology/")
    for section in ("meetings", "principles", "kpis"):  # 1, 5 and 28 items
        with CaptureQueriesContext(connection) as queries:
            desk.get(f"/methodology/fmea/{section}/")
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_a_calendar_can_be_tried_with_the_answers_of_the_engine(desk):
    install_pack("fleet", actor=None, at=AT)
    form = {"calendar": "bh-8-18-et", "start": "2026-11-24T17:00", "minutes": "120", "end": "2026-11-25T09:00"}
    body = text(desk.post("/methodology/calendars/", form))
    assert 'datetime="2026-11-25T09:00:00-05:00"' in body
    assert ">120 minutes<" in body
    form = {"definition": '{"timezone": "Nowhere"}', "start": "2026-11-24T17:00", "minutes": "1"}
    response = desk.post("/methodology/calendars/", form)
    assert response.status_code == 422
    assert "is not a time zone" in text(response)


def test_an_upgrade_keeps_the_tenants_value(admin):
    install_pack("fmea", actor=None, at=AT)
    item = PackItem.objects.get(section="tiers", key="enterprise")
    edit_value(item, "accounts_per_csm.max", 2, actor=admin, at=AT)
    assert Tier.objects.get(key="enterprise").capacity == {"csm": {"min": 1, "max": 2}}
