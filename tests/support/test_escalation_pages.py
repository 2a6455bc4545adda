"""Escalating from a ticket and from an account, and every verb on a step, through the door."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support import actions
from support.models import Escalation, Ladder
from support.queries.escalations import waiting_escalations
from tests.factories import AccountFactory, UserFactory
from tests.support.world import customer, install, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp():
    return UserFactory(role="vp_cs", name="Vera Paulsen")


@pytest.fixture
def desk(client, vp):
    client.force_login(vp)
    return client


def text(response) -> str:
    return response.content.decode()


def offered(page: str, name: str = "step") -> list[str]:
    """The values of a choice, without the empty one."""
    inside = re.search(rf'<select name="{name}".*?</select>', page, re.S)[0]
    return [value for value in re.findall(r'value="([^"]+)"', inside) if value]


def whole(prefix: str = "", **fields) -> dict[str, str]:
    return {f"{prefix}part-fleet-{number}": f"Part {number}" for number in range(7)} | fields


@pytest.mark.requirement("FLEET-9.3", "FLEET-9.4", "FLEET-9.11")
def test_fleet_asks_for_the_reason_and_refuses_a_message_with_a_part_empty(desk, vp):
    install("fleet")
    account = AccountFactory(name="ABC GPS", seats=50, arr=50_000)
    found = ticket(account, timezone.now())
    address = f"/tickets/{found.pk}/escalate/"
    shown = text(desk.get(address))
    assert offered(shown) == ["fleet|default|T2", "fleet|default|T3"]
    assert "cannot fulfil the request" in shown
    assert "ABC GPS, 50,000 USD a year, 50 seats" in shown
    reason = {"trigger": "fleet|T2|integration failure", "reason": "Feed stops"}
    refused = desk.post(address, whole(**reason) | {"part-fleet-3": " "})
    assert refused.status_code == 422
    assert re.findall(r'id="id_([^"]+)_error"', text(refused)) == ["part-fleet-3"]
    assert not Escalation.objects.exists()
    assert desk.post(address, whole(**reason)).status_code == 302
    raised = Escalation.objects.get()
    assert (raised.level, raised.trigger, raised.raised_by) == ("T2", "integration failure", vp)
    fields = raised.ladder.definition["template"]["fields"]
    assert [raised.message[field] for field in fields] == [f"Part {number}" for number in range(7)]
    parts = re.findall(r"<dd>(Part \d)</dd>", text(desk.get(f"/escalations/{raised.pk}/")))
    assert parts == [f"Part {number}" for number in range(7)]
    again = desk.post(address, whole(**reason))
    assert "This ticket is escalated on this path" in text(again)


@pytest.mark.requirement("FLEET-9.12")
def test_the_templates_example_shows_all_seven_parts_with_what_to_write_there(desk):
    install("fleet")
    account = AccountFactory(name="Other")
    shown = text(desk.get(f"/accounts/{account.pk}/escalate/"))
    parts = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", shown.split("as an example")[1].split("</dl>")[0])
    fields = Ladder.objects.get(pack="fleet").definition["template"]["fields"]
    assert [part.lower() for part, _text in parts] == [field.lower() for field in fields]
    assert len(parts) == 7
    wanted = ("stopped working", "ABC GPS, Enterprise, 50 vehicles, $50K", "about 2pm. Urgency high",
              "cannot be tracked", "Restarted", "within 24 hours", "owner is the Implementation Engineer")  # fmt: skip
    for (part, words), each in zip(parts, wanted, strict=True):
        assert each in words, part
    install("fmea")
    fmea = ticket(customer(), timezone.now(), severity="S2")
    Ladder.objects.filter(pack="fleet").delete()
    assert "as an example" not in text(desk.get(f"/tickets/{fmea.pk}/escalate/"))


@pytest.mark.requirement("FMEA-6.7")
def test_a_ticket_goes_up_three_lines_and_shows_who_passed_it_on_when_and_why(desk, vp):
    install("fmea")
    found = ticket(customer(), timezone.now(), severity="S2")
    step = {"step": "fmea|technical|l2", "reason": "Needs the logs"}
    assert desk.post(f"/tickets/{found.pk}/escalate/", step).status_code == 302
    for level, why in (("l3", "Needs a patch"), ("engineering", "A bug in the core")):
        last = Escalation.objects.open().get()
        desk.post(f"/escalations/{last.pk}/pass-on/", {"pass-level": level, "pass-reason": why})
    found.refresh_from_db()
    assert found.get_level_display() == "Engineering"
    last = Escalation.objects.open().get()
    shown = text(desk.get(f"/escalations/{last.pk}/"))
    for why in ("Needs the logs", "Needs a patch", "A bug in the core"):
        assert why in shown
    assert shown.count(f"Raised by {vp}") == 3


@pytest.mark.requirement("FMEA-6.8", "FMEA-6.9")
def test_management_has_three_steps_and_the_executive_path_is_for_critical_strategic_cases(desk):
    install("fmea")
    minor = ticket(customer("enterprise", pack="fmea"), timezone.now(), severity="S2")
    critical = ticket(customer("enterprise", pack="fmea"), timezone.now(), severity="S1")
    small = ticket(customer("basic", pack="fmea"), timezone.now(), severity="S1")
    for other in (minor, small):
        assert not any("executive" in key for key in offered(text(desk.get(f"/tickets/{other.pk}/escalate/"))))
    assert "fmea|executive|executive_sponsor" in offered(text(desk.get(f"/tickets/{critical.pk}/escalate/")))
    visited = []
    desk.post(f"/tickets/{minor.pk}/escalate/", {"step": "fmea|management|support_manager", "reason": "Late"})
    for _number in range(3):
        last = Escalation.objects.open().get()
        visited.append(last.level)
        following = re.findall(r'name="pass-level".*?</select>', text(desk.get(f"/escalations/{last.pk}/")), re.S)
        if following:
            level = re.search(r'value="([^"]+)"', following[0])[1]
            desk.post(f"/escalations/{last.pk}/pass-on/", {"pass-level": level, "pass-reason": "Still late"})
    assert visited == ["support_manager", "director", "vp_cs"]


@pytest.mark.requirement("FLEET-9.9")
def test_only_a_vp_escalates_to_the_top_and_with_one_of_its_reasons(client, desk, vp):
    install("fleet")
    csm = UserFactory(role="csm")
    account = AccountFactory(owner=csm)
    raised = actions.escalate(
        account, ladder=Ladder.objects.get(pack="fleet"), path="default", level="T3", reason="Leaves",
        owner=vp, actor=vp, at=timezone.now(),
    )  # fmt: skip
    address = f"/escalations/{raised.pk}/pass-on/"
    step = whole("pass-", **{"pass-level": "T4", "pass-reason": "Press asks", "pass-trigger": "analyst or press"})
    client.force_login(csm)
    assert "Only the VP Customer Success" in text(client.post(address, step))
    client.force_login(vp)
    assert "Name the reason" in text(client.post(address, step | {"pass-trigger": ""}))
    assert client.post(address, step).status_code == 302
    assert Escalation.objects.open().get().level == "T4"


@pytest.mark.requirement("FLEET-9.5")
def test_a_step_is_acknowledged_begun_told_of_handed_over_and_ended(desk, vp):
    install("fleet")
    raised = actions.escalate(
        AccountFactory(), ladder=Ladder.objects.get(pack="fleet"), path="default", level="T2", reason="Feed stops",
        owner=vp, actor=vp, at=timezone.now() - timedelta(hours=5),
    )  # fmt: skip
    assert waiting_escalations(vp).count() == 1
    address = f"/escalations/{raised.pk}/"
    shown = text(desk.get(address))
    assert "code change needed, possible security concern" in shown
    assert re.search(r"<b>Acknowledgement</b>.*?(1 h|59 min|1 h 0 min) late", shown, re.S)
    desk.post(address + "acknowledge/")
    assert desk.post(address + "begin/", {"begin-body": " "}).status_code == 422
    desk.post(address + "begin/", {"begin-body": "Read the logs"})
    desk.post(address + "update/", {"update-body": "Fix in test"})
    other = UserFactory(role="csm")
    desk.post(address + "owner/", {"owner": str(other.pk)})
    assert Escalation.objects.get().owner == other
    assert desk.post(address + "end/", {"end-outcome": ""}).status_code == 422
    desk.post(address + "end/", {"end-outcome": "partial", "end-note": "Half", "end-satisfaction": "4"})
    raised.refresh_from_db()
    assert (raised.outcome, raised.satisfaction, raised.outcome_note) == ("partial", 4, "Half")
    shown = text(desk.get(address))
    for words in ("Read the logs", "Fix in test", "Partly resolved", "Missed"):
        assert words in shown
    assert "Feed stops" in text(desk.get("/escalations/?view=ended"))
    assert "Nothing is escalated" in text(desk.get("/escalations/"))


def test_one_escalation_and_three_take_the_same_number_of_queries(desk, vp):
    install("fleet")
    ladder = Ladder.objects.get(pack="fleet")

    def raise_one(name: str) -> None:
        actions.escalate(AccountFactory(), ladder=ladder, path="default", reason=name, actor=vp, at=timezone.now())

    raise_one("First")
    desk.get("/escalations/")
    cache.clear()
    with CaptureQueriesContext(connection) as one:
        desk.get("/escalations/")
    raise_one("Second")
    raise_one("Third")
    cache.clear()
    with CaptureQueriesContext(connection) as three:
        shown = text(desk.get("/escalations/"))
    assert all(name in shown for name in ("First", "Second", "Third"))
    assert len(three) <= len(one)
