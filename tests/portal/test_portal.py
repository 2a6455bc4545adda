"""What the customer's people see: their account, their team, what was shared; nothing internal, nobody else's."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Activity, Contact, Contract, TeamMember, TeamRole
from tests.factories import AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db
INTERNAL = ("SECRET-NOTE", "SECRET-CTA", "SECRET-CONTRACT", "SECRET-CONTACT", "412,345", "412k", "SECRET-OTHER")


@pytest.fixture
def customer(client):
    owner = UserFactory(role=Role.CSM, name="Mara Lind", title="Your customer success manager", email="mara@acme.test")
    account = AccountFactory(name="Halden Logistics", owner=owner, arr=412345, segment="SECRET-OTHER")
    trainer = UserFactory(role=Role.TRAINER, name="Wen Zhao")
    TeamMember.objects.create(
        account=account, user=trainer, role=TeamRole.objects.create(key="trainer", name="Trainer", side="vendor")
    )
    for title, visibility in (("Roll-out plan agreed", "shared"), ("SECRET-NOTE", "internal")):
        Activity.objects.create(
            account=account, kind="note", title=title, visibility=visibility, at=timezone.now(), actor=owner
        )
    CtaFactory(account=account, title="SECRET-CTA")
    Contract.objects.create(account=account, number="SECRET-CONTRACT", start_on="2026-01-01", arr=412345)
    Contact.objects.create(account=account, name="SECRET-CONTACT")
    other = AccountFactory(name="SECRET-OTHER")
    Activity.objects.create(account=other, kind="note", title="SECRET-OTHER", visibility="shared", at=timezone.now())
    person = UserFactory(role=Role.PORTAL_USER, name="Sanne Bakker")
    person.portal_accounts.add(account)
    client.force_login(person)
    return account


def test_the_customer_sees_their_team_and_what_was_shared(client, customer):
    page = client.get("/portal/").content.decode()
    for text in ("Halden Logistics", "Mara Lind", "mara@acme.test", "Wen Zhao", "Trainer", "Roll-out plan agreed"):
        assert text in page


def test_nothing_internal_and_nobody_else_s_is_in_the_answer(client, customer):
    page = client.get("/portal/").content.decode()
    assert [word for word in INTERNAL if word in page] == []


@pytest.mark.parametrize("path", ["/accounts/", "/portfolio/", "/search/?q=hal", "/audit/", "/ctas/", "/methodology/"])
def test_the_vendor_s_pages_are_closed_to_customers(client, customer, path):
    assert client.get(path).status_code == 403


def test_another_customer_s_page_is_not_found(client, customer):
    other = AccountFactory()
    assert client.get(f"/portal/{other.pk}/").status_code == 404
    assert client.get(f"/portal/{customer.pk}/").status_code == 200


def test_a_login_without_a_company_is_told_so(client):
    client.force_login(UserFactory(role=Role.PORTAL_USER))
    assert "No company is linked" in client.get("/portal/").content.decode()


def test_staff_do_not_enter_the_portal(client):
    client.force_login(UserFactory(role=Role.OWNER))
    assert client.get("/portal/").status_code == 403


SHARED = """/people/profile/ /notifications/ /notifications/preferences/ /auth/sessions/ /auth/2fa/
    /auth/password/change/""".split()


@pytest.mark.parametrize("path", SHARED)
def test_what_customers_share_with_colleagues_stands_in_each_one_s_frame(client, customer, path):
    page = client.get(path)
    assert page.status_code == 200
    text = page.content.decode()
    assert ('<body class="portal"' in text, '<nav class="side"' in text, "Overview</a>" in text) == (True, False, True)
    marked = text[text.index('aria-label="Portal"') :].partition("</nav>")[0].count("aria-current")
    assert marked == (1 if path == "/people/profile/" else 0)
    client.force_login(UserFactory(role=Role.CSM))
    text = client.get(path).content.decode()
    assert ('<body class="portal"' in text, '<nav class="side"' in text) == (False, True)
