"""What the demonstration companies have written down, published months ago with both reviews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from demo.workspaces import Demo
from knowledge import actions, queries
from knowledge.choices import Audience, Place, ReviewKind


@dataclass(frozen=True, slots=True)
class Note:
    """An article: ``shelf`` is a word its category's title holds; ``age`` how many days ago it was published."""

    title: str
    summary: str
    body: str
    shelf: str
    age: int
    audience: str = Audience.PUBLIC


NOTES = (
    Note(
        "Sign in with your company's account",
        "Single sign-on with your identity provider, and what to do when it refuses.",
        "## Turn it on\n\n1. An administrator opens **Settings**, then **Sign-in**.\n2. Paste the metadata address of "
        "your identity provider and press **Test**.\n3. When the test says that your own address came back, press "
        "**Turn on**.\n\n## If it refuses\n\n* *Unknown address*: the person has not been invited yet.\n* *Clock "
        "skew*: the two servers' clocks differ by more than two minutes.\n\nThe password keeps working for owners, so "
        "nobody is locked out.",
        "start",
        210,
    ),
    Note(
        "Export your figures",
        "Every list can be downloaded as CSV, with the columns and filters you see.",
        "Press **CSV** above any list. The file holds what the list shows: the same filters, the same columns, the "
        "same order.\n\n| Rows | Time |\n|---|---|\n| up to 10,000 | at once |\n| more | a mail with a link |\n\nIf "
        "Excel shows everything in one column, open the file with **Data, From text** and choose the comma.",
        "how",
        150,
    ),
    Note(
        "The daily figures look too low",
        "Three reasons why a day shows less than you expect, in the order in which to check them.",
        "1. **The day is not over** where your workspace is: see *Settings, Time zone*.\n2. **Events are waiting** "
        "because their account is unknown: see *Usage received, Unknown accounts*.\n3. **An integration stopped**: its "
        "last delivery is on the same page.\n\nFigures are worked out anew within seconds once the cause is gone.",
        "trouble",
        96,
    ),
    Note(
        "Invite your team and choose what they may do",
        "Roles, and how to change them later.",
        "## Roles\n\n* **Administrator**: people, settings, everything below.\n* **Editor**: works on records.\n* "
        "**Reader**: sees, and changes nothing.\n\nA role is changed on the person's page and holds at once.",
        "start",
        230,
    ),
    Note(
        "Before a release: what to tell customers",
        "A checklist for whoever announces a release.",
        "- [ ] What changes for whom, in one sentence\n- [ ] From when\n- [ ] What they have to do, if anything\n- [ ] "
        "Whom they can ask\n\nSend it two weeks before and again on the day.",
        "practice",
        60,
        Audience.INTERNAL,
    ),
)
UNANSWERED = ("delete a user for good", "api rate limit per token", "connect power bi")


def write_articles(demo: Demo, people: dict[str, User], *, now: datetime) -> None:
    """Write, review and publish the articles of ``demo``; note what was answered by them and what is missing."""
    author, reviewer = people["Mara Lind"], people["Victoria Hale"]
    shelves = queries.categories(author)
    for number, note in enumerate(NOTES):
        at = now - timedelta(days=note.age)
        shelf = next((shelf for shelf in shelves if note.shelf in shelf.title.lower()), shelves[0])
        article = actions.write_article(
            actor=author,
            at=at,
            category=shelf,
            title=note.title,
            summary=note.summary,
            body=note.body,
            audience=note.audience,
        )
        actions.submit_article(article, actor=author, at=at)
        for kind in ReviewKind.values:
            actions.review_text(article, kind, approve=True, actor=reviewer, at=at)
        actions.publish_article(article, actor=reviewer, at=at)
        for reader in list(people.values())[: 2 + number]:
            asked = now - timedelta(days=2 + 3 * number)
            actions.note_answer(article, note.title, place=Place.TICKET, actor=reader, at=asked)
    for days, words in enumerate(UNANSWERED, start=4):
        actions.note_gap(words, place=Place.BASE, actor=author, at=now - timedelta(days=days))
    draft = "Say how each plan counts its seats, with an example.\n\nStill open: what happens in the month of a change."
    actions.write_article(actor=author, at=now, category=shelves[0], title=f"How {demo.name} counts seats", body=draft)
