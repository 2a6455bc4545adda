"""What an example says, and the statuses that depend on who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World

# What the API says of a name in the body that it does not know, and of a key; a form does not offer either.
IN_BODY, BY_KEY, IN_FORM = (422, 403), (404, 403), (422, 422)


@dataclass(frozen=True, slots=True)
class Example:
    """``body`` (or a function of world and actor that makes one), query string, headers, and the status it earns.

    ``status`` may be a function of the actor, where an address answers people differently by design. ``about``
    says that the body names account 1, and what whoever does not see it gets, and whoever may not change it.
    ``agents``: support agents may do it for every account they see.
    """

    body: dict[str, Any] | list[Any] | Callable[[World, Actor], Any] = field(default_factory=dict)
    status: int | Callable[[Actor], int] | None = None
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    about: tuple[int, int] | None = None
    agents: bool = False
    multipart: bool = False

    def status_for(self, actor: Actor) -> int:
        """What ``actor`` gets who may."""
        return self.status(actor) if callable(self.status) else int(self.status or 0)


def visitor(status: int, member: int) -> Callable[[Actor], int]:
    """``status`` for whoever is not signed in, ``member`` for the others. A token signs nobody in to a page."""
    return lambda actor: member if actor.role is not None and not actor.is_token else status


def named(statuses: dict[str, int], otherwise: int) -> Callable[[Actor], int]:
    """The status by actor's name."""
    return lambda actor: statuses.get(actor.name, otherwise)


def at_the_door(actor: Actor) -> int:
    """The sign-in page: whoever is in, or half-way in, is sent on."""
    return 302 if actor.name in {"halfway", "unverified"} else visitor(200, 302)(actor)


def with_factors(status: int, without: int) -> Callable[[Actor], int]:
    """``status`` for those who have a second factor."""
    return named({"owner": status, "owner of B": status}, without)
