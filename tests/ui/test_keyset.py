"""Pages of a sorted list: every row once, in order, both ways, and no more queries than the page needs."""

from __future__ import annotations

import datetime as dt
import re
from base64 import urlsafe_b64encode

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Tier
from ui import keyset

DAY = dt.date(2026, 11, 24)
# Two of a kind, and rows without a value.
DAYS = [3, 1, None, 2, 1, None, 0, None, 2]


@pytest.fixture
def accounts(db):
    tier = Tier.objects.create(name="Gold", key="gold", rank=90)
    made = [
        Account.objects.create(
            name=f"Account {n % 4}",
            renewal_on=None if days is None else DAY + dt.timedelta(days=days),
            tier=None if days is None else tier,
        )
        for n, days in enumerate(DAYS)
    ]
    return Account.objects.filter(pk__in=[account.pk for account in made]).values("pk", "name", "renewal_on")


def expected(rows, path, *, descending):
    """As a plain sort in Python has them: empty values last, equal ones by key."""
    known = sorted((row for row in rows if row[path] is not None), key=lambda row: row["pk"])
    known.sort(key=lambda row: row[path], reverse=descending)
    return [row["pk"] for row in [*known, *sorted((r for r in rows if r[path] is None), key=lambda row: row["pk"])]]


def walk(rows, order, size, *, cursor="", back=False, keys_first=False):
    """The keys of each page from the first on, or from ``cursor`` back."""
    field = Account._meta.get_field(order.path)
    pages, last = [], None
    while True:
        page = keyset.page(rows, order, field, cursor, size, keys_first=keys_first)
        pages.append([row["pk"] for row in page.rows])
        last, cursor = page, page.previous if back else page.next
        if not cursor:
            return pages, last


@pytest.mark.parametrize("size", [1, 2, 3, 20])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("path", ["name", "renewal_on"])
@pytest.mark.parametrize("keys_first", [False, True])
def test_every_row_once_in_order_and_back_again(accounts, keys_first, path, descending, size):
    order, wanted = keyset.Order(path, descending), expected(list(accounts), path, descending=descending)
    pages, last = walk(accounts, order, size, keys_first=keys_first)
    assert [key for page in pages for key in page] == wanted
    if last.previous:
        back, first = walk(accounts, order, size, cursor=last.previous, back=True, keys_first=keys_first)
        before = [key for page in reversed(back) for key in page]
        assert before == wanted[: len(before)] == wanted[: -len(pages[-1])]
        assert first.next


@pytest.mark.parametrize("value", ["1e999999", "1e-999999", "NaN", "Infinity", "much"])
def test_a_number_that_no_column_holds_begins_no_page(accounts, value):
    cursor = keyset.encode(value, Account.objects.first().pk)
    with pytest.raises(Http404):
        keyset.page(accounts, keyset.Order("arr"), Account._meta.get_field("arr"), cursor, 2)


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_text_that_no_column_holds_begins_no_page(accounts, value):
    cursor = keyset.encode(value, Account.objects.first().pk)
    with pytest.raises(Http404):
        keyset.page(accounts, keyset.Order("name"), Account._meta.get_field("name"), cursor, 2)


def test_a_cursor_nested_without_end_begins_no_page(accounts):
    cursor = urlsafe_b64encode(b"[" * 3000).decode()
    with pytest.raises(Http404):
        keyset.page(accounts, keyset.Order("name"), Account._meta.get_field("name"), cursor, 2)


def queries_of(rows, path, size, cursor=""):
    order = keyset.Order(path)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        keyset.page(rows, order, Account._meta.get_field(path), cursor, size)
    return [query["sql"] for query in seen]


def test_one_query_where_every_row_has_a_value_or_the_page_is_full(accounts):
    assert len(queries_of(accounts, "name", 50)) == 1
    assert len(queries_of(accounts, "renewal_on", 3)) == 1
    assert len(queries_of(accounts, "renewal_on", 50)) == 2


def test_no_query_sorts_empty_values_among_the_others(accounts):
    """No index has that order: the whole table would be sorted for a page of fifty."""
    for query in queries_of(accounts, "renewal_on", 50) + queries_of(accounts, "name", 50):
        assert "NULLS" not in query


def test_rows_without_a_value_are_read_as_an_index_on_the_column_has_them(accounts):
    """By key alone the whole table would be read for the few of them."""
    _known, unknown = queries_of(accounts, "renewal_on", 50)
    assert re.search(r'ORDER BY ("accounts_account"."renewal_on"|2|3) ASC, ("accounts_account"."id"|1) ASC', unknown)
