"""Articles in every state: drafts and texts in review hold canaries, the published one is for customers."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from accounts.models import User
from knowledge import actions
from knowledge.choices import Audience, ReviewKind
from knowledge.models import Article
from tests.authz.world import canary

if TYPE_CHECKING:
    from tests.authz.world import World


def fill(world: World, letter: str, *, author: User, reviewer: User) -> None:
    """Make the articles of one tenant, whose schema is selected."""
    shelf = world.keep(
        letter, "category", 1, actions.create_category(actor=author, at=world.now, title=f"Shelf {letter}")
    )
    made: dict[str, Article] = {}
    for state in ("draft", "review", "ready", "published"):
        words = "Published for customers" if state == "published" else canary(letter, "w", "i", state)
        made[state] = actions.write_article(
            actor=author,
            at=world.now,
            category=shelf,
            title=f"{state} {letter}",
            body=words,
            summary=words,
            audience=Audience.PUBLIC,
        )
        world.keep(letter, f"article_{state}", 1, made[state])
    for state in ("review", "ready", "published"):
        actions.submit_article(made[state], actor=author, at=world.now)
    for state in ("ready", "published"):
        for kind in ReviewKind.values:
            actions.review_text(made[state], kind, approve=True, actor=reviewer, at=world.now)
    actions.publish_article(made["published"], actor=reviewer, at=world.now)
    raw = BytesIO()
    Image.new("RGB", (40, 40), "navy").save(raw, "PNG")
    picture = actions.add_picture(made["published"], raw.getvalue(), name="menu", actor=author, at=world.now)
    world.keep(letter, "picture", 1, picture)
