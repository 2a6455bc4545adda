"""The world of the matrix."""

from __future__ import annotations

import logging

import pytest
from django_tenants.utils import tenant_context

from tests.authz.world import World


@pytest.fixture
def world(tenants, settings, db):
    """Both tenants, filled; gone with the test's transaction."""
    # The whole matrix counts as having just confirmed who they are.
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 3600
    # Each cell starts from the same workspaces, so the world's one client need not look up whose a host is.
    settings.HOSTS_KEPT_SECONDS = 3600
    return World({"a": tenants["acme"], "b": tenants["globex"], "p": tenants["platform"]})


@pytest.fixture
def in_tenant(tenants):
    """``with in_tenant("globex"):`` works in that workspace for a while."""
    return lambda slug: tenant_context(tenants[slug])


@pytest.fixture(autouse=True)
def quiet():
    """Thousands of refusals are expected here; the log need not tell each."""
    loggers = [logging.getLogger(name) for name in ("django.request", "django.security")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
