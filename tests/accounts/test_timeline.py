"""The Timeline tab: everything in one stream, narrowed by kind, person and period, with its way to the source."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.actions import create_contact, create_contract, log_touch, update_contact
from accounts.actions.contracts import update_contract
from accounts.choices import Role
from accounts.models import Activity
from playbooks.actions import open_cta
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp(client):
    user = UserFactory(role=Role.VP_CS, name="Vera Paulsen")
    client.force_login(user)
    return user


@pytest.fixture
def account(vp):
    return AccountFactory(owner=vp)


def titles(client, account, query=""):
    page = client.get(f"/accounts/{account.pk}/timeline/?{query}")
    return [entry["title"] for _day, entries in page.context["days"] for entry in entries]


def test_contracts_people_and_ctas_tell_of_themselves_and_lead_to_their_source(client, vp, account):
    now = timezone.now()
    person = create_contact(account, actor=vp, at=now, name="Ilse", stakeholder_role="end_user")
    update_contact(person, actor=vp, at=now, stakeholder_role="champion")
    update_contact(person, actor=vp, at=now, phone="1")
    lines = [{"product": "Fleet", "seats": 4, "arr": Decimal(900)}]
    contract = create_contract(
        account, actor=vp, at=now, number="K-1", start_on=now.date(), currency="USD", lines=lines
    )
    update_contract(contract, actor=vp, at=now, end_on=now.date())
    cta = open_cta(account, title="Win back", kind="risk", priority="high", reason="", evidence={}, at=now)

    page = client.get(f"/accounts/{account.pk}/timeline/").content.decode()

    told = {
        "Ilse was added": "people/",
        "Ilse has another role": "people/",
        "Contract K-1 was added": "contracts/",
        "Contract K-1 was changed": "contracts/",
    }
    for title, where in told.items():
        assert f'<a href="/accounts/{account.pk}/{where}">{title}</a>' in page
    assert f'<a href="/ctas/{cta.pk}/">' in page
    assert "End user → Champion" in page
    assert Activity.objects.filter(kind="people").count() == 2


def test_a_source_that_is_nothing_of_ours_is_no_link(client, account):
    Activity.objects.create(account=account, kind="cta", title="Odd", at=timezone.now(), data={"cta": "../../x"})
    page = client.get(f"/accounts/{account.pk}/timeline/").content.decode()
    assert "Odd" in page
    assert "../../x" not in page


def test_person_and_period_narrow_the_page_and_the_file_alike(client, vp, account):
    now = timezone.now()
    for title, days, names in (("Old", 40, ["Pieter Vos"]), ("Mid", 20, ["Ilse Boer"]), ("New", 1, ["Pieter Vos"])):
        log_touch(
            account, kind="call", title=title, actor=vp, at=now, happened_at=now - timedelta(days=days), attendees=names
        )
    Activity.objects.create(account=account, kind="release", title="Shipped", at=now)
    day = (timezone.localdate() - timedelta(days=30)).isoformat()

    assert titles(client, account) == ["Shipped", "New", "Mid", "Old"]
    assert titles(client, account, "person=vos") == ["New", "Old"]
    assert titles(client, account, "person=vera") == ["New", "Mid", "Old"]
    assert titles(client, account, f"since={day}&person=pieter") == ["New"]
    assert titles(client, account, f"until={day}") == ["Old"]
    rows = client.get(f"/accounts/{account.pk}/timeline/export.csv?since={day}&person=pieter").content.decode()
    assert [row.split(",")[2] for row in rows.splitlines()] == ["title", "New"]


def test_the_first_and_the_last_day_both_count(client, account):
    noon = timezone.localtime().replace(hour=12)
    Activity.objects.create(account=account, kind="note", title="Today", at=noon)
    day = noon.date().isoformat()
    assert titles(client, account, f"since={day}&until={day}") == ["Today"]


@pytest.mark.parametrize("query", ["since=junk", "until=2026-02-30", "since=2026-02-02&until=2026-02-01"])
def test_days_that_make_no_period_are_told_and_nothing_is_lost(client, account, query):
    page = client.get(f"/accounts/{account.pk}/timeline/?{query}&person=ilse")
    assert page.status_code == 422
    assert 'value="ilse"' in page.content.decode()
    assert "-error" in page.content.decode()


def test_what_a_person_logged_is_marked_internal_or_shared(client, vp, account):
    for title, visibility in (("Ours", "internal"), ("Theirs", "shared")):
        log_touch(account, kind="note", title=title, actor=vp, at=timezone.now(), visibility=visibility)
    page = client.get(f"/accounts/{account.pk}/timeline/").content.decode()
    entries = {title: page.split(title)[1].split("</li>")[0] for title in ("Ours", "Theirs")}
    assert "Internal" in entries["Ours"]
    assert "Shared" in entries["Theirs"]
