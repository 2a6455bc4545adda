"""The files of the accounts list hold exactly what its pages show, for random views."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html import unescape
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.choices import AccountStatus, Role
from accounts.models import Tier
from health.book.accounts.asked import COLUMNS
from health.book.accounts.columns import HEADINGS, file_headings
from health.book.accounts.order import SORTS
from health.choices import Rag
from tests.factories import AccountFactory, UserFactory
from tests.health.listed import scored

pytestmark = pytest.mark.django_db
# Columns whose cell is the file's text; of the others the cell draws or shortens what the file says.
TEXT = ("band", "owner", "why", "tier", "segment", "stage", "status", "industry", "country")
NOTHING = {"–", "Nobody", "No data", "No stage"}
SPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture
def desk(client):
    client.force_login(UserFactory(role=Role.VP_CS))
    return client


@pytest.fixture
def book():
    """55 accounts, so that views have two pages, with equal values, empty ones and ones a spreadsheet would run."""
    owners = [UserFactory(), UserFactory(), None]
    tiers = [Tier.objects.create(key=key, name=key.title(), rank=rank) for rank, key in enumerate(("low", "top"))]
    colours = [Rag.RED, Rag.YELLOW, Rag.GREEN]
    for at in range(55):
        account = AccountFactory(
            name=["=Same", "Same", f"Row {at}", "Ünder & <b>"][at % 4],
            owner=owners[at % 3],
            tier=[*tiers, None][at % 3],
            segment=["", "North, East", "South"][at % 3],
            industry=["Rail", "", "-Roads"][at % 3],
            arr=at % 7,
            status=AccountStatus.CHURNED if at % 9 == 0 else AccountStatus.ACTIVE,
            seats=10 if at % 2 else None,
            assigned_users=at % 12 if at % 2 else None,
        )
        if at % 5:
            scored(account, at % 10 * 10, colours[at % 3], change=(at % 3 - 1) * 9)


def words(cell):
    """What a reader reads in a piece of markup."""
    return " ".join(unescape(re.sub(r"<svg.*?</svg>|<span class=\"vh\">.*?</span>|<[^>]+>", " ", cell)).split())


def shown(desk, query):
    """Headings and rows of all pages of the list, each cell as it reads."""
    url, rows, heads = f"/accounts/?{query}", [], []
    while url:
        page = desk.get(url).content.decode()
        heads = [words(cell) for cell in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page, re.DOTALL)][1:]
        for row in re.findall(r'<tr id="r-.*?</tr>', page, re.DOTALL):
            name = re.search(r"<th scope=\"row\".*?<a [^>]*>(.*?)</a>", row, re.DOTALL)
            rows.append([words(name.group(1)), *map(words, re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)[1:])])
        following = re.search(r'rel="next" href="([^"]*)"', page)
        url = unescape(following.group(1)) if following else ""
    return heads, rows


def csv_rows(desk, query):
    text = desk.get(f"/accounts/export.csv?{query}").content.decode("utf-8-sig")
    return [[cell.removeprefix("'") for cell in row] for row in csv.reader(io.StringIO(text))]


def xlsx_rows(desk, query):
    with zipfile.ZipFile(io.BytesIO(desk.get(f"/accounts/export.xlsx?{query}").content)) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    found = []
    for row in sheet.findall(".//m:row", SPACE):
        cells = {cell.get("r"): cell.find("m:is/m:t", SPACE) for cell in row.findall("m:c", SPACE)}
        found.append({re.sub(r"\d", "", place): text.text for place, text in cells.items() if text is not None})
    return found


@given(
    filters=st.fixed_dictionaries(
        {},
        optional={
            "band": st.sampled_from(["red", "watch,green", "none"]),
            "segment": st.sampled_from(["South", "North%2C East"]),
            "owner": st.just("none"),
            "seats": st.sampled_from(["low", "over"]),
            "status": st.sampled_from(["churned", "active"]),
            "arr_min": st.sampled_from(["2", "4"]),
            "q": st.sampled_from(["same", "row 1", "nothing"]),
        },
    ),
    sort=st.sampled_from(sorted(SORTS)),
    columns=st.permutations(COLUMNS).flatmap(lambda all_: st.integers(1, len(all_)).map(lambda n: all_[:n])),
)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_files_hold_the_rows_columns_and_order_of_the_pages(desk, book, filters, sort, columns):
    query = urlencode({**filters, "sort": sort, "cols": ",".join(columns)})
    heads, rows = shown(desk, query)
    written, sheet = csv_rows(desk, query), xlsx_rows(desk, query)

    assert heads == ["Account", *(HEADINGS[key].label for key in columns)] if rows else heads == []
    assert [row[0] for row in written[1:]] == [row[0] for row in rows]
    assert [row.get("A") for row in sheet[1:]] == [row[0] for row in rows]
    assert written[0] == ["Account", *(label for key in columns for label in file_labels(key))]
    places, at = {}, 1
    for key in columns:
        places[key], at = at, at + len(file_labels(key))
    for key in set(TEXT) & set(columns):
        cell, column = 1 + columns.index(key), places[key]
        for row, line in zip(rows, written[1:], strict=True):
            assert (line[column] in row[cell]) if line[column] else row[cell] in NOTHING, (key, row[cell], line[column])


def file_labels(key):
    """The headings that a column has in a file; the course has one a week."""
    return file_headings([key], timezone.localdate())[1:]
