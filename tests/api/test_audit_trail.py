"""Every create, change and delete leaves an entry that says who did it and when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actions import create_contact, create_contract
from accounts.audit import verify_chain
from accounts.models import AuditEntry, LifecycleStage
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(db):
    at = timezone.now()
    account = AccountFactory(name="Northwind")
    contact = create_contact(account, actor=None, at=at, name="Ada")
    contract = create_contract(account, actor=None, at=at, start_on=at.date())
    return {"account": account.pk, "contact": contact.pk, "contract": contract.pk}


BULK = {"external_id": "9", "account": "{account}"}
WRITES = [
    ("POST", "accounts/", {"name": "New"}, "account.created"),
    ("PATCH", "accounts/{account}/", {"name": "Newer"}, "account.updated"),
    ("POST", "accounts/{account}/external-ids/", {"source": "crm", "external_id": "1"}, "account.named"),
    ("POST", "accounts/bulk/", {"accounts": [{"external_id": "9", "name": "Nine"}]}, "account.created"),
    ("PUT", "accounts/by-external-id/crm/7/", {"name": "Seven"}, "account.created"),
    ("DELETE", "accounts/{account}/", None, "account.archived"),
    ("POST", "contacts/", {"account": "{account}", "name": "Bob"}, "contact.created"),
    ("PATCH", "contacts/{contact}/", {"title": "CFO"}, "contact.updated"),
    ("DELETE", "contacts/{contact}/", None, "contact.deleted"),
    ("POST", "contacts/bulk/", {"contacts": [{**BULK, "name": "Cy"}]}, "contact.created"),
    ("POST", "contracts/", {"account": "{account}", "start_on": "2026-01-01"}, "contract.created"),
    ("PATCH", "contracts/{contract}/", {"number": "C-1"}, "contract.updated"),
    ("DELETE", "contracts/{contract}/", None, "contract.deleted"),
    ("POST", "contracts/bulk/", {"contracts": [{**BULK, "start_on": "2026-01-01"}]}, "contract.created"),
    ("POST", "activities/", {"account": "{account}", "kind": "note", "title": "Hm"}, "activity.logged"),
]  # fmt: skip


def filled(value, record):
    if isinstance(value, dict):
        return {name: filled(item, record) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, record) for item in value]
    return value.format(**record) if isinstance(value, str) and value.startswith("{") else value


@pytest.mark.requirement("MNA-3.10")
@pytest.mark.parametrize(("method", "path", "body", "action"), WRITES, ids=[f"{w[0]} {w[1]}" for w in WRITES])
def test_every_write_is_in_the_log(api, owner, record, method, path, body, action):
    before, began = AuditEntry.objects.count(), timezone.now()
    response = api(method, path.format(**record), filled(body, record))
    assert response.status_code < 300
    written = list(AuditEntry.objects.order_by("pk")[before:])
    assert [entry.action for entry in written] == [action]
    assert (written[0].actor, written[0].actor_label) == (owner, owner.email)
    assert began <= written[0].at <= timezone.now() + timedelta(seconds=1)
    assert verify_chain().intact


@pytest.mark.requirement("MNA-3.10")
@pytest.mark.parametrize(("method", "path", "body", "action"), WRITES, ids=[f"{w[0]} {w[1]}" for w in WRITES])
def test_a_refused_write_is_not(csm_api, record, method, path, body, action):
    before = AuditEntry.objects.count()
    response = csm_api(method, path.format(**record), {"nonsense": 1} if body else None)
    assert response.status_code >= 400
    assert AuditEntry.objects.count() == before


@pytest.mark.requirement("BIS-1.2")
def test_an_account_moves_through_the_journey_and_expands_again(api, record):
    keys = ["awareness", "consideration", "purchase", "onboarding", "adoption", "advocacy"]
    for position, key in enumerate(keys):
        LifecycleStage.objects.create(key=key, name=key.title(), position=position, pack="bis")
    path = f"accounts/{record['account']}/"
    journey = [*keys, "adoption", "advocacy", "adoption", "advocacy"]
    assert [api.patch(path, {"stage": key}).json()["stage"] for key in journey] == journey
    assert api.patch(path, {"stage": "nirvana"}).status_code == 422
    moves = AuditEntry.objects.filter(action="account.updated", account_id=record["account"])
    assert moves.count() == len(journey)
