"""Rows read as columns: PostgreSQL sends all values of a column in one piece, which numpy reads in place.

A client pays for bytes, not for values, and the planner leaves out whatever of a statement nobody asks for: an
aggregate that is not among the fields is never worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

Packed = dict[str, npt.NDArray[Any]]

KEY = "V16"
SMALL, WHOLE, LARGE = ">i2", ">i4", ">i8"
_SEND = {KEY: "uuid_send", SMALL: "int2send", WHOLE: "int4send", LARGE: "int8send"}


def packed(statement: str, parameters: Mapping[str, Any], fields: Mapping[str, str]) -> Packed:
    """The ``fields`` of a statement's rows, each with its type. One query; see ``packed_by``."""
    ((_, columns),) = packed_by((), statement, parameters, fields)
    return columns


def packed_by(
    texts: Sequence[str], statement: str, parameters: Mapping[str, Any], fields: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], Packed]]:
    """The rows of a statement for each combination of its columns ``texts``. One query, a COPY.

    A field has a value in every row of a combination, or in none of them: nulls take no place. Numbers stand in
    the network's order of bytes, which ``astype`` turns around; sorting them as they are takes ten times as long.
    """
    columns = [*texts, *(f"string_agg({_SEND[kind]}({name}), '')" for name, kind in fields.items())]
    grouped = f"GROUP BY {', '.join(texts)}" if texts else ""
    # Binary, for as text each byte would travel as two digits.
    copying = f"COPY (SELECT {', '.join(columns)} FROM ({statement}) AS rows {grouped}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(cursor.mogrify(copying, parameters)) as copy:
        copy.set_types(["text"] * len(texts) + ["bytea"] * len(fields))
        found = list(copy.rows())
    for row in found:
        data = zip(fields.items(), row[len(texts) :], strict=True)
        yield row[: len(texts)], {name: np.frombuffer(raw or b"", dtype=kind) for (name, kind), raw in data}


def words(keys: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Keys as two words each, in rows."""
    return np.ascontiguousarray(keys).view(">u8").reshape(-1, 2)
