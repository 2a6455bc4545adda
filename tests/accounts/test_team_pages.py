"""Our own people on an account: who may add and remove them, what it opens to them, and what is kept of it."""

from __future__ import annotations

import pytest

from accounts.actions import add_team_member
from accounts.choices import Role
from accounts.models import Account, AuditEntry, TeamMember, TeamRole, Tier, Workspace
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return AccountFactory(name="Halden Logistics", owner=UserFactory(name="Mara Lind"))


@pytest.fixture
def tam():
    return TeamRole.objects.create(key="tam", name="Technical Account Manager", side="vendor", pack="mna")


def join(client, account, user, role):
    return client.post(f"/accounts/{account.pk}/team/new/", {"user": user.pk, "role": role.pk})


def test_a_colleague_joins_and_leaves_and_both_are_audited(client, account, tam):
    colleague = UserFactory(name="Tom Tam")
    client.force_login(account.owner)

    joined = join(client, account, colleague, tam)
    page = client.get(f"/accounts/{account.pk}/people/").content.decode()
    member = TeamMember.objects.get()
    left = client.post(f"/accounts/{account.pk}/team/{member.pk}/leave/")

    assert (joined.status_code, left.status_code) == (302, 302)
    assert "Take Tom Tam off the team as Technical Account Manager" in page
    assert not TeamMember.objects.exists()
    entries = AuditEntry.objects.filter(action__startswith="account.team").order_by("pk")
    assert [(entry.action, entry.actor_id) for entry in entries] == [
        ("account.team_joined", account.owner_id),
        ("account.team_left", account.owner_id),
    ]
    assert entries[1].before == {"user": colleague.email, "role": "tam"}


def test_a_member_may_change_the_account_while_on_the_team(client, account, tam):
    Workspace.objects.update(csm_reads_all_accounts=False)
    colleague = UserFactory()
    client.force_login(colleague)
    before = client.get(f"/accounts/{account.pk}/people/").status_code

    add_team_member(account, colleague, tam, actor=None, at=AT)

    assert (before, client.get(f"/accounts/{account.pk}/people/").status_code) == (404, 200)
    assert Account.objects.editable_by(colleague).get() == account


@pytest.mark.parametrize(("role", "status"), [(Role.CSM, 403), (Role.READ_ONLY, 403), (Role.VP_CS, 302)])
def test_only_its_own_people_and_leaders_change_the_team(client, account, tam, role, status):
    client.force_login(UserFactory(role=role))

    assert join(client, account, UserFactory(), tam).status_code == status
    assert TeamMember.objects.count() == (status == 302)


def test_only_colleagues_and_our_own_roles_are_offered_and_taken(client, account, tam):
    sponsor = TeamRole.objects.create(key="sponsor", name="Sponsor", side="customer")
    portal, gone = UserFactory(role=Role.PORTAL_USER), UserFactory(is_active=False, deactivated_at=AT)
    client.force_login(account.owner)

    answers = [join(client, account, *chosen) for chosen in ((portal, tam), (gone, tam), (UserFactory(), sponsor))]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert [list(answer.context["form"].errors) for answer in answers] == [["user"], ["user"], ["role"]]
    assert not TeamMember.objects.exists()


def test_somebody_of_another_account_is_not_removed_through_this_one(client, account, tam):
    elsewhere, _ = add_team_member(AccountFactory(), UserFactory(), tam, actor=None, at=AT)
    client.force_login(UserFactory(role=Role.VP_CS))

    assert client.post(f"/accounts/{account.pk}/team/{elsewhere.pk}/leave/").status_code == 404
    assert TeamMember.objects.get() == elsewhere


@pytest.mark.requirement("MNA-1.3")
def test_an_eighth_customer_of_a_technical_account_manager_is_warned_of_on_the_page(client, account, tam):
    tier = Tier.objects.create(key="f500", name="Fortune 500", rank=1, capacity={"tam": {"min": 5, "max": 7}})
    colleague = UserFactory()
    for _ in range(7):
        add_team_member(AccountFactory(tier=tier), colleague, tam, actor=None, at=AT)
    Account.objects.filter(pk=account.pk).update(tier=tier)
    client.force_login(account.owner)

    page = client.post(
        f"/accounts/{account.pk}/team/new/", {"user": colleague.pk, "role": tam.pk}, follow=True
    ).content.decode()

    assert "This would be account 8; the tier allows at most 7." in page


def test_the_page_costs_the_same_for_one_and_three(client, account, tam, django_assert_max_num_queries):
    client.force_login(account.owner)
    client.get(f"/accounts/{account.pk}/people/")
    counts = []
    for size in (1, 2):
        for _ in range(size):
            add_team_member(account, UserFactory(), tam, actor=None, at=AT)
        with django_assert_max_num_queries(40) as seen:
            client.get(f"/accounts/{account.pk}/people/")
        counts.append(len(seen))
    assert counts[0] == counts[1]
