"""What a schema is made of, in words that can be compared with another schema's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db import connection

# Each row: one line of text about one thing of the schema, the schema's own name still in it.
THINGS = """
select n.nspname, concat_ws(' ', 'relation', c.relname, c.relkind, c.relpersistence, array_to_string(c.reloptions, ','))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm', 'S', 'i', 'I') and not c.relispartition
union all
select n.nspname, concat_ws(' ', 'partitioned', c.relname, pg_get_partkeydef(c.oid))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'p'
union all
select n.nspname, concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity, a.attgenerated, a.attstorage, pg_get_expr(d.adbin, d.adrelid))
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition
union all
select n.nspname, concat_ws(' ', 'constraint', r.relname, k.conname, pg_get_constraintdef(k.oid))
  from pg_constraint k join pg_namespace n on n.oid = k.connamespace left join pg_class r on r.oid = k.conrelid
 where r.oid is null or not r.relispartition
union all
select n.nspname, concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid))
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
 where not c.relispartition
union all
select n.nspname, concat_ws(' ', 'trigger', c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid))
  from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
 where not t.tgisinternal and not c.relispartition
union all
select n.nspname, concat_ws(' ', 'function', p.proname, md5(p.prosrc), pg_get_function_arguments(p.oid))
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
"""


def _lines(schemas: Iterable[str]) -> dict[str, list[str]]:
    wanted = list(schemas)
    lines: dict[str, list[str]] = {schema: [] for schema in wanted}
    with connection.cursor() as cursor:
        cursor.execute(f"select * from ({THINGS}) things(schema, line) where schema = any(%s)", [wanted])
        for schema, line in cursor.fetchall():
            lines[schema].append(line)
    return lines


def describe(schema: str, *, strip: bool = True) -> list[str]:
    """Every relation, column, constraint, index, trigger and function of ``schema``, one line each, sorted.

    ``strip`` takes the schema's name out, so that two schemas can be compared. Partitions are left out: which
    months there are depends on the events, not on the release. One query.
    """
    return sorted(_stripped(_lines([schema])[schema], schema) if strip else _lines([schema])[schema])


def fingerprints(schemas: Iterable[str]) -> dict[str, str]:
    """A hash of each schema's description; equal schemas have equal ones. One query over all of them."""
    return {
        schema: hashlib.sha256("\n".join(sorted(_stripped(lines, schema))).encode()).hexdigest()
        for schema, lines in _lines(schemas).items()
    }


def _stripped(lines: list[str], schema: str) -> list[str]:
    return [line.replace(f"{schema}.", "").replace(f'"{schema}".', "") for line in lines]
