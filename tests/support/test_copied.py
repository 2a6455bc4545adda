"""Who gets every answer along with the requester: seen by the agent, added and taken away."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from engagement.models import OutboxMessage
from support import actions
from tests.factories import AT
from tests.support.mails import arrive, known, trusting, written
from tests.support.world import agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def found():
    trusting()
    known()
    return arrive(written(headers={"Cc": "bo@partner.example"})).ticket


def edit(client, ticket, cc):
    data = {"subject": ticket.subject, "impact": "3", "type": "question", "cc": cc, "requester": ticket.requester_id}
    return client.post(f"/tickets/{ticket.pk}/edit/", data)


def test_an_agent_sees_who_is_copied_adds_one_and_takes_one_away(client, found):
    client.force_login(agent())
    assert "bo@partner.example" in client.get(f"/tickets/{found.pk}/").content.decode()
    assert 'value="bo@partner.example"' in client.get(f"/tickets/{found.pk}/edit/").content.decode()
    assert edit(client, found, "Ann@Dovetail.example; cy@dovetail.example,ann@dovetail.example").status_code == 302
    found.refresh_from_db()
    assert found.cc == ["ann@dovetail.example", "cy@dovetail.example"]
    actions.reply(found, "Here.", actor=agent(), at=AT)
    left = OutboxMessage.objects.order_by("to").values_list("to", flat=True)
    assert list(left) == ["ann@dovetail.example", "cy@dovetail.example", "dana@dovetail.example"]
    assert AuditEntry.objects.filter(action="ticket.update", object_id=str(found.pk)).count() == 1


@pytest.mark.parametrize(
    ("cc", "why"),
    [
        ("bo@partner", "&#x27;bo@partner&#x27; is no mail address"),
        (", ".join(f"p{n}@x.example" for n in range(21)), "At most 20"),
    ],
)
def test_what_is_no_address_is_refused_and_nothing_changes(client, found, cc, why):
    client.force_login(agent())
    answer = edit(client, found, cc)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    found.refresh_from_db()
    assert found.cc == ["bo@partner.example"]
