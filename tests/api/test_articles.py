"""``kb/articles``: what an integrator does with it."""

import pytest

from accounts.choices import Role
from knowledge import actions
from knowledge.models import Article
from tests.api.conftest import Api, token_for
from tests.factories import AT, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf(api):
    return actions.create_category(actor=UserFactory(), at=AT, title="How to")


def test_from_draft_to_reader_and_back(api, shelf):
    sent = {"title": "Pair", "body": "Hold it.", "category": "how-to", "audience": "public", "tags": "a, b, a"}
    made = api.post("kb/articles/", sent)
    assert made.status_code == 201
    article = made.json()
    assert (article["state"], article["category"], article["tags"]) == ("draft", "how-to", ["a", "b"])
    assert article["published_body"] is None
    at = f"kb/articles/{article['id']}/"
    assert api.post(at + "publish/", {}).status_code == 422
    assert api.post(at + "submit/", {}).json()["state"] == "review"
    assert api.post(at + "review/", {"kind": "technical", "verdict": "approve"}).status_code == 422
    colleague = Api(api.client, token_for(UserFactory(role=Role.VP_CS)))
    for kind in ("technical", "editorial"):
        assert colleague.post(at + "review/", {"kind": kind, "verdict": "approve"}).status_code == 200
    published = api.post(at + "publish/", {}).json()
    assert (published["state"], published["published_body"]) == ("published", "Hold it.")
    assert [row["title"] for row in api.get("kb/articles/?q=hold").json()["results"]] == ["Pair"]
    assert api.get("kb/articles/?q=release").json()["results"] == []
    assert api.get("kb/articles/?overdue=true").json()["results"] == []
    assert api.post(at + "retire/", {}).json()["published_body"] is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"category": "none"}, "/category"),
        ({"title": ""}, "/title"),
        ({"audience": "all"}, "/audience"),
        ({"check_every_days": 0}, "/check_every_days"),
        ({"account": "nobody"}, "/account"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_kept(api, shelf, changes, pointer):
    answer = api.post("kb/articles/", {"title": "T", "body": "B", "category": "how-to", **changes})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert Article.objects.count() == 0


def test_a_lost_race_is_412(api, shelf):
    article = api.post("kb/articles/", {"title": "T", "body": "B", "category": "how-to"})
    at = f"kb/articles/{article.json()['id']}/"
    assert api.patch(at, {"title": "U"}, if_match=article["ETag"]).status_code == 200
    assert api.patch(at, {"title": "V"}, if_match=article["ETag"]).status_code == 412
