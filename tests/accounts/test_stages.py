"""Lifecycle stages: reached with time as each methodology counts it, set by hand, shown with what they are about."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import advance_stages, create_account, update_account, upsert_accounts
from accounts.choices import Role
from accounts.models import Account, AuditEntry, LifecycleStage
from accounts.stages import stage_on
from packs.actions import install_pack
from packs.files import load
from tests.factories import AT, AccountFactory, UserFactory

NEW_YEAR = date(2026, 1, 1)


def at(day):
    return datetime.combine(day, time(12), UTC)


def key_on(pack, days, started_on=NEW_YEAR):
    stages = load(pack)["lifecycle_stages"]
    reached = stage_on(stages, started_on, started_on + timedelta(days=days))
    return stages[reached.place]["key"] if reached else None


@pytest.mark.parametrize(
    ("pack", "days", "stage"),
    [
        pytest.param("generic", 0, "onboarding", marks=pytest.mark.requirement("CS-1.2")),
        pytest.param("generic", 89, "onboarding", marks=pytest.mark.requirement("CS-1.2")),
        pytest.param("generic", 90, "adoption", marks=pytest.mark.requirement("CS-1.2")),
        pytest.param("generic", 365, "value-realization", marks=pytest.mark.requirement("CS-1.4")),
        ("generic", 3650, "value-realization"),
        ("generic", -1, None),
        ("fleet", -28, "pre-sale"),
        ("fleet", -1, "pre-sale"),
        ("fleet", 0, "onboarding"),
        ("fleet", 69, "onboarding"),
        ("fleet", 70, "ongoing"),
        ("fmea", 83, "onboarding"),
        ("fmea", 84, "ongoing-success"),
        ("mna", 29, "onboarding"),
        ("mna", 30, "expansion"),
        ("mna", 90, "optimization"),
        ("mna", 200, "optimization"),
        ("bis", 100, None),
    ],
)
def test_both_edges_of_each_stage(pack, days, stage):
    assert key_on(pack, days) == stage


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_day_90_is_adoption_whatever_the_months_are(started_on):
    assert [key_on("generic", days, started_on) for days in (89, 90)] == ["onboarding", "adoption"]


@pytest.mark.requirement("CS-1.1")
@pytest.mark.requirement("CS-1.3")
@pytest.mark.requirement("CS-1.4")
@pytest.mark.django_db
def test_the_header_shows_the_stage_and_since_when_as_time_goes_by(client):
    install_pack("generic", actor=None, at=AT)
    account = create_account(actor=None, at=at(NEW_YEAR), name="Golden", customer_since_on=NEW_YEAR)
    client.force_login(UserFactory(role=Role.READ_ONLY))

    seen = []
    for day in (NEW_YEAR, date(2026, 3, 31), date(2026, 4, 1), date(2026, 6, 30), date(2026, 7, 1), date(2027, 5, 1)):
        advance_stages(at=at(day))
        page = client.get(f"/accounts/{account.pk}/").content.decode()
        link = page[page.index(f'<a href="/accounts/{account.pk}/stage/"') :].split("</a>")[0]
        seen.append(" ".join(re.sub(r"<[^>]+>", " ", link).split()))

    # The year is told in another year than this.
    assert [text.removesuffix(" 2026") for text in seen] == [
        "Onboarding since 1 Jan",
        "Onboarding since 1 Jan",
        "Adoption since 1 Apr",
        "Adoption since 1 Apr",
        "Value Realization since 1 Jul",
        "Value Realization since 1 Jul",
    ]
    assert AuditEntry.objects.filter(action="account.stage_reached").count() == 3


@pytest.mark.django_db
class TestAdvancing:
    def test_nobody_is_moved_back_and_what_runs_beside_stays(self):
        install_pack("generic", actor=None, at=AT)
        stages = {stage.key: stage for stage in LifecycleStage.objects.all()}
        kept = [AccountFactory(stage=stages[key], customer_since_on=AT.date()) for key in ("adoption", "expansion")]
        gone = AccountFactory(customer_since_on=AT.date(), status="churned")
        undated = AccountFactory()

        assert advance_stages(at=AT) == 0
        assert [Account.objects.get(pk=each.pk).stage_id for each in (*kept, gone, undated)] == [
            stages["adoption"].pk, stages["expansion"].pk, None, None,
        ]  # fmt: skip

    def test_each_account_goes_by_its_own_methodology(self):
        for pack in ("fleet", "generic"):
            install_pack(pack, actor=None, at=AT)
        fleet, generic = (LifecycleStage.objects.get(pack=pack, name="Onboarding") for pack in ("fleet", "generic"))
        started = AT.date() - timedelta(days=80)
        accounts = [AccountFactory(stage=stage, customer_since_on=started) for stage in (fleet, generic, None)]

        advance_stages(at=AT)

        for account in accounts:
            account.refresh_from_db()
        # Without a stage it could belong to either, so nobody guesses.
        assert [str(account.stage) for account in accounts] == ["Ongoing", "Onboarding", "None"]

    def test_the_number_of_queries_does_not_depend_on_the_accounts(self):
        install_pack("generic", actor=None, at=AT)
        counts = []
        for size in (1, 3):
            AccountFactory.create_batch(size, customer_since_on=AT.date())
            with CaptureQueriesContext(connection) as seen:
                assert advance_stages(at=AT) == size
            counts.append(len(seen))
        assert counts[0] == counts[1]

    def test_a_stage_set_by_hand_or_brought_in_has_its_day_too(self):
        install_pack("generic", actor=None, at=AT)
        adoption = LifecycleStage.objects.get(key="adoption")
        account = update_account(AccountFactory(), actor=None, at=AT, stage=adoption)
        upsert_accounts([{"external_id": "A", "name": "A", "stage": "adoption"}], source="s", actor=None, at=AT)
        later = at(date(2026, 12, 24))
        upsert_accounts([{"external_id": "A", "stage": "expansion"}], source="s", actor=None, at=later)

        assert account.stage_since_on == AT.date()
        assert Account.objects.get(name="A").stage_since_on == later.date()


LISTS = {
    "awareness": ["Touchpoints", "Needs", "Success", "Value proposition"],
    "consideration": ["Touchpoints", "Needs", "Success", "Value proposition"],
    "purchase": ["Touchpoints", "Needs", "Success", "Deliverables"],
    "onboarding": ["Touchpoints", "Needs", "Success", "Support"],
    "adoption": ["Touchpoints", "Needs", "Success", "Evolution"],
    "advocacy": ["Touchpoints", "Needs", "Success", "Partnership"],
}


@pytest.mark.requirement("BIS-5.1")
@pytest.mark.requirement("BIS-5.2")
@pytest.mark.requirement("BIS-5.3")
@pytest.mark.django_db
def test_the_stage_page_shows_four_lists_of_three_for_each_stage_and_moves_the_account(client):
    install_pack("bis", actor=None, at=AT)
    leader = UserFactory(role=Role.VP_CS)
    account = AccountFactory(owner=leader)
    client.force_login(leader)

    moved = client.post(f"/accounts/{account.pk}/stage/", {"stage": "purchase"})
    page = client.get(f"/accounts/{account.pk}/stage/").content.decode()

    for key, labels in LISTS.items():
        shown = page[page.index(f'id="{key}"') :].split("</section>")[0]
        found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown)
        assert [label for label, _ in found] == labels
        assert all(len(words.split(", ")) == 3 for _, words in found)
    assert moved.status_code == 302
    now = page[page.index('id="purchase"') :].split("</section>")[0]
    assert "Now" in now
    assert "Move here" not in now
    assert client.post(f"/accounts/{account.pk}/stage/", {"stage": "nowhere"}).status_code == 404


@pytest.mark.django_db
def test_a_reader_sees_the_stages_and_moves_nobody(client):
    install_pack("bis", actor=None, at=AT)
    account = AccountFactory()
    client.force_login(UserFactory(role=Role.READ_ONLY))

    assert "Move here" not in client.get(f"/accounts/{account.pk}/stage/").content.decode()
    assert client.post(f"/accounts/{account.pk}/stage/", {"stage": "purchase"}).status_code == 403
