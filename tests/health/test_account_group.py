"""The group of an account: the whole tree, what each reader sees of it, and what it comes to."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import AccountStatus, Role
from accounts.models import Account, Workspace
from health.book.group import group_of, total_of
from health.choices import Rag
from tests.factories import AccountFactory, UserFactory
from tests.health.listed import NOW, scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


@pytest.fixture
def tree(vp):
    """Holding: North (with Depot, churned Old) and South."""
    made = {}
    for name, parent, arr in (
        ("Holding", None, 0), ("South", "Holding", 100), ("North", "Holding", 300), ("Depot", "North", 600),
        ("Old", "North", 50),
    ):  # fmt: skip
        made[name] = AccountFactory(name=name, parent=made.get(parent), arr=arr, currency="EUR", owner=vp)
    Account.objects.filter(name="Old").update(status=AccountStatus.CHURNED)
    Account.objects.filter(name="Depot").update(renewal_on=date(2027, 3, 1))
    scored(made["South"], 80, Rag.GREEN)
    scored(made["North"], 40, Rag.RED)
    scored(made["Depot"], 60, Rag.YELLOW)
    return made


def shape(group):
    return [(row["depth"], row["name"]) for row in group.rows]


def test_from_any_member_the_whole_tree_is_told_in_order(vp, tree):
    expected = [(0, "Holding"), (1, "North"), (2, "Depot"), (2, "Old"), (1, "South")]
    for account in tree.values():
        assert shape(group_of(vp, account)) == expected
    alone = AccountFactory()
    assert shape(group_of(vp, alone)) == [(0, alone.name)]


def test_what_it_comes_to_and_by_which_rule(vp, tree):
    group = group_of(vp, tree["South"])
    total = group.total
    # The account that churned is no customer; the holding has no score.
    assert (total.accounts, total.arr) == (4, {"EUR": Decimal(1000)})
    assert total.score == (80 * 100 + 40 * 300 + 60 * 600) / Decimal(1000)
    assert (total.rule, total.worst, total.at_risk) == ("mean of the scores, weighted by ARR", Rag.RED, 1)
    assert total.renewal_on == date(2027, 3, 1)
    below = {row["name"]: row["below"] and row["below"].arr for row in group.rows}
    assert below == {
        "Holding": {"EUR": 1000}, "North": {"EUR": 900}, "Depot": None, "Old": None, "South": None,
    }  # fmt: skip


def test_two_currencies_are_not_added_and_the_mean_is_plain(vp, tree):
    Account.objects.filter(name="South").update(currency="USD")
    total = group_of(vp, tree["North"]).total
    assert total.arr == {"EUR": Decimal(900), "USD": Decimal(100)}
    assert (total.score, total.rule) == (Decimal(60), "plain mean of the scores")


def test_without_scores_it_says_so():
    assert (total_of([]).score, total_of([]).rule, total_of([]).arr) == (None, "no account has a score", {})


def test_what_one_may_not_see_leaves_nothing_and_its_children_move_up(tree):
    csm = UserFactory(role=Role.CSM)
    Workspace.objects.update(csm_reads_all_accounts=False)
    Account.objects.filter(name__in=["Holding", "Depot"]).update(owner=csm)
    group = group_of(csm, tree["Depot"])
    assert shape(group) == [(0, "Holding"), (1, "Depot")]
    assert group.archived == 0
    assert group.total.arr == {"EUR": Decimal(600)}


def test_an_archived_account_is_left_out(vp, tree):
    Account.objects.filter(name="North").update(archived_at=NOW)
    group = group_of(vp, tree["South"])
    assert group.archived == 1
    assert shape(group) == [(0, "Holding"), (1, "Depot"), (1, "Old"), (1, "South")]


def test_the_page_and_its_file_in_as_many_queries_for_one_as_for_five(client, vp, tree):
    client.force_login(vp)
    counts = []
    for account in (AccountFactory(), tree["Depot"], tree["Depot"]):
        client.get("/accounts/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/accounts/{account.pk}/group/").content.decode()
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 12
    assert "weighted by ARR" in page
    assert f'<a href="/accounts/{tree["Holding"].pk}/">Holding</a>' in page
    lines = client.get(f"/accounts/{tree['Depot'].pk}/group/export.csv").content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("0,Holding,")
    assert len(lines) == 6


def test_a_row_says_its_level_what_is_under_it_and_no_name_becomes_markup(client, vp, tree):
    Account.objects.filter(name="Depot").update(name="<i>Depot</i> & Söhne")
    client.force_login(vp)
    page = client.get(f"/accounts/{tree['North'].pk}/group/").content.decode()
    rows = {name: part for part in page.split("<tr>") for name in ("Holding", "North", "Depot", "Old") if name in part}
    assert "<b>North</b>" in rows["North"]
    assert ", level 1" in rows["North"]
    assert "€900 in 2" in rows["North"]
    assert ", level" not in rows["Holding"]
    assert "&lt;i&gt;Depot&lt;/i&gt; &amp; Söhne</a>" in rows["Depot"]
    assert "<i>" not in page
    assert [name for name, part in rows.items() if ">Churned<" in part] == ["Old"]
