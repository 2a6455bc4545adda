"""The systems methodologies name: which the product is itself, and which it stands beside."""

from __future__ import annotations

import re

import pytest

from accounts.actions import update_account
from accounts.models import Tier
from tests.factories import AT
from tests.support.world import agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db


def card(client, pack, key):
    """The head of one item of the catalogue."""
    shown = client.get(f"/methodology/{pack}/integrations/").content.decode()
    return shown.split(f'id="{key}"')[1].split("</section>")[0]


@pytest.mark.requirement("FMEA-14.6")
def test_the_seven_parts_of_the_support_stack_are_built_in_or_external(client):
    install("fmea")
    client.force_login(agent())
    wanted = {
        "ticketing-system": "Built in", "knowledge-base": "Built in", "customer-portal": "Built in",
        "community-platform": "External", "live-chat": "External", "phone-system": "External",
        "internal-collaboration": "External", "ticket-routing": "Built in", "chatbots": "Hook",
        "self-healing-systems": "Hook",
    }  # fmt: skip
    for key, state in wanted.items():
        assert f">{state}</span>" in card(client, "fmea", key), key


@pytest.mark.requirement("MNA-7.2")
def test_the_support_stack_is_named_with_its_kinds_and_the_desk_needs_none_of_it(client):
    install("mna")
    client.force_login(agent())
    kinds = {
        "servicenow": ("ServiceNow", "ticketing"), "confluence": ("Confluence", "knowledge"),
        "teamviewer": ("TeamViewer", "remote"), "platform-monitoring": ("24/7", "monitoring"),
    }  # fmt: skip
    for key, words in kinds.items():
        shown = card(client, "mna", key)
        assert all(word in shown for word in words), key
    opened = ticket(customer("fortune-500", pack="mna"), at("2026-11-28 23:30", "UTC"), severity="critical")
    assert clock(opened, "first_response").due_at == at("2026-11-29 00:30", "UTC")
    assert clock(opened, "resolution").due_at == at("2026-11-29 03:30", "UTC")


@pytest.mark.requirement("BIS-2.2")
def test_five_ways_of_being_served_stand_side_by_side_in_five_columns_and_an_account_is_given_one(client):
    install("bis")
    client.force_login(agent("admin"))
    shown = client.get("/methodology/bis/tiers/").content.decode()
    table = shown.split('aria-label="Ways of being served"')[1].split("</table>")[0]
    rows = re.findall(r'<tr><th scope="row"><a href="#([a-z-]+)">[^<]+</a></th>(.*?)</tr>', table, re.DOTALL)
    cells = {key: re.findall(r"<td>(.*?)</td>", row) for key, row in rows}
    assert cells["dedicated-csm"] == [
        "under 4 hours", "proactive and reactive", "strategic accounts", "high (1:1)", "key customers",
    ]  # fmt: skip
    assert cells["shared-support"][3] == "medium (1:10–20)"
    assert cells["self-service"][0] == "24–72 hours"
    assert cells["community-driven"][0] == "no promise"
    assert (len(cells), {len(row) for row in cells.values()}) == (5, {5})
    account = customer()
    update_account(account, actor=agent("admin"), at=AT, tier=Tier.objects.get(key="shared-support"))
    assert "Shared Support" in client.get(f"/accounts/{account.pk}/").content.decode()
