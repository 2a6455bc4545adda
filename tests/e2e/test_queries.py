"""How many queries each page of the browser tests costs: twelve at most, session, person and workspace included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from django_tenants.utils import tenant_context

from accounts import navigation
from accounts.models import Account, User
from benchmarks.everypage import linked_pages, plain_paths
from tenants.models import Tenant
from tests.e2e.test_pages import PAGES, path_of

MOST = 12
# Words to the connection, not questions to a table: where it looks, and how it plans.
NO_QUERIES = ("SET search_path", "SELECT set_config")


@pytest.fixture(scope="module")
def client_of(world: Any, django_db_blocker: Any) -> Iterator[Callable[[str], Client]]:
    """Somebody of the workspace signed in, in a process that has looked up its host and side bar."""
    clients: dict[str, Client] = {}

    def signed_in(who: str) -> Client:
        if who not in clients:
            clients[who] = Client(HTTP_HOST="acme.localhost")
            connection.set_tenant(Tenant.objects.get(slug="acme"))
            if who:
                clients[who].force_login(User.objects.get(email__startswith=f"{who}@"))
        return clients[who]

    with pytest.MonkeyPatch.context() as patch, override_settings(HOSTS_KEPT_SECONDS=600), django_db_blocker.unblock():
        patch.setattr(navigation, "KEPT_SECONDS", 600)
        yield signed_in
        connection.set_schema_to_public()


@pytest.fixture(scope="module")
def statements(client_of: Callable[[str], Client]) -> Callable[[str, str], list[str]]:
    """``statements(who, path)`` of a page's first answer after a change of the portfolio, when what is kept of it is
    drawn anew: the most that a page costs in a process that is at work.
    """

    def ask(who: str, path: str) -> list[str]:
        seen: list[str] = []

        def note(execute: Any, sql: Any, *rest: Any) -> Any:
            seen.append(str(sql))
            return execute(sql, *rest)

        assert client_of(who).get(path).status_code == 200
        with tenant_context(Tenant.objects.get(slug="acme")):
            assert Account.objects.filter(name="Kestrel Energy").update(updated_at=timezone.now()) == 1
        with connection.execute_wrapper(note):
            client_of(who).get(path)
        return [sql for sql in seen if not sql.startswith(NO_QUERIES)]

    return ask


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_twelve_queries_at_most(statements, world, name):
    who, pattern = PAGES[name]
    seen = statements(who, path_of(pattern, world))
    assert len(seen) <= MOST, "\n".join(seen)


def test_no_page_that_a_link_leads_to_costs_more(client_of, statements):
    pages = linked_pages(client_of("owner"), plain_paths())
    assert len(pages) > 150
    costly = {path: seen for path in pages if len(seen := statements("owner", path)) > MOST}
    assert costly == {}
