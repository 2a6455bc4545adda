"""The promises of the five methodologies, tier by severity, at moments that are hard: simulated and real."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product

import pytest

from support import actions
from support.models import Ladder, SlaPolicy
from support.queries.policies import simulate_policy
from support.sla.decide import decide
from tests.businesstime.oracle import Oracle
from tests.support.world import ZONE, agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db
# Friday evening, a holiday, both nights the clocks change, closing and opening to the second, the leap day.
HARD = (
    "2026-11-27 18:30", "2026-12-25 11:00", "2026-03-28 23:30", "2026-10-24 23:30", "2026-11-24 17:00",
    "2026-11-24 09:00", "2026-11-24 19:00", "2028-02-29 16:59", "2026-11-28 11:00",
)  # fmt: skip
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def office(opens, closes):
    return {"timezone": ZONE, "weekly": {day: [[opens, closes]] for day in WEEKDAYS}}


NINE_TO_FIVE, SEVEN_TO_SEVEN = office("09:00", "17:00"), office("07:00", "19:00")
NEW_YORK = office("08:00", "18:00") | {"timezone": "America/New_York"}
ALWAYS = {"timezone": "UTC", "always_open": True}
# (pack, tier, severity, channel): (calendar, minutes of the response, minutes of the resolution), as printed.
PRINTED: dict[tuple[str, str, str], tuple[dict, int | None, dict, int | None]] = {}
for tier, calendar, row in (
    ("basic", NINE_TO_FIVE, (8, 16, 24, 48)),
    ("professional", SEVEN_TO_SEVEN, (4, 8, 16, 24)),
    ("enterprise", ALWAYS, (1, 2, 4, 8)),
):
    for severity, hours in zip(("S1", "S2", "S3", "S4"), row, strict=True):
        PRINTED["fmea", tier, severity] = (calendar, hours * 60, calendar, None)
for severity, response, resolution in (("critical", 1, 4), ("high", 2, 8), ("medium", 4, 24), ("low", 8, 48)):
    PRINTED["mna", "fortune-500", severity] = (ALWAYS, response * 60, ALWAYS, resolution * 60)
for tier in ("standard", "enterprise"):
    PRINTED["fleet", tier, ""] = (ALWAYS, 24 * 60, NEW_YORK, 50 * 60)
MODELS = {"dedicated-csm": 4, "shared-support": 24, "self-service": 72, "community-driven": None}
LEVELS = {"L1": 24, "L2": 8, "L3": 4, "L4": 1}
for (tier, model), (severity, level) in product(MODELS.items(), LEVELS.items()):
    PRINTED["bis", tier, severity] = (ALWAYS, min(filter(None, (model, level))) * 60, ALWAYS, None)
POLICY = {"basic": "standard", "professional": "premium", "enterprise": "enterprise", "fortune-500": "fortune-500"}


def due(calendar, created: datetime, minutes: int | None) -> datetime | None:
    """The deadline as an oracle finds it that looks at every minute."""
    return None if minutes is None else _due(json.dumps(calendar), created.astimezone(UTC), minutes)


@cache
def _due(calendar: str, created: datetime, minutes: int) -> datetime | None:
    return Oracle(json.loads(calendar)).add(created, minutes, 60 * 24 * 60)


@pytest.mark.requirement("FMEA-5.2")
@pytest.mark.requirement("FMEA-5.5")
@pytest.mark.requirement("FMEA-5.8")
@pytest.mark.requirement("MNA-1.4")
@pytest.mark.requirement("BIS-2.3")
@pytest.mark.parametrize("pack", ["fmea", "mna", "fleet", "bis"])
def test_a_real_ticket_of_every_tier_and_severity_is_due_as_printed(pack):
    install(pack)
    cells = {key: value for key, value in PRINTED.items() if key[0] == pack}
    assert len(cells) == {"fmea": 12, "mna": 4, "fleet": 2, "bis": 16}[pack]
    wrong = []
    for (_pack, tier, severity), (counted, response, worked, resolution) in cells.items():
        account = customer(tier, pack=pack)
        for moment in HARD:
            created = at(moment)
            found = ticket(account, created, severity=severity)
            clocks = {each.kind: each.due_at for each in found.clocks.all()}
            wanted = {
                kind: deadline
                for kind, deadline in (
                    ("first_response", due(counted, created, response)),
                    ("resolution", due(worked, created, resolution)),
                )
                if deadline
            }
            if clocks != wanted:
                wrong.append((tier, severity, moment, clocks, wanted))
    assert wrong == []


@pytest.mark.parametrize("pack", ["fmea", "mna"])
def test_the_simulator_says_the_same_as_the_real_ticket(pack):
    install(pack)
    for (of, tier, severity), (counted, response, worked, resolution) in PRINTED.items():
        if of != pack:
            continue
        policy = SlaPolicy.objects.get(key=POLICY[tier])
        for moment in HARD:
            found = simulate_policy(policy, tier=tier, severity=severity, created_at=at(moment), zone=ZONE)
            assert found["response_due"] == due(counted, at(moment), response)
            assert found["resolution_due"] == due(worked, at(moment), resolution)
            assert (found["first_action_due"], found["first_update_due"]) == (None, None)


def test_a_methodology_that_promises_nothing_has_no_clocks():
    install("generic")
    assert ticket(customer(), at("2026-11-24 10:00")).clocks.count() == 0


@pytest.mark.requirement("FMEA-5.1")
def test_the_golden_hours_of_the_standard_level():
    install("fmea")
    account = customer("basic", pack="fmea")
    monday = ticket(account, at("2026-11-23 09:00"), severity="S1")
    saturday = ticket(account, at("2026-11-28 11:00"), severity="S1")
    assert clock(monday, "first_response").due_at == at("2026-11-23 17:00")
    assert clock(saturday, "first_response").due_at == at("2026-11-30 17:00")


@pytest.mark.requirement("FMEA-5.4")
def test_the_golden_hours_of_the_premium_level():
    install("fmea")
    chicago = customer("professional", pack="fmea", zone="America/Chicago")
    friday = ticket(chicago, at("2026-11-27 18:30", "America/Chicago"), severity="S1")
    assert clock(friday, "first_response").due_at == at("2026-11-30 10:30", "America/Chicago")
    berlin = customer("professional", pack="fmea")
    over_the_change = ticket(berlin, at("2026-03-27 18:00"), severity="S1")
    assert clock(over_the_change, "first_response").due_at == at("2026-03-30 10:00")


@pytest.mark.requirement("FMEA-5.7")
def test_the_enterprise_clock_starts_at_midnight_on_a_holiday():
    install("fmea")
    account = customer("enterprise", pack="fmea")
    found = ticket(account, at("2026-12-25 00:00"), severity="S1")
    assert clock(found, "first_response").due_at == at("2026-12-25 01:00")
    saturday = ticket(account, at("2026-11-28 23:30"), severity="S1")
    assert clock(saturday, "first_response").due_at == at("2026-11-29 00:30")


@pytest.mark.requirement("MNA-4.2")
def test_a_critical_answer_after_exactly_an_hour_is_too_late():
    install("mna")
    account, worker = customer("fortune-500", pack="mna"), agent()
    for minutes, verdict in ((59.999, "met"), (60, "missed")):
        created = at("2026-11-28 03:00")
        found = ticket(account, created, severity="critical")
        actions.reply(found, "On it", actor=worker, at=created + timedelta(minutes=minutes))
        assert clock(found, "first_response").verdict == verdict


@pytest.mark.requirement("FLEET-9.6")
@pytest.mark.requirement("FLEET-9.8")
@pytest.mark.requirement("FLEET-9.10")
@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        (
            "T2",
            {"acknowledge": "2026-11-23 14:00", "first_action": "2026-11-24 10:00", "resolution": "2026-11-30 10:00"},
        ),
        (
            "T3",
            {
                "acknowledge": "2026-11-23 12:00",
                "first_action": "2026-11-24 10:00",
                "update": "2026-11-25 10:00",
                "resolution": "2026-12-07 10:00",
            },
        ),
        ("T4", {"acknowledge": "2026-11-23 10:15", "update": "2026-11-24 10:00"}),
    ],
)
def test_the_golden_hours_of_an_escalation_level(level, wanted):
    install("fleet")
    zone = "America/New_York"
    ladder = Ladder.objects.get(pack="fleet")
    raised = actions.escalate(
        customer(zone=zone), ladder=ladder, path="default", level=level, reason="Threatens to leave",
        actor=agent("csm"), at=at("2026-11-23 10:00", zone),
    )  # fmt: skip
    assert {each.kind: each.due_at for each in raised.clocks.all()} == {
        kind: at(moment, zone) for kind, moment in wanted.items()
    }
    simulated = simulate_policy(
        SlaPolicy.objects.get(key=f"tier-{level[1]}"), tier="", severity="*", created_at=at("2026-11-23 10:00", zone)
    )
    assert {value for value in simulated.values() if value} == {at(moment, zone) for moment in wanted.values()}


@pytest.mark.requirement("FLEET-10.6")
def test_a_mail_is_due_in_24_hours_that_elapse():
    install("fleet")
    found = ticket(customer("standard", pack="fleet"), at("2026-11-27 16:00"))
    assert clock(found, "first_response").due_at == at("2026-11-28 16:00")


@pytest.mark.requirement("BIS-2.4")
def test_the_shorter_of_support_model_and_level_counts():
    install("bis")
    shared = customer("shared-support", pack="bis")
    crisis = ticket(shared, at("2026-11-24 10:00"), severity="L4")
    assert clock(crisis, "first_response").due_at == at("2026-11-24 11:00")
    dedicated = customer("dedicated-csm", pack="bis")
    standard = ticket(dedicated, at("2026-11-24 10:00"), severity="L1")
    assert clock(standard, "first_response").due_at == at("2026-11-24 14:00")


@pytest.mark.requirement("FLEET-9.13")
def test_the_decision_tree_in_all_64_combinations():
    install("fleet")
    definition = Ladder.objects.get(pack="fleet").definition
    tree, ranks = definition["decision_tree"], {level["key"]: level["level"] for level in definition["levels"]}
    names = tree["facts"]
    for answers in product((True, False), repeat=6):
        facts = dict(zip(names, answers, strict=True))
        resolves, technical, commercial, churn, contract, strategic = answers
        if resolves:
            owners = {"T1"}
        elif technical:
            owners = {"T2"}
        else:
            owners = {"T3"} if commercial else {"T1"}
        owners |= {"T3"} if churn or contract else set()
        owners |= {"T4"} if strategic else set()
        found = decide(tree, facts, ranks)
        assert found.owner == max(owners)
        assert owners - {found.owner} <= set(found.joined_by)
        assert ("sales" in found.joined_by) is contract
        assert ("vp_cs" in found.joined_by) is strategic
