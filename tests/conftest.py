"""Two workspaces in every test run; every test that touches the database starts inside ``acme``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django_tenants.test.client import TenantClient
from hypothesis import HealthCheck
from hypothesis import settings as properties

from tests import database

# How long drawing and trying takes says something of the machine, nothing of the property.
properties.register_profile("tenure", deadline=None, suppress_health_check=[HealthCheck.too_slow])
properties.load_profile("tenure")


@pytest.fixture(scope="session", autouse=True)
def quick_settings(django_test_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Plain static files, quick password hashes, every host looked up, files and Redis of the process's own."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    redis = urlsplit(settings.REDIS_URL)._replace(path=f"/{_worker() + 1}").geturl()
    with override_settings(
        REDIS_URL=redis,
        CACHES={name: {**cache, "LOCATION": redis} for name, cache in settings.CACHES.items()},
        STATIC_ROOT=str(tmp_path_factory.mktemp("static")),
        MEDIA_ROOT=str(tmp_path_factory.mktemp("media")),
        STORAGES={**settings.STORAGES, "staticfiles": plain},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        # A workspace suspended in a test is gone with the next request.
        HOSTS_KEPT_SECONDS=0,
    ):
        yield


def _worker() -> int:
    """Which of the processes that share the suite this is, from 0."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def fresh_database(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """A copy of the template, used by the whole run and dropped afterwards."""
    name = database.run_name()
    with django_db_blocker.unblock(), database.administrator() as admin:
        template = database.template(admin)
        admin.execute(f'drop database if exists "{name}" with (force)')
        admin.execute(f'create database "{name}" template "{template}" strategy file_copy')
        database.use(name)
        yield
        database.use("postgres")
        admin.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="module", autouse=True)
def tidy_tables(django_db_blocker: Any) -> None:
    """Before each file, where a database is there already."""
    if database.is_of_run() and not connection.in_atomic_block:
        with django_db_blocker.unblock():
            database.tidy()


@pytest.fixture(scope="session")
def django_db_setup(fresh_database: None) -> None:
    """Takes the place of pytest-django's own set-up, which would migrate into another database."""


@pytest.fixture(scope="session")
def tenants(fresh_database: None, django_db_blocker: Any) -> dict[str, Any]:
    """The workspaces by slug."""
    from tenants.models import Tenant

    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        return {tenant.slug: tenant for tenant in Tenant.objects.prefetch_related("domains")}


@pytest.fixture(autouse=True)
def workspace(request: pytest.FixtureRequest) -> Iterator[None]:
    """Select ``acme`` (or the one of ``@pytest.mark.schema``) for the test and the public schema after it."""
    mark = request.node.get_closest_marker("django_db")
    if not mark and not {"db", "transactional_db"} & set(request.fixturenames):
        yield
        return
    transactional = "transactional_db" in request.fixturenames or bool(mark and mark.kwargs.get("transaction"))
    request.getfixturevalue("transactional_db" if transactional else "db")
    slug = getattr(request.node.get_closest_marker("schema"), "args", ["acme"])[0]
    tenants = request.getfixturevalue("tenants")
    made = {name: {"status": row.status, "slug": row.slug, "gone_at": row.gone_at} for name, row in tenants.items()}
    connection.set_tenant(tenants[slug])
    yield
    for alias in settings.CACHES:
        caches[alias].clear()
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)
    if transactional:
        database.wipe([tenant.schema_name for tenant in tenants.values() if tenant.schema_name != "public"])
    connection.set_schema_to_public()
    database.reopen(tenants, made, rows=transactional)


@pytest.fixture(scope="session", autouse=True)
def no_flush() -> Iterator[None]:
    """Django would truncate the selected schema after a transactional test; ``database.wipe`` does it instead.

    For the whole session: Django's teardown runs after a test's own fixtures are gone.
    """
    original = TransactionTestCase._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        if isinstance(case, TestCase):
            original(case)

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = original


@pytest.fixture
def client(tenants: dict[str, Any], db: None) -> TenantClient:
    """A browser at ``acme``."""
    return TenantClient(tenants["acme"], HTTP_HOST="acme.localhost")


@pytest.fixture
def other_client(tenants: dict[str, Any], db: None) -> TenantClient:
    """A browser at ``globex``."""
    return TenantClient(tenants["globex"], HTTP_HOST="globex.localhost")


@pytest.fixture
def clear_cache() -> Callable[[], None]:
    """Forget what limits and look-ups remember."""
    return cache.clear
