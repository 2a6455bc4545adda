import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from accounts.actions import add_team_member, assign_owner, create_account, update_account, upsert_accounts
from accounts.actions.methodology import upsert_tiers
from accounts.capacity import judge
from accounts.choices import Role
from accounts.errors import CapacityExceeded, RuleViolated
from accounts.models import Account, AuditEntry, TeamRole, Tier
from packs.actions import install_pack
from tests.factories import AccountFactory, UserFactory

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("capacity", "role", "count", "refused", "warns"),
    [
        ({"csm": {"min": 0, "max": 3}}, "csm", 3, False, False),
        ({"csm": {"min": 0, "max": 3}}, "csm", 4, True, False),
        ({"csm": {"min": 10, "max": 15}}, "csm", 1, False, False),
        ({"csm": {"min": 10, "max": 15}}, "csm", 15, False, False),
        ({"csm": {"min": 10, "max": 15}}, "csm", 16, False, True),
        ({"csm": {"min": 1, "max": 1}}, "csm", 2, False, True),
        ({"tam": {"min": 5, "max": 7}}, "tam", 4, False, True),
        ({"tam": {"min": 5, "max": 7}}, "tam", 5, False, False),
        ({"tam": {"min": 5, "max": 7}}, "tam", 7, False, False),
        ({"tam": {"min": 5, "max": 7}}, "tam", 8, False, True),
        ({}, "csm", 99, False, False),
        ({"csm": {"min": 50, "max": None}}, "csm", 99, False, False),
    ],
)
def test_a_maximum_is_firm_and_a_range_warns(capacity, role, count, refused, warns):
    verdict = judge(capacity, role, count)
    assert (verdict.refused, verdict.warns) == (refused, warns)


@pytest.fixture
def tier(db):
    return Tier.objects.create(
        key="fortune", name="Fortune", rank=1, capacity={"csm": {"min": 0, "max": 3}, "tam": {"min": 5, "max": 7}}
    )


@pytest.fixture
def full(tier):
    csm = UserFactory()
    for _account in range(3):
        AccountFactory(owner=csm, tier=tier)
    return csm


@pytest.mark.requirement("MNA-1.2")
def test_a_fourth_account_needs_a_leader_and_a_reason(full, tier):
    account, leader = AccountFactory(tier=tier), UserFactory(role=Role.VP_CS)
    for actor, reason in ((leader, ""), (leader, "  "), (full, "I can do it")):
        with pytest.raises(CapacityExceeded) as refused:
            assign_owner(account, full, actor=actor, at=AT, reason=reason)
        assert (refused.value.rule, refused.value.field) == ("account.capacity", "owner")
    account.refresh_from_db()
    assert account.owner is None
    assign_owner(account, full, actor=leader, at=AT, reason="Until Mara is back")
    account.refresh_from_db()
    assert account.owner == full
    assert AuditEntry.objects.latest("pk").after["remark"].startswith("This would be account 4")


def test_moving_an_account_into_the_full_tier_is_refused_too(full, tier):
    account = AccountFactory(owner=full)
    with pytest.raises(CapacityExceeded):
        update_account(account, actor=None, at=AT, tier=tier)
    with pytest.raises(CapacityExceeded):
        create_account(actor=None, at=AT, name="New", owner=full, tier=tier)
    rows = [{"external_id": "1", "name": "New", "owner": full.email, "tier": tier.key}]
    result = upsert_accounts(rows, source="s", actor=None, at=AT)[0]
    assert result.errors[0].rule == "account.capacity"


def test_bulk_counts_what_it_gave_away_itself(tier):
    csm = UserFactory()
    rows = [{"external_id": str(n), "name": f"A{n}", "owner": csm.email, "tier": tier.key} for n in range(5)]
    results = upsert_accounts(rows, source="s", actor=None, at=AT)
    assert [str(result.outcome) for result in results] == ["created"] * 3 + ["rejected"] * 2
    assert Account.objects.filter(owner=csm).count() == 3


