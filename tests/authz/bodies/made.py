"""Bodies that several domains send, made of the world and the actor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World


def owner_chosen(name: str) -> Callable[[World, Actor], dict[str, Any]]:
    """A form whose field ``name`` names a colleague who may own accounts."""
    return lambda world, actor: {name: world.people_of(actor)["vp"].pk}


def of_account(fields: dict[str, Any]) -> Callable[[World, Actor], dict[str, Any]]:
    """A body about account 1."""
    return lambda world, actor: {**fields, "account": str(world.own("account").pk)}


def tomorrow() -> str:
    """A day that is still to come."""
    return (timezone.now().date() + timedelta(days=2)).isoformat()


def definition(seed: str, **changes: str) -> Callable[[World, Actor], dict[str, Any]]:
    """The definition of a seeded version, with another key for a new one."""
    return lambda world, actor: {"definition": {**world.own(seed).definition, **changes}}


CALENDAR = {"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}}
