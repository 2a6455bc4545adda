"""Runs cells of the matrix and says what is wrong with them.

A cell is one request: a route and method, an actor, a target. It must answer the exact status that
``reference.expected`` works out, show no canary that the actor may not see, and write nothing when it refuses
or when it is a GET. Each cell runs in a savepoint that is rolled back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from django.core.cache import caches
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.choices import STAFF_ROLES, Role
from tests.authz.bodies import Example, example_of
from tests.authz.objects import Target, targets
from tests.authz.reference import expected, is_missing
from tests.authz.routes import Route

if TYPE_CHECKING:
    from tests.authz.actors import Actor
    from tests.authz.world import World

CANARY = re.compile(r"canary-([ab])-([12wx])-([is])")
# Those who also try rows of another tenant, made-up ones and mismatched pairs wherever they are let in; for the
# others own and other rows say what their role does.
THOROUGH = {"owner", "csm", "renewals", "reader", "portal1", "token[read write admin]", "operator"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One request."""

    route: Route
    method: str
    actor: Actor
    target: Target | None

    def __str__(self) -> str:
        aim = f" at {self.target.kind}" if self.target else ""
        return f"{self.actor.name}: {self.method} {self.route.name}{aim}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back."""

    status: int
    text: str
    location: str
    writes: frozenset[str]


def cells(world: World, routes: Iterable[Route], actors: Iterable[Actor]) -> Iterator[Cell]:
    """All cells of ``routes``: every actor of the route's host at every target worth trying.

    Whoever is refused before any object is looked up tries one that exists (two of them also one made up); the
    rest would only repeat them. On pages a token is nobody, whatever its scopes: one of them stands for all.
    """
    people = list(actors)
    for route in routes:
        try:
            aims = targets(route, world)
        except LookupError:  # told by test_every_object_in_an_address_is_seeded
            continue
        for method in route.methods:
            if method not in route.policy:
                continue
            for actor in people:
                if route.host != actor.host:
                    continue
                for target in _worth_trying(route, method, actor, aims):
                    yield Cell(route, method, actor, target)


def _worth_trying(route: Route, method: str, actor: Actor, aims: list[Target | None]) -> list[Target | None]:
    if actor.is_token and not route.is_api and "admin" not in (actor.scopes or ()):
        return []
    if route.is_api and actor.name in {"halfway", "unverified"}:
        return []
    if method == "PUT":
        aims = [aim for aim in aims if aim is None or not (aim.upserts and is_missing(actor, aim))]
    # To tenant B everything of A is foreign, so its own rows stand for all.
    if actor.tenant == "b":
        return [aim for aim in aims if aim is None or aim.kind in {"own", "unknown"}]
    if expected(actor, route.policy[method], method, None, api=route.is_api) is not None:
        kinds = {"own", "unknown"} if actor.name in {"anonymous", "portal1"} else {"own"}
        return [aim for aim in aims if aim is None or aim.kind in kinds]
    if actor.name not in THOROUGH:
        return [aim for aim in aims if aim is None or aim.kind in {"own", "other"}]
    return aims


def knock(world: World, cell: Cell, example: Example) -> Outcome:
    """Send one request and roll back whatever it did."""
    kwargs = cell.target.kwargs if cell.target else {}
    path = reverse(cell.route.name, kwargs=kwargs, urlconf=cell.route.urlconf) + example.query
    client = world.client
    client.cookies = SimpleCookie(cell.actor.cookies)
    headers = {"host": world.host(cell.actor.tenant), **cell.actor.headers, **example.headers}
    for alias in ("default", "global"):
        caches[alias].clear()
    body = example.body(world, cell.actor) if callable(example.body) else example.body
    with world.inside("a"), transaction.atomic():
        response = _send(cell, path, body, headers, client, multipart=example.multipart)
        text = _text_of(response)
        # The counters go on counting when the savepoint is undone, so one look a cell is enough.
        written = world.writes.since()
        transaction.set_rollback(True)
    return Outcome(response.status_code, text, response.get("Location", ""), written)


def _send(cell: Cell, path: str, body: Any, headers: dict[str, str], client: Client, *, multipart: bool) -> Any:
    if cell.method == "GET":
        return client.get(path, body or None, headers=headers)
    if cell.route.is_api and not multipart:
        content = json.dumps(body)
        return client.generic(cell.method, path, content, content_type="application/json", headers=headers)
    return client.post(path, body, headers=headers)


def _text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = " ".join(f"{name}: {value}" for name, value in response.items())
    return (headers + "\n" + body.decode("utf-8", "replace")).lower()


def may_see(actor: Actor, tenant: str, scope: str, visibility: str) -> bool:
    """Whether ``actor`` may be shown a canary. ``x`` is printed for whoever holds a secret link."""
    if tenant != actor.tenant:
        return False
    if scope == "x":
        return True
    if actor.role is None:
        return False
    staff = actor.role in STAFF_ROLES
    if scope == "w":
        return staff
    return int(scope) in actor.sees and (staff or visibility == "s")


def wanted_of(cell: Cell) -> int | None:
    """The status of a refusal, or None where the cell must get through."""
    capability = cell.route.policy[cell.method]
    wanted = expected(cell.actor, capability, cell.method, cell.target, api=cell.route.is_api)
    example = example_of(cell.route, cell.method)
    about = example.about
    if wanted is not None or about is None:
        return wanted
    if cell.actor.tenant != "a" or 1 not in cell.actor.sees:
        return about[0]
    by_an_agent = example.agents and cell.actor.role == Role.SUPPORT_AGENT
    return None if 1 in cell.actor.edits or by_an_agent else about[1]


def judge(world: World, cell: Cell) -> list[str]:
    """What is wrong with ``cell``, in words; empty when nothing is."""
    example = example_of(cell.route, cell.method)
    wanted = wanted_of(cell)
    outcome = knock(world, cell, example)
    refused = wanted is not None
    status = wanted if refused else example.status_for(cell.actor)
    problems = []
    if outcome.status != status:
        problems.append(f"{cell}: {outcome.status} instead of {status}" + _excerpt(outcome))
    if refused and status == 302 and "/auth/login/" not in outcome.location:
        problems.append(f"{cell}: sent to {outcome.location!r} instead of the sign-in page")
    shown = {found for found in CANARY.findall(outcome.text) if not may_see(cell.actor, *found)}
    problems += [f"{cell}: shows canary-{'-'.join(found)}" for found in sorted(shown)]
    frames = {"workplace": '<nav class="side"', "portal": '<body class="portal"'}
    worn = {frame for frame, mark in frames.items() if mark in outcome.text}
    if worn - {"workplace" if cell.actor.role in STAFF_ROLES else "portal"}:
        problems.append(f"{cell}: wears the frame of the {', '.join(worn)}")
    if (refused or cell.method == "GET") and outcome.writes:
        problems.append(f"{cell}: wrote to {', '.join(sorted(outcome.writes))}")
    return problems


def _excerpt(outcome: Outcome) -> str:
    body = outcome.text.split("\n", 1)[-1]
    found = re.search(r'class="err"[^>]*>(.{0,160})|"detail": ?"(.{0,160})', body, re.S)
    return f" ({' '.join(re.sub('<[^>]*>', ' ', found.group(0)).split())})" if found else ""
