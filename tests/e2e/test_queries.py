"""How many queries each page of the browser tests costs: twelve at most, session, person and workspace included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings

from accounts import navigation
from accounts.models import User
from tenants.models import Tenant
from tests.e2e.test_pages import PAGES, path_of

MOST = 12
# Words to the connection, not questions to a table: where it looks, and how it plans.
NO_QUERIES = ("SET search_path", "SELECT set_config")


@pytest.fixture(scope="module")
def statements(world: Any, django_db_blocker: Any) -> Iterator[Callable[[str, str], list[str]]]:
    """``statements(who, path)`` of a page's second answer, in a process that has looked up its host and side bar."""
    clients: dict[str, Client] = {}

    def client_of(who: str) -> Client:
        if who not in clients:
            clients[who] = Client(HTTP_HOST="acme.localhost")
            connection.set_tenant(Tenant.objects.get(slug="acme"))
            if who:
                clients[who].force_login(User.objects.get(email__startswith=f"{who}@"))
        return clients[who]

    def ask(who: str, path: str) -> list[str]:
        seen: list[str] = []

        def note(execute: Any, sql: Any, *rest: Any) -> Any:
            seen.append(str(sql))
            return execute(sql, *rest)

        assert client_of(who).get(path).status_code == 200
        with connection.execute_wrapper(note):
            client_of(who).get(path)
        return [sql for sql in seen if not sql.startswith(NO_QUERIES)]

    with pytest.MonkeyPatch.context() as patch, override_settings(HOSTS_KEPT_SECONDS=600), django_db_blocker.unblock():
        patch.setattr(navigation, "KEPT_SECONDS", 600)
        yield ask
        connection.set_schema_to_public()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_twelve_queries_at_most(statements, world, name):
    who, pattern = PAGES[name]
    seen = statements(who, path_of(pattern, world))
    assert len(seen) <= MOST, "\n".join(seen)
