"""The generic methodology's catalogue of systems, and that the ways to them work here."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core import mail
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Account
from engagement.actions import notify
from engagement.delivery import deliver_due
from packs.actions import install_pack
from tests.api.conftest import Api, token_for
from tests.factories import AT, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return UserFactory(role=Role.OWNER)


@pytest.fixture
def catalogue(client, owner):
    """Names of the systems on the page, by kind."""
    install_pack("generic", actor=None, at=AT)
    client.force_login(owner)
    html = client.get("/methodology/generic/integrations/").content.decode()
    found: dict[str, list[str]] = {}
    for part in html.split('<section class="card"')[1:]:
        name = unescape(re.search(r"<h2[^>]*>(.*?)</h2>", part).group(1))
        kind = re.search(r"<dt>Kind</dt><dd>(.*?)</dd>", part).group(1)
        found.setdefault(kind, []).append(name)
    return found


@pytest.mark.requirement("CS-9.1")
def test_customer_success_platforms_are_named_and_their_accounts_come_by_csv_and_api(catalogue, client, owner):
    assert catalogue["CS"] == ["Gainsight", "ChurnZero", "Totango", "Planhat"]
    assert client.get("/imports/new/").status_code == 200
    answer = Api(client, token_for(owner)).post(
        "accounts/bulk/", {"source": "gainsight", "accounts": [{"external_id": "G-1", "name": "Halden"}]}
    )
    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    assert Account.objects.get().name == "Halden"


@pytest.mark.requirement("CS-9.2")
def test_ways_to_communicate_are_named_and_mail_works(catalogue, owner):
    assert [*catalogue["communication"], *catalogue["support"]] == [
        "Intercom", "Slack Connect", "Email automation", "Zendesk",
    ]  # fmt: skip
    notify([owner], kind="health_band", title="Halden fell", at=AT, dedupe_key="x")
    assert deliver_due(now=AT)["sent"] == 1
    assert (mail.outbox[0].to, mail.outbox[0].subject) == ([owner.email], "Halden fell")


@pytest.mark.requirement("CS-9.3")
def test_analytics_are_named_and_their_events_can_be_posted(catalogue, client, owner):
    assert catalogue["analytics"] == ["Amplitude", "Mixpanel", "Heap"]
    event = {"id": "e1", "account": "A-1", "user": "u1", "event": "login", "at": timezone.now().isoformat()}
    answer = Api(client, token_for(owner)).post("usage/events/", {"source": "heap", "events": [event]})
    assert (answer.status_code, answer.json()["received"], answer.json()["rejected"]) == (202, 1, [])
