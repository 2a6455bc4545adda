"""An article's way from a draft to its readers, and who those are."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from accounts.audit import verify_chain
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Account, AuditEntry
from knowledge import actions, queries
from knowledge.choices import Audience, Place, State
from knowledge.models import Article, Category, Lookup, Vote
from packs.actions import install_pack
from tests.knowledge.people import AT, person

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("FMEA-6.10")
def test_an_article_is_published_only_after_both_reviews(write, ann, bob):
    article = write()
    with pytest.raises(RuleViolated, match="The article is draft, not in review"):
        actions.publish_article(article, actor=bob, at=AT)
    actions.submit_article(article, actor=ann, at=AT)
    for kind, missing in (("", "technical review and the editorial review"), ("technical", "editorial review")):
        if kind:
            actions.review_text(article, kind, approve=True, actor=bob, at=AT)
        with pytest.raises(RuleViolated, match=f"The {missing} must come first"):
            actions.publish_article(article, actor=bob, at=AT)
    actions.review_text(article, "editorial", approve=True, actor=bob, at=AT)
    published = actions.publish_article(article, actor=bob, at=AT)
    assert (published.state, published.published.number, published.published_at) == (State.PUBLISHED, 1, AT)
    assert verify_chain().intact


@pytest.mark.requirement("FMEA-6.10")
def test_overdue_maintenance_is_listed_from_the_day_after(publish, ann):
    article = publish(check_every_days=30)
    assert article.check_on == timezone.localdate(AT) + timedelta(days=30)
    for on, listed in ((article.check_on, []), (article.check_on + timedelta(days=1), ["Export fails"])):
        page = queries.articles(ann, queries.Filters(state="overdue"), "", on=on)
        assert [row["title"] for row in page.rows] == listed
        assert queries.state_counts(ann, on)["overdue"] == len(listed)
    actions.confirm_article(article, actor=ann, at=AT + timedelta(days=31))
    assert Article.objects.to_maintain(article.check_on + timedelta(days=1)).count() == 0


def test_nobody_reviews_their_own_text_while_a_colleague_could(write, ann, bob):
    article = actions.submit_article(write(), actor=ann, at=AT)
    with pytest.raises(RuleViolated, match="Somebody else"):
        actions.review_text(article, "technical", approve=True, actor=ann, at=AT)
    bob.is_active, bob.deactivated_at = False, AT
    bob.save()
    assert actions.review_text(article, "technical", approve=True, actor=ann, at=AT).is_approval


def test_a_refusal_needs_a_reason_and_sends_the_text_back(write, ann, bob):
    article = actions.submit_article(write(), actor=ann, at=AT)
    with pytest.raises(RuleViolated, match="Say what has to change"):
        actions.review_text(article, "technical", approve=False, note="  ", actor=bob, at=AT)
    actions.review_text(article, "technical", approve=False, note="The button moved.", actor=bob, at=AT)
    article.refresh_from_db()
    assert article.state == State.DRAFT
    actions.revise_article(article, body="Use the menu.", actor=ann, at=AT)
    assert [text.number for text in article.texts.all()] == [2, 1]


def test_readers_keep_the_published_text_until_the_next_is_published(publish, ann, bob):
    article = publish()
    actions.revise_article(article, title="Export works", body="Press E.", actor=ann, at=AT)
    article.refresh_from_db()
    assert (article.state, article.title, article.published.title) == (State.DRAFT, "Export works", "Export fails")
    assert [found.title for found in queries.search(ann, "csv")] == ["Export fails"]
    publish(article=article)
    assert queries.search(ann, "csv") == []
    assert [found.title for found in queries.search(ann, "press")] == ["Export works"]


def test_words_nobody_has_seen_are_written_over(write, ann):
    article = write()
    actions.revise_article(article, body="Second thoughts.", actor=ann, at=AT)
    assert [(text.number, text.body) for text in article.texts.all()] == [(1, "Second thoughts.")]


def test_what_changes_nothing_writes_nothing_and_a_lost_race_is_told(write, ann):
    article = write(tags=["csv"])
    entries = AuditEntry.objects.count()
    actions.revise_article(article, title="Export fails", tags=["csv"], actor=ann, at=AT, expected_version=1)
    assert AuditEntry.objects.count() == entries
    actions.revise_article(article, title="Other", actor=ann, at=AT, expected_version=1)
    with pytest.raises(StaleVersion):
        actions.revise_article(article, title="Third", actor=ann, at=AT, expected_version=1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"body": " \n"}, "body"),
        ({"body": "x" * 100_001}, "body"),
        ({"audience": "everybody"}, "audience"),
        ({"tags": ["x"] * 13}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"check_every_days": 0}, "check_every_days"),
        ({"check_every_days": 1096}, "check_every_days"),
    ],
)
def test_a_wrong_field_is_named(write, changes, field):
    with pytest.raises(RuleViolated) as refused:
        write(**changes)
    assert (refused.value.field, Article.objects.count()) == (field, 0)


def test_addresses_differ_whatever_the_titles(write):
    assert [write(title).slug for title in ("New", "New", "???", "???")] == ["new", "new-2", "article", "article-2"]


@pytest.mark.requirement("MNA-4.4")
def test_a_runbook_can_be_limited_to_one_customer(publish, write):
    halden, other = (Account.objects.create(name=name) for name in ("Halden", "Other"))
    reader = person("rita", Role.PORTAL_USER, portal_accounts=[halden])
    stranger = person("sid", Role.PORTAL_USER, portal_accounts=[other])
    publish("Runbook", audience=Audience.PUBLIC, accounts=[halden])
    publish("For all", audience=Audience.PUBLIC)
    publish("Inside", audience=Audience.INTERNAL)
    write("Draft", audience=Audience.PUBLIC)
    seen = {who: set(Article.objects.visible_to(who).values_list("title", flat=True)) for who in (reader, stranger)}
    assert seen == {reader: {"Runbook", "For all"}, stranger: {"For all"}}


@pytest.mark.parametrize("pack", ["fmea", "mna"])
def test_a_pack_brings_its_categories_and_keeps_the_workspaces_own(ann, pack):
    own = actions.create_category(actor=ann, at=AT, title="Best practices", detail="Ours")
    install_pack(pack, actor=None, at=AT)
    install_pack(pack, actor=None, at=AT)
    titles = {
        "fmea": ["Getting Started", "How-To Guides", "Troubleshooting", "Release Notes", "API Documentation"],
        "mna": ["Documentation", "Training", "Community", "Updates"],
    }
    assert [category.title for category in Category.objects.filter(pack=pack)] == titles[pack]
    own.refresh_from_db()
    assert (own.pack, own.detail) == ("", "Ours")


def test_votes_count_each_person_once_by_their_last_word(publish, ann, bob):
    article = publish()
    for who, helpful in ((ann, True), (bob, False), (ann, False), (ann, True)):
        actions.vote(article, is_helpful=helpful, actor=who, at=AT)
    article.refresh_from_db()
    assert (article.helpful, article.unhelpful, Vote.objects.count()) == (1, 1, 2)


def test_deflection_counts_questions_answered_and_left_open_by_place(publish, ann, bob):
    article = publish()
    actions.note_answer(article, "Export  CSV", place=Place.TICKET, actor=ann, at=AT)
    actions.note_answer(article, "export csv", place=Place.TICKET, actor=ann, at=AT)
    actions.note_gap("SSO", place=Place.TICKET, actor=ann, at=AT)
    actions.note_gap("sso", place=Place.TICKET, actor=bob, at=AT)
    since = AT - timedelta(days=1)
    assert [(row["place"], row["answered"], row["open"]) for row in queries.deflection(since)] == [("ticket", 1, 2)]
    assert [(gap["query"], gap["times"], gap["people"]) for gap in queries.gaps(since)] == [("sso", 2, 2)]
    assert Lookup.objects.count() == 3


def test_a_picture_is_drawn_anew_and_seen_by_readers_of_its_article_only(publish, ann, client):
    raw = BytesIO()
    Image.new("RGB", (2000, 500), "teal").save(raw, "JPEG", comment=b"canary")
    article = publish(audience=Audience.PUBLIC)
    client.force_login(ann)
    file = SimpleUploadedFile("menu.jpg", raw.getvalue())
    client.post(f"/kb/articles/{article.slug}/pictures/", {"picture": file})
    picture = article.pictures.get()
    answer = client.get(f"/kb/pictures/{picture.pk}/")
    assert (answer["Content-Type"], Image.open(BytesIO(answer.content)).size) == ("image/png", (1600, 400))
    assert b"canary" not in answer.content
    halden = Account.objects.create(name="Halden")
    client.force_login(person("rita", Role.PORTAL_USER, portal_accounts=[halden]))
    assert client.get(f"/kb/pictures/{picture.pk}/").status_code == 200
    actions.revise_article(article, audience=Audience.INTERNAL, actor=ann, at=AT)
    assert client.get(f"/kb/pictures/{picture.pk}/").status_code == 404


def test_retiring_takes_it_from_readers_and_a_change_begins_again(publish, ann, bob):
    article = publish()
    actions.retire_article(article, actor=bob, at=AT)
    assert queries.search(ann, "csv") == []
    actions.revise_article(article, body="Anew.", actor=ann, at=AT)
    article.refresh_from_db()
    assert (article.state, article.check_on, article.texts.count()) == (State.DRAFT, None, 2)
    assert isinstance(timezone.localdate(AT), date)