def test_churned_and_archived_accounts_do_not_count(full, tier):
    Account.objects.filter(owner=full).update(status="churned", churned_on=AT.date())
    account = AccountFactory(tier=tier)
    assert assign_owner(account, full, actor=None, at=AT).owner == full


@pytest.mark.requirement("FMEA-2.1")
@pytest.mark.parametrize(("role", "may"), [(Role.CSM, True), (Role.VP_CS, True), (Role.SUPPORT_AGENT, False)])
def test_only_a_csm_or_above_owns_accounts(role, may, db):
    account, user = AccountFactory(), UserFactory(role=role)
    if may:
        assert assign_owner(account, user, actor=None, at=AT).owner == user
    else:
        with pytest.raises(RuleViolated) as refused:
            assign_owner(account, user, actor=None, at=AT)
        assert refused.value.rule == "account.owner_role"


def test_a_tam_outside_the_range_is_remarked_on_and_not_refused(tier):
    role = TeamRole.objects.create(key="tam", name="TAM", side="vendor")
    user = UserFactory()
    warnings = [add_team_member(AccountFactory(tier=tier), user, role, actor=None, at=AT)[1] for _account in range(8)]
    assert [bool(warning) for warning in warnings] == [True] * 4 + [False] * 3 + [True]


def tiers_of(pack):
    definitions = json.loads((Path(settings.BASE_DIR) / "packs/data" / f"{pack}.json").read_text())["tiers"]
    return upsert_tiers(definitions, pack=pack)


@pytest.mark.requirement("FMEA-7.1")
def test_a_second_enterprise_account_is_remarked_on_and_a_basic_one_needs_nobody(db):
    tiers, csm, leader = tiers_of("fmea"), UserFactory(), UserFactory(role=Role.VP_CS)
    for expected in (False, True):
        account = AccountFactory(tier=tiers["enterprise"])
        assert assign_owner(account, csm, actor=leader, at=AT).owner == csm
        remark = AuditEntry.objects.latest("pk").after.get("remark", "")
        assert bool(remark) is expected
    assert "at most 1" in remark
    assert create_account(actor=leader, at=AT, name="Basic", tier=tiers["basic"]).owner is None


@pytest.mark.requirement("MNA-1.3")
def test_a_technical_account_manager_has_five_to_seven_customers(db):
    tier = tiers_of("mna")["fortune-500"]
    role = TeamRole.objects.create(key="tam", name="Technical Account Manager", side="vendor", pack="mna")
    user = UserFactory()
    said = [add_team_member(AccountFactory(tier=tier), user, role, actor=None, at=AT)[1] for _account in range(8)]
    assert said == [
        *(f"This is account {n}; the tier expects at least 5." for n in range(1, 5)),
        "", "", "",
        "This would be account 8; the tier allows at most 7.",
    ]  # fmt: skip


@pytest.mark.requirement("MNA-1.2")
def test_the_packs_own_tier_refuses_a_fourth_account(db):
    tier, csm = tiers_of("mna")["fortune-500"], UserFactory()
    for _account in range(3):
        assign_owner(AccountFactory(tier=tier), csm, actor=csm, at=AT)
    with pytest.raises(CapacityExceeded):
        assign_owner(AccountFactory(tier=tier), csm, actor=csm, at=AT)


@pytest.mark.requirement("CS-6.2")
def test_a_csm_at_sixteen_mid_market_accounts_is_remarked_on_and_reviews_come_every_six_months(client, db):
    tier, csm = tiers_of("generic")["mid-market"], UserFactory()
    for _account in range(15):
        AccountFactory(tier=tier, owner=csm)
    assign_owner(AccountFactory(tier=tier), csm, actor=None, at=AT)
    assert "account 16" in AuditEntry.objects.latest("pk").after["remark"]
    install_pack("generic", actor=None, at=AT)
    client.force_login(csm)
    page = client.get("/methodology/generic/cadences/").content.decode()
    review = re.sub(r"<[^>]+>", " ", page[page.index('id="mid-review"') :].split("</section>")[0])
    assert "Every 6 Unit months" in " ".join(review.split())
