"""The accounts list as a file: the columns, filters and order of the page, all rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from accounts.csv_out import csv_lines
from accounts.queries.own_fields import known_fields
from health.book.accounts.asked import Asked
from health.book.accounts.columns import file_cells, file_headings
from health.book.accounts.rows import CHUNK, every_row, extras_of

CSV, XLSX = "csv", "xlsx"
MEDIA = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_WIDTHS = {"Account": 34, "Why it is here": 44, "Owner": 22}


def lines(user: Any, asked: Asked, *, today: date, now: datetime) -> Iterator[list[Any]]:
    """The rows as values, in order: one query, and those of the columns a thousand rows."""
    rows, own = every_row(user, asked, today), known_fields()
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        extras = extras_of(part, asked.columns, today=today, now=now)
        for row in part:
            yield file_cells(row, asked.columns, extras, own)


def written(kind: str, user: Any, asked: Asked, *, today: date, now: datetime) -> bytes:
    """The file of what was asked for. Not streamed to the reader: the body is read after the schema was left."""
    headings = file_headings(asked.columns, today, known_fields())
    rows = lines(user, asked, today=today, now=now)
    return _xlsx(headings, rows) if kind == XLSX else "".join(csv_lines(headings, rows)).encode()


def _xlsx(headings: list[str], rows: Iterator[list[Any]]) -> bytes:
    """A workbook of one sheet. Text is written as text, so that nothing in it runs as a formula or a link."""
    target = io.BytesIO()
    # Rows go to a temporary file one by one: memory does not grow with them.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet("Accounts")
        head, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.freeze_panes(1, 1)
        for place, heading in enumerate(headings):
            sheet.set_column(place, place, _WIDTHS.get(heading, 14))
            sheet.write_string(0, place, heading, head)
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                _write(sheet, number, place, value, day)
    return target.getvalue()


def _write(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, date):
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a day
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, float(value))
    else:
        sheet.write_string(row, column, str(value))
