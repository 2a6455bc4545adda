"""Policies made laxer on purpose. The matrix must fail for each, or it proves nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from accounts.choices import Role, Scope
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from accounts.policy import ANONYMOUS, CAPABILITIES, Capability
from tests.authz.routes import Route


@dataclass(frozen=True, slots=True)
class Mutant:
    """One relaxation and the routes on which it must show."""

    name: str
    routes: list[Route]
    applied: Callable[[], AbstractContextManager[None]]


def mutants(draw: random.Random, routes: list[Route], count: int) -> list[Mutant]:
    """``count`` different mutants, drawn with ``draw``: two of the row rules, the rest of table and routes."""
    guarded = [route for route in routes if route.host == "tenant"]
    pool = [*_of_the_table(guarded), *_of_the_routes(guarded)]
    drawn = draw.sample(pool, count - 2)
    return [*_of_the_rows(guarded), *drawn]


def _of_the_table(routes: list[Route]) -> Iterator[Mutant]:
    for name, capability in CAPABILITIES.items():
        using = [route for route in routes if name in route.policy.values()]
        if not using:
            continue
        if capability.roles != frozenset(Role):
            lax = Capability(frozenset(Role), capability.scope)
            yield Mutant(f"everybody holds {name}", using, _table(name, lax))
        if any(route.is_api for route in using):
            api = [route for route in using if route.is_api]
            for scope in set(Scope) - {capability.scope}:
                lax = Capability(capability.roles, scope)
                yield Mutant(f"{name} needs only the scope {scope}", api, _table(name, lax))


def _table(name: str, lax: Capability) -> Callable[[], AbstractContextManager[None]]:
    return lambda: mock.patch.dict(CAPABILITIES, {name: lax})


def _of_the_routes(routes: list[Route]) -> Iterator[Mutant]:
    for route in routes:
        declared = _declared(route.callback)
        # allauth's views check for themselves as well, so taking our check away changes nothing there.
        if declared is None or route.name.startswith(("account_", "mfa_", "usersessions_")):
            continue
        for method, capability in declared.items():
            if capability != ANONYMOUS:
                yield Mutant(f"{method} {route.name} is open to everybody", [route], _open(route, declared, method))


def _declared(view: Any) -> dict[str, str] | None:
    """The very dict that is enforced: in the closure of a view behind ``requires``, or its class's."""
    enforced: dict[str, str] | None = getattr(getattr(view, "view_class", None), "policy", None)
    while view is not None and enforced is None:
        code = getattr(view, "__code__", None)
        for name in {"methods", "policy"} & set(code.co_freevars if code else ()):
            enforced = view.__closure__[code.co_freevars.index(name)].cell_contents
        view = getattr(view, "__wrapped__", None)
    return enforced


def _open(route: Route, declared: dict[str, str], method: str) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def applied() -> Iterator[None]:
        before = getattr(route.callback, "login_required", True)
        with mock.patch.dict(declared, {method: ANONYMOUS}):
            route.callback.login_required = False
            try:
                yield
            finally:
                route.callback.login_required = before

    return applied


def _of_the_rows(routes: list[Route]) -> list[Mutant]:
    on_accounts = [route for route in routes if "account_id" in route.kwargs]
    return [
        Mutant("everybody sees every account", on_accounts, _rows("visible_to")),
        Mutant("everybody may change every account", on_accounts, _rows("editable_by")),
    ]


def _rows(word: str) -> Callable[[], AbstractContextManager[None]]:
    def everything(self: AccountQuerySet, user: Any) -> AccountQuerySet:
        return self

    @contextmanager
    def applied() -> Iterator[None]:
        manager = type(Account.objects)
        with (
            mock.patch.object(AccountQuerySet, word, everything),
            mock.patch.object(manager, word, lambda self, user: self.get_queryset()),
        ):
            yield

    return applied
