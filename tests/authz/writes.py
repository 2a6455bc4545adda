"""Which tables a request wrote to, by the server's own count."""

from __future__ import annotations

from django.db import connection

# A session notes that it was used; that is not a change of anything a person keeps.
SESSION_TABLES = {"django_session", "usersessions_usersession"}
# What pg_stat_xact_user_tables counts, asked of each table by its number: the view itself joins and groups the whole
# catalogue, which takes ten times as long.
WRITTEN = """
    SELECT id::bigint, written FROM unnest('{{{ids}}}'::oid[]) AS id, LATERAL (
        SELECT pg_stat_get_xact_tuples_inserted(id) + pg_stat_get_xact_tuples_updated(id)
            + pg_stat_get_xact_tuples_deleted(id) AS written OFFSET 0
    ) AS counted WHERE written > 0"""


class Writes:
    """Counts the rows that the current transaction wrote, table by table, whatever was undone since."""

    def __init__(self) -> None:
        """Looks up the tables of every schema there is now."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT relid::bigint, schemaname || '.' || relname FROM pg_stat_user_tables")
            tables = {number: name for number, name in cursor.fetchall() if name.split(".")[1] not in SESSION_TABLES}
        self._names = tables
        self._asked = WRITTEN.format(ids=",".join(map(str, tables)))
        self._before = self._count()

    def since(self) -> frozenset[str]:
        """The tables written to since this was last asked. One statement, half a millisecond."""
        before, self._before = self._before, self._count()
        return frozenset(self._names[key] for key, count in self._before.items() if count != before.get(key, 0))

    def _count(self) -> dict[int, int]:
        with connection.cursor() as cursor:
            cursor.execute(self._asked)
            return dict(cursor.fetchall())
