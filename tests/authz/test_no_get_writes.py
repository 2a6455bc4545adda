"""Reading changes nothing: HEAD and OPTIONS of every address. The matrix itself asserts it of every GET."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

from django.db import transaction
from django.urls import reverse

from accounts.models import Account
from tests.authz.bodies import example_of
from tests.authz.objects import targets
from tests.authz.routes import METHODS, routes
from tests.authz.writes import SESSION_TABLES

READERS = {"owner", "portal1"}


def test_head_and_options_write_nothing(world):
    wrote = []
    readers = [actor for actor in world.actors if actor.name in READERS]
    for route in (route for route in routes() if route.host == "tenant"):
        for target in targets(route, world)[:1]:
            path = reverse(route.name, kwargs=target.kwargs if target else {})
            for actor in readers:
                wrote += [f"{actor.name}: {line}" for line in _asked(world, route, path, actor)]
    assert wrote == []


def _asked(world, route, path, actor):
    query = example_of(route, "GET").query if "GET" in route.methods else ""
    for method in ("HEAD", "OPTIONS"):
        with world.inside("a"), transaction.atomic():
            world.client.cookies = SimpleCookie(actor.cookies)
            response = world.client.generic(method, path + query, headers={"host": world.host("a")})
            changed = world.writes.since()
            transaction.set_rollback(True)
        if changed:
            yield f"{method} {route.name} wrote to {', '.join(sorted(changed))}"
        if response.status_code >= 500 or not re.match(r"[2345]\d\d", str(response.status_code)):
            yield f"{method} {route.name} answered {response.status_code}"


def test_other_methods_are_405(world):
    """What ``requires`` does not name is not answered, even to an owner."""
    owner = next(actor for actor in world.actors if actor.name == "owner")
    answered = []
    for route in routes():
        if route.host != "tenant" or not hasattr(route.callback, "policy"):
            continue
        target = targets(route, world)[0]
        path = reverse(route.name, kwargs=target.kwargs if target else {})
        for method in set(METHODS) - set(route.methods):
            world.client.cookies = SimpleCookie(owner.cookies)
            status = world.client.generic(method, path, headers={"host": world.host("a")}).status_code
            if status != 405:
                answered.append(f"{method} {route.name}: {status}")
    assert answered == []


def test_the_session_tables_are_the_only_exception():
    assert {"django_session", "usersessions_usersession"} == SESSION_TABLES


def test_a_write_is_noticed_even_when_it_is_undone(world):
    with transaction.atomic():
        Account.objects.update(name="Another name")
        transaction.set_rollback(True)
    assert world.writes.since() == {f"{world.tenants['a'].schema_name}.accounts_account"}
    assert world.writes.since() == set()
