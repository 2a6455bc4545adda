"""Rows and querysets remember the schema they belong to and refuse to work in another.

Without this, a lazy queryset built in tenant A and read in tenant B answers with B's rows, and an instance
loaded in A and saved in B overwrites B's row of the same key. ``tests/tenants/test_guard.py`` shows both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

import uuid_utils.compat as uuid_utils
from django.db import connection, models


class WrongTenant(RuntimeError):
    """A row or queryset of one tenant was used while another tenant's schema was selected."""


def new_id() -> Any:
    """A UUIDv7: ordered by time, so that indexes grow at one end."""
    return uuid_utils.uuid7()


def check_schema(owner: object, schema: str | None) -> None:
    """Raise WrongTenant unless ``schema`` is the selected one; None means not bound yet."""
    if schema is not None and schema != connection.schema_name:
        raise WrongTenant(f"{describe(owner)} belongs to {schema}; the selected schema is {connection.schema_name}")


def check_row(row: Any) -> None:
    """Raise WrongTenant if ``row`` was read or saved in another schema than the selected one."""
    check_schema(row, row.__dict__.get("_schema"))


def describe(owner: object) -> str:
    """``owner`` in an error: its class and key. Never its text, which would need the database or tell a name."""
    if isinstance(owner, models.Model):
        return f"{type(owner).__name__} {owner.pk}"
    if isinstance(owner, models.QuerySet):
        return f"a queryset of {owner.model.__name__}"
    return type(owner).__name__


class TenantRawQuerySet(models.query.RawQuerySet):
    """Rows of a hand-written query, read only in the schema in which it was built."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._schema = connection.schema_name

    def iterator(self) -> Iterator[Any]:
        check_schema(self, self._schema)
        return super().iterator()


class TenantQuerySet(models.QuerySet):
    """A queryset that can only be read in the schema in which it was built.

    Every statement asks ``db`` for the connection just before it is sent, so the check stands there.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._schema = connection.schema_name
        # A foreign key is followed with the row it starts from as a hint.
        if instance := self._hints.get("instance"):
            check_row(instance)

    @property
    def db(self) -> str:
        check_schema(self, self._schema)
        return super().db

    def _clone(self) -> Self:
        clone = super()._clone()
        clone._schema = self._schema
        return clone

    def _add_hints(self, **hints: Any) -> None:
        # A related manager (``account.contacts``) names the row it belongs to.
        if instance := hints.get("instance"):
            check_row(instance)
        super()._add_hints(**hints)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """Refuses to become a subquery of another tenant's query."""
        check_schema(self, self._schema)
        return super().resolve_expression(*args, **kwargs)

    def within(self, relation: str, rows: models.QuerySet[Any]) -> Self:
        """Those whose ``relation`` is among ``rows``; no condition where that leaves nobody out.

        Most people see every account, and a subquery of all of them is planned and joined like any other. It stays
        where a row may point to nothing: the relation may be empty, or the database does not hold it to be there.
        """
        field: Any = self.model._meta.get_field(relation)
        query = rows.query
        narrowed = query.has_filters() or query.is_sliced or query.combinator
        if narrowed or field.null or not field.db_constraint:
            return self.filter(**{f"{relation}__in": rows})
        check_schema(rows, getattr(rows, "_schema", None))
        return self.all()

    def raw(self, raw_query: str, params: Any = (), translations: Any = None, using: str | None = None) -> Any:
        rows = TenantRawQuerySet(
            raw_query, model=self.model, params=params, translations=translations, using=using or self.db
        )
        rows._prefetch_related_lookups = self._prefetch_related_lookups[:]
        return rows

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        for row in rows:
            check_row(row)
        created = super().bulk_create(rows, *args, **kwargs)
        for row in created:
            row._schema = connection.schema_name
        return created

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        rows = list(objs)
        for row in rows:
            check_row(row)
        return super().bulk_update(rows, *args, **kwargs)

    bulk_update.alters_data = True


class TenantRow(models.Model):
    """A row of a tenant's schema: it remembers the schema it was read or saved in and is used in no other."""

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
        # Foreign keys are followed, and rows read again, through the guarded queryset too.
        base_manager_name = "objects"

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any) -> Self:
        instance = super().from_db(db, field_names, values)
        instance._schema = connection.schema_name
        return instance

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_row(self)
        super().save(*args, **kwargs)
        self._schema = connection.schema_name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        check_row(self)
        return super().delete(*args, **kwargs)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        check_row(self)
        super().refresh_from_db(*args, **kwargs)


class TenantModel(TenantRow):
    """Base of nearly every model in a tenant schema: the guard and a UUIDv7 key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True
