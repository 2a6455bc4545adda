"""Limits of a tenant: the default, or what an operator set, at once and for it alone."""

from __future__ import annotations

import pytest
from django.db import connection

from tenants.models import Quota
from tenants.quotas import DEFAULT, clear_limits, limits_of, set_limits


def test_the_default(tenants, db, settings):
    assert limits_of() == DEFAULT
    assert DEFAULT.api_calls_per_minute == settings.API_CALLS_PER_MINUTE_TENANT


def test_a_changed_one_holds_at_once_and_only_there(tenants, db):
    assert limits_of() == DEFAULT
    assert set_limits(tenants["acme"], users=7, accounts=9) == DEFAULT._replace(users=7, accounts=9)
    assert limits_of() == DEFAULT._replace(users=7, accounts=9)
    assert limits_of(tenants["globex"].schema_name) == DEFAULT
    assert connection.schema_name == tenants["acme"].schema_name


def test_none_goes_back_to_the_default(tenants, db):
    set_limits(tenants["acme"], users=7, accounts=9)
    assert set_limits(tenants["acme"], users=None) == DEFAULT._replace(accounts=9)
    clear_limits(tenants["acme"])
    assert (limits_of(), Quota.objects.count()) == (DEFAULT, 0)


def test_there_is_no_other_limit(tenants, db):
    with pytest.raises(LookupError, match="no limit called storage"):
        set_limits(tenants["acme"], storage=1)


def test_it_is_asked_of_the_cache(tenants, db, django_assert_num_queries):
    limits_of()
    with django_assert_num_queries(0):
        assert limits_of() == DEFAULT
