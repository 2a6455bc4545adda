"""Reading a CSV file strictly: what cannot be read is an error that names the line. Pure, no database.

Limits: 20 MB, 200,000 rows, 256 columns, 64 kB a cell. Encodings: UTF-8 with or without a mark, UTF-16 with
one, and Latin-1 (Windows-1252) for what is no UTF-8. Delimiters: comma, semicolon, tab and bar.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 256
MAX_CELL = 65_536
DELIMITERS = ",;\t|"
# The first characters of what people upload by mistake.
_MAGIC = {b"PK\x03\x04": "a spreadsheet or archive", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old spreadsheet"}


class BadFile(ValueError):
    """The file as a whole cannot be taken; the message says why, with the line where there is one."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written: its encoding, delimiter, headings, and how many rows follow."""

    encoding: str
    delimiter: str
    headers: list[str]
    rows: int


def examine(raw: bytes) -> Layout:
    """Read the whole file once. Raises BadFile for the first thing wrong with it."""
    if not raw.strip():
        raise BadFile("empty", "The file is empty.")
    if len(raw) > MAX_BYTES:
        raise BadFile("too_large", f"At most {MAX_BYTES // (1024 * 1024)} MB.")
    for magic, name in _MAGIC.items():
        if raw.startswith(magic):
            raise BadFile("not_csv", f"This is {name}. Save it as CSV first.")
    encoding = encoding_of(raw)
    text = decode(raw, encoding)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    count = 0
    records = _records(text, delimiter)
    line, headers = next(records, (1, []))
    headers = [name.strip() for name in headers]
    _check_headers(headers, line)
    for _line, _cells in records:
        count += 1
        if count > MAX_ROWS:
            raise BadFile("too_many_rows", f"At most {MAX_ROWS:,} rows a file.")
    if not count:
        raise BadFile("no_rows", "The file has headings and no rows.")
    return Layout(encoding, delimiter, headers, count)


def rows(raw: bytes, layout: Layout, *, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every row after the headings, empty lines left out; the first ``skip`` rows too."""
    records = _records(decode(raw, layout.encoding), layout.delimiter)
    next(records)
    for number, (line, cells) in enumerate(records):
        if number >= skip:
            yield line, cells


def encoding_of(raw: bytes) -> str:
    """The encoding by mark, else UTF-8 if it is that, else Latin-1. Raises BadFile for bytes that are no text."""
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in raw:
        raise BadFile("encoding", "The file holds zero bytes. Save it as CSV in UTF-8.")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def decode(raw: bytes, encoding: str) -> str:
    """``raw`` as text. Raises BadFile naming the line that is no text in this encoding."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadFile("encoding", f"Line {line} is not text in {encoding}. Save the file as UTF-8.") from error
    if "\x00" in text:
        raise BadFile("encoding", f"Line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a zero character.")
    return text


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(MAX_CELL)
    start = 1
    try:
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _explained(error, start) from error
            if any(cell.strip() for cell in cells):
                yield start, cells
    finally:
        csv.field_size_limit(before)


def _explained(error: csv.Error, line: int) -> BadFile:
    text = str(error)
    if "unexpected end of data" in text:
        return BadFile("unclosed_quote", f"The quotation mark opened in line {line} is never closed.")
    if "field larger" in text:
        return BadFile("cell_too_large", f"A cell in line {line} is larger than 64 kB, or a quotation mark is missing.")
    return BadFile("malformed", f"Line {line} cannot be read: {text}.")


def _check_headers(headers: list[str], line: int) -> None:
    if len(headers) > MAX_COLUMNS:
        raise BadFile("too_many_columns", f"At most {MAX_COLUMNS} columns.")
    blank = next((place for place, name in enumerate(headers, 1) if not name), None)
    if blank is not None:
        raise BadFile("blank_heading", f"Column {blank} has no heading in line {line}.")
    twice = next((name for name in headers if headers.count(name) > 1), None)
    if twice is not None:
        raise BadFile("repeated_heading", f"The heading {twice[:60]} stands twice.")
