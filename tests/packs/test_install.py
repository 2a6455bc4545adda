"""Installing the five methodologies: everything stored, nothing twice, edits kept apart."""

from __future__ import annotations

import copy
import time
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from packs import files
from packs.actions import install_definition, install_pack
from packs.models import PackInstall, PackItem
from packs.sections import items_of

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize("key", files.PACK_KEYS)
def test_every_item_of_a_pack_is_stored_once(key):
    report = install_pack(key, actor=None, at=AT)
    items = list(items_of(files.load(key)))
    stored = PackItem.objects.filter(install__key=key)
    assert {(row.section, row.key): row.data for row in stored} == {
        (item.section, item.key): item.data for item in items
    }
    assert report.changes == len(items)


@pytest.mark.parametrize("key", files.PACK_KEYS)
def test_one_pack_installs_quickly(key):
    files.check_shipped(key)
    began = time.perf_counter()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        install_pack(key, actor=None, at=AT)
    print(key, len(queries), time.perf_counter() - began)
    began = time.perf_counter()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        install_pack(key, actor=None, at=AT)
    print(key, len(queries), time.perf_counter() - began)
