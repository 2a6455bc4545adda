"""Two colleagues, a shelf, and articles on it."""

import pytest

from accounts.choices import Role
from knowledge import actions
from tests.knowledge.people import AT, person


@pytest.fixture
def ann():
    return person("ann")


@pytest.fixture
def bob():
    return person("bob", Role.VP_CS)


@pytest.fixture
def shelf(ann):
    return actions.create_category(actor=ann, at=AT, title="Troubleshooting")


@pytest.fixture
def write(ann, shelf):
    def written(title="Export fails", body="Use the **CSV** button.", **more):
        return actions.write_article(actor=ann, at=AT, category=shelf, title=title, body=body, **more)

    return written


@pytest.fixture
def publish(write, ann, bob):
    def published(title="Export fails", *, article=None, at=AT, **more):
        article = article or write(title, **more)
        actions.submit_article(article, actor=ann, at=at)
        for kind in ("technical", "editorial"):
            actions.review_text(article, kind, approve=True, actor=bob, at=at)
        return actions.publish_article(article, actor=bob, at=at)

    return published
