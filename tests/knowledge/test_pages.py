"""The pages of the knowledge base, for colleagues and in the portal."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import Account
from knowledge import actions, queries
from knowledge.choices import Audience
from knowledge.models import Article
from packs.actions import install_pack
from tests.knowledge.people import AT, person

pytestmark = pytest.mark.django_db


def text(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


@pytest.fixture
def customer(client):
    halden = Account.objects.create(name="Halden")
    client.force_login(person("rita", Role.PORTAL_USER, portal_accounts=[halden]))
    return client


def test_the_best_answer_comes_first_with_its_words_marked_and_nothing_run(publish, ann):
    publish("Exporting reports", body="How to export. <script>alert(1)</script> Use CSV.")
    publish("Printing", body="You can also export what you print.")
    found = queries.search(ann, "export")
    assert [answer.title for answer in found] == ["Exporting reports", "Printing"]
    assert "<mark>export</mark>" in found[1].passage
    assert "<script" not in found[0].passage


def test_suggestions_share_a_word_with_a_subject_and_the_best_share_most(publish, ann):
    publish("Export to CSV fails", body="Choose another separator.")
    publish("CSV import", body="Columns are matched by name.")
    publish("Single sign-on", body="Ask your administrator.")
    titles = [found.title for found in queries.suggestions(ann, "The CSV export is broken, please help!")]
    assert titles == ["Export to CSV fails", "CSV import"]
    assert [queries.suggestions(ann, words) for words in ("", "a b", "the of and")] == [[], [], []]


def test_the_flow_through_the_pages(client, ann, bob, shelf):
    client.force_login(ann)
    form = {"title": "Reset a key", "body": "# Steps\n1. Open *Keys*.", "category": shelf.pk, "audience": "public"}
    form |= {"check_every_days": "90", "tags": "keys, api"}
    assert client.post("/kb/new/", form)["Location"] == "/kb/articles/reset-a-key/"
    client.post("/kb/articles/reset-a-key/submit/")
    assert "Publish version 1" in text(client.get("/kb/articles/reset-a-key/"))
    client.force_login(bob)
    for kind in ("technical", "editorial"):
        client.post("/kb/articles/reset-a-key/review/", {"kind": kind, "verdict": "approve"})
    client.post("/kb/articles/reset-a-key/publish/")
    page = text(client.get("/kb/articles/reset-a-key/"))
    assert "<h2>Steps</h2>" in page
    assert "Published" in page
    client.post("/kb/articles/reset-a-key/edit/", {**form, "body": "# Steps\n1. Open *Settings*.", "version": "5"})
    page = text(client.get("/kb/articles/reset-a-key/history/"))
    assert "<ins>1. Open *Settings*.</ins>" in page
    assert "<del>1. Open *Keys*.</del>" in page


def test_a_stale_form_is_refused_with_what_was_typed(client, ann, write):
    article = write()
    client.force_login(ann)
    form = {"title": "Mine", "body": "Mine too.", "category": article.category_id, "audience": "internal"}
    form |= {"check_every_days": "90", "version": "7"}
    response = client.post(f"/kb/articles/{article.slug}/edit/", form)
    assert (response.status_code, "Mine too." in response.content.decode()) == (422, True)
    assert Article.objects.get().title == "Export fails"


@pytest.mark.requirement("FMEA-6.11")
def test_the_portal_lists_the_six_categories_with_counts_and_searches_within_one(client, ann, bob):
    install_pack("fmea", actor=None, at=AT)
    for title, key in (("Install", "getting-started"), ("Install again", "how-to-guides")):
        category = next(shelf for shelf in queries.categories(ann) if shelf.key == key)
        article = actions.write_article(
            actor=ann, at=AT, category=category, title=title, body="Run the installer.", audience=Audience.PUBLIC
        )
        actions.submit_article(article, actor=ann, at=AT)
        for kind in ("technical", "editorial"):
            actions.review_text(article, kind, approve=True, actor=bob, at=AT)
        actions.publish_article(article, actor=bob, at=AT)
    client.force_login(person("rita", Role.PORTAL_USER, portal_accounts=[Account.objects.create(name="Halden")]))
    shelves = client.get("/portal/help/").context["categories"]
    assert [(shelf.title, shelf.article_count) for shelf in shelves] == [
        ("Getting Started", 1),
        ("How-To Guides", 1),
        ("Troubleshooting", 0),
        ("Best Practices", 0),
        ("Release Notes", 0),
        ("API Documentation", 0),
    ]
    found = client.get("/portal/help/?q=installer").context["found"]
    assert {answer.title for answer in found} == {"Install", "Install again"}
    found = client.get("/portal/help/?q=installer&category=how-to-guides").context["found"]
    assert [answer.title for answer in found] == ["Install again"]


def test_a_customer_never_sees_a_draft_an_internal_text_or_the_next_version(customer, publish, write, ann):
    publish("Inside", body="canary-internal")
    write("Draft", body="canary-draft", audience=Audience.PUBLIC)
    article = publish("Open", body="For you.", audience=Audience.PUBLIC)
    actions.revise_article(article, body="canary-next", actor=ann, at=AT)
    pages = [text(customer.get(path)) for path in ("/portal/help/?q=canary", "/portal/help/open/")]
    pages.append(text(customer.get("/portal/help/?category=troubleshooting")))
    assert [
        word for page in pages for word in ("canary-", "Inside", "Draft") if f"{word}" in page.replace("q=canary", "")
    ] == []
    assert [customer.get(f"/portal/help/{slug}/").status_code for slug in ("inside", "draft")] == [404, 404]
    assert customer.get("/kb/articles/open/").status_code == 403


def test_a_customer_says_that_it_answered_or_that_nothing_did(customer, publish):
    article = publish("Open", audience=Audience.PUBLIC)
    assert customer.post("/kb/articles/open/solved/", {"q": "export"})["Location"] == "/portal/help/open/"
    assert customer.post("/kb/gaps/", {"q": "single sign-on"})["Location"] == "/portal/help/"
    article.refresh_from_db()
    assert article.helpful == 1
    rows = queries.deflection(AT.replace(year=AT.year - 1))
    assert [(row["place"], row["answered"], row["open"]) for row in rows] == [("portal", 1, 1)]


@pytest.mark.parametrize("path", ["/kb/", "/kb/?q=export", "/kb/categories/", "/kb/insights/", "/kb/suggest/?q=export"])
def test_a_page_asks_as_often_for_three_as_for_one(client, bob, ann, publish, path):
    client.force_login(bob)

    def count():
        client.get(path)
        with CaptureQueriesContext(connection) as queries_made:
            text(client.get(path))
        return sum(not query["sql"].startswith("SET search_path") for query in queries_made)

    publish("Export one")
    actions.note_gap("sso one", place="base", actor=ann, at=AT)
    one = count()
    for number in (2, 3):
        publish(f"Export {number}")
        actions.create_category(actor=ann, at=AT, title=f"Shelf {number}")
        actions.note_gap(f"sso {number}", place="base", actor=ann, at=AT)
    assert count() == one
    assert one <= 12


def test_what_a_customer_types_into_a_request_finds_public_articles_only(customer, publish):
    publish("Pair a tracker", audience=Audience.PUBLIC)
    publish("Pair a tracker by hand, for colleagues", audience=Audience.INTERNAL)
    typed = {"subject": "How do I pair my tracker?"}
    found = text(customer.get("/portal/tickets/suggest/", typed, headers={"HX-Request": "true"}))
    assert "/portal/help/pair-a-tracker/?q=How%20do%20I%20pair%20my%20tracker%3F" in found
    assert "colleagues" not in found
    nothing = customer.get("/portal/tickets/suggest/", {"subject": "Weather"}, headers={"HX-Request": "true"})
    assert text(nothing).strip() == ""
    without_script = customer.get("/portal/tickets/suggest/", {"q": "pair tracker"})
    assert "/portal/help/pair-a-tracker/" in text(without_script)
