"""Writing many new rows at once, with PostgreSQL's COPY.

``bulk_create`` quotes every value into the text of a statement; COPY streams them, at a fifth of the time for a
thousand rows. It only inserts: a row that is there already, or breaks a rule of its table, fails the whole call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from tenants.guard import check_row


def copy_in(rows: Sequence[Any]) -> None:
    """Insert unsaved ``rows``, all of one model and with their keys, in the current transaction. One statement.

    Like ``bulk_create`` it sends no signals and fills what a field fills by itself. Raises IntegrityError as that
    does; nothing is written then.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    # Looked up once: the proxy of the thread's connection costs more than preparing a value.
    connection = connections[DEFAULT_DB_ALIAS]
    for row in rows:
        check_row(row)
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column) for field in fields)
    statement = f"COPY {quote(model._meta.db_table)} ({names}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields])
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias
        row._schema = connection.schema_name
