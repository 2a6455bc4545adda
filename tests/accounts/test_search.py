"""One search over everything a person may see: what is found, in which order, for whom, and at what cost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import Account, Contact, Workspace
from accounts.search import find
from knowledge.models import Article, Category
from support.models import Ticket
from tests.factories import AT, AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def leader():
    return UserFactory(role=Role.VP_CS, name="Vera Kestrel", email="vera@acme.example")


@pytest.fixture
def everything(leader):
    account = AccountFactory(name="Kestrel Energy", owner=leader)
    Contact.objects.create(account=account, name="Ann Kestrel", email="ann@customer.example")
    CtaFactory(account=account, title="Win Kestrel back")
    shelf = Category.objects.create(key="how", title="How to")
    article = Article.objects.create(
        slug="kestrels", title="Feeding kestrels", category=shelf, owner=leader, created_at=AT, updated_at=AT
    )
    article.texts.create(number=1, title=article.title, body="Seeds", words="Seeds", author=leader, written_at=AT)
    return account


def headings(user, words):
    return {group.heading: [hit.title for hit in group.hits] for group in find(user, words, most=5)}


def test_everything_is_found_in_one_query_and_grouped(leader, everything):
    find(leader, "warm up", most=5)
    with CaptureQueriesContext(connection) as queries:
        found = headings(leader, "kestrel")
    assert found == {
        "Accounts": ["Kestrel Energy"],
        "People at customers": ["Ann Kestrel"],
        "Colleagues": ["Vera Kestrel"],
        "CTAs": ["Win Kestrel back"],
        "Articles": ["Feeding kestrels"],
    }
    assert len(queries) <= 2  # the rows, and the workspace's setting once


def test_every_hit_leads_to_a_page_that_answers(client, leader, everything):
    client.force_login(leader)
    urls = [hit.url for group in find(leader, "kestrel", most=5) for hit in group.hits]
    assert len(urls) == 5
    assert [client.get(url).status_code for url in urls] == [200] * 5


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("energy KESTREL", ["Kestrel Energy"]),
        ("100%", ["100% Organic"]),
        ("0_o", []),
        ("or", ["Organic Kestrel", "100% Organic", "Not Organic"]),
        ("o", []),
    ],
)
def test_every_word_counts_signs_mean_themselves_and_beginnings_come_first(leader, everything, words, titles):
    for name in ("Not Organic", "100% Organic", "Organic Kestrel"):
        AccountFactory(name=name)
    assert headings(leader, words).get("Accounts", []) == titles


def test_people_are_found_by_their_address(leader, everything):
    assert headings(leader, "ann@cust") == {"People at customers": ["Ann Kestrel"]}


def test_closed_ctas_come_last(leader, everything):
    CtaFactory(account=everything, title="A kestrel of old", status="closed", closed_at=AT, outcome="success")
    assert headings(leader, "kestrel")["CTAs"] == ["Win Kestrel back", "A kestrel of old"]


def test_archived_accounts_and_people_who_left_are_not_found(leader, everything):
    Account.objects.update(archived_at=AT)
    Contact.objects.update(left_on=AT.date())
    assert headings(leader, "kestrel").keys() == {"Colleagues", "CTAs", "Articles"}


def test_a_csm_who_reads_only_their_book_finds_only_that(everything):
    Workspace.objects.update(csm_reads_all_accounts=False)
    csm = UserFactory(role=Role.CSM, name="Cy")
    assert headings(csm, "kestrel").keys() == {"Colleagues", "Articles"}
    Account.objects.update(owner=csm)
    csm = type(csm).objects.get(pk=csm.pk)
    assert headings(csm, "kestrel")["CTAs"] == ["Win Kestrel back"]


def test_customers_find_nothing_here(everything):
    customer = UserFactory(role=Role.PORTAL_ADMIN)
    customer.portal_accounts.add(everything)
    assert find(customer, "kestrel", most=5) == []


def test_a_trigram_index_answers_the_names(leader, everything):
    """With sequential scans forbidden the planner can use the index, which it cannot for upper-cased text."""
    from accounts.search import having

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Account.objects.filter(having("name", "kestrel")).explain()
    assert "account_name_trigrams" in plan


def test_markup_in_names_and_words_is_text(client, leader):
    client.force_login(leader)
    AccountFactory(name="<b>Bold</b> Ltd")
    for headers in ({}, {"HX-Request": "true"}):
        page = client.get("/search/", {"q": "<b>bold"}, headers=headers).content.decode()
        assert ("<b>Bold" in page, "<b>bold" in page, "&lt;b&gt;Bold&lt;/b&gt; Ltd" in page) == (False, False, True)


@pytest.mark.parametrize("words", ["#4711", "4711", "kestrel tower"])
def test_tickets_are_found_by_number_and_subject(client, leader, everything, words):
    ticket = Ticket.objects.create(
        number=4711, subject="Tower of Kestrel is down", account=everything, channel="email", priority=1,
        timezone="UTC", created_at=AT,
    )  # fmt: skip
    assert headings(leader, words) == {"Tickets": ["#4711 Tower of Kestrel is down"]}
    client.force_login(leader)
    page = client.get("/search/", {"q": words}).content.decode()
    assert f"/tickets/{ticket.pk}/" in page
