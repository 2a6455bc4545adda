"""The authorisation matrix: every route and method, every actor, every kind of object."""

from __future__ import annotations

import os
import re
from collections import defaultdict

from accounts.policy import CAPABILITIES
from tests.authz.bodies import EXAMPLES
from tests.authz.matrix import cells, judge, wanted_of
from tests.authz.objects import targets
from tests.authz.reference import LETTERS, TABLE
from tests.authz.routes import routes

# To work on a part: AUTHZ_ONLY=playbooks: narrows the cells to routes whose name matches, AUTHZ_SHOW says how much.
ONLY = os.environ.get("AUTHZ_ONLY", "")
SHOWN = int(os.environ.get("AUTHZ_SHOW", "60"))


def test_every_route_and_method_declares_its_policy():
    assert [line for route in routes() for line in route.undeclared()] == []


def test_every_declared_capability_is_in_the_policy_table():
    unknown = {
        f"{capability} ({route.name})"
        for route in routes()
        for capability in route.policy.values()
        if capability != "anonymous" and capability not in CAPABILITIES
    }
    assert unknown == set()


def test_the_policy_table_is_the_one_that_was_reviewed():
    actual = {
        name: ("".join(sorted(k for k, role in LETTERS.items() if role in capability.roles)), str(capability.scope))
        for name, capability in CAPABILITIES.items()
    }
    assert actual == {name: ("".join(sorted(roles)), scope) for name, (roles, scope) in TABLE.items()}


def test_examples_name_existing_routes():
    known = {f"{method} {route.name}" for route in routes() for method in route.methods}
    assert sorted(set(EXAMPLES) - known) == []


def test_every_object_in_an_address_is_seeded(world):
    missing = []
    for route in routes():
        try:
            found = targets(route, world)
        except LookupError as error:
            missing.append(str(error))
            continue
        if found != [None] and not any(target.kind == "own" for target in found):
            missing.append(f"tests/authz/seeds.py makes no row for {route.kwargs} of {route.name}")
    assert missing == []


def test_every_cell_answers_as_the_reference_says(world, capsys):
    problems, reached, count = [], defaultdict(bool), 0
    for cell in cells(world, [route for route in routes() if re.search(ONLY, route.name)], world.actors):
        count += 1
        found = judge(world, cell)
        problems += found
        allowed = wanted_of(cell) is None
        reached[f"{cell.method} {cell.route.name}"] |= allowed and not found
    unreached = [
        f"{name}: nobody is let in (a positive control is missing; see tests/authz/bodies)"
        for name, ok in reached.items()
        if not ok
    ]
    with capsys.disabled():
        undeclared = sum(len(route.undeclared()) for route in routes())
        addresses = len({name.split(" ", 1)[1] for name in reached})
        print(f"\nauthz: {addresses} routes, {count} cells, {undeclared} undeclared", end=" ")
        print(f"({len(reached)} pairs of route and method)")
    assert not problems, f"{len(problems)} of {count} cells are wrong:\n" + "\n".join(problems[:SHOWN] + unreached)
    assert unreached == []
