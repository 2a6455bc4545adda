"""The knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.authz.bodies.example import Example

if TYPE_CHECKING:
    from knowledge.models import Category
    from tests.authz.actors import Actor
    from tests.authz.world import World


def article_form(world: World, actor: Actor) -> dict[str, Any]:
    """The editor's fields."""
    shelf = shelf_of(world, actor)
    return {"title": "T", "body": "B", "category": shelf.pk, "audience": "internal", "check_every_days": "90"}


def shelf_of(world: World, actor: Actor) -> Category:
    """The category of the actor's own workspace."""
    return world.rows[("category", "foreign" if actor.tenant == "b" else "own")]


EXAMPLES: dict[str, Example] = {
    "POST knowledge:article-create": Example(article_form),
    "POST knowledge:article-edit": Example(article_form),
    "POST knowledge:preview": Example({"body": "# Hello"}, status=200),
    "GET knowledge:suggest": Example(query="?q=customers"),
    "POST knowledge:category-list": Example({"title": "More"}),
    "POST knowledge:category-edit": Example({"title": "More", "position": "1"}),
    "POST knowledge:article-review": Example({"kind": "technical", "verdict": "approve"}),
    "POST knowledge:article-vote": Example({"helpful": "yes"}),
    "POST knowledge:article-solved": Example({"q": "export"}),
    "POST knowledge:gap": Example({"q": "export"}),
    "POST api:article-list": Example(
        lambda world, actor: {"title": "T", "body": "B", "category": shelf_of(world, actor).key}
    ),
    "PATCH api:article-detail": Example({"title": "Changed"}),
    "POST api:article-review": Example({"kind": "technical", "verdict": "approve"}),
}
