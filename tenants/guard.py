"""Rows and querysets remember the schema they belong to and refuse to work in another.

Without this, a lazy queryset built in tenant A and read in tenant B answers with B's rows, and an instance
loaded in A and saved in B overwrites B's row of the same key. ``tests/tenants/test_guard.py`` shows both.
"""

from __future__ import annotations

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
        raise WrongTenant(f"{owner!r} belongs to {schema}; the selected schema is {connection.schema_name}")


class TenantQuerySet(models.QuerySet):
    """A queryset that can only be read in the schema in which it was built."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._schema = connection.schema_name

    def _check(self) -> None:
        if self._schema != connection.schema_name:
            raise WrongTenant(
                f"a queryset of {self.model.__name__} was built in {self._schema}; "
                f"the selected schema is {connection.schema_name}"
            )

    def _clone(self) -> Self:
        clone = super()._clone()
        clone._schema = self._schema
        return clone

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._check()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._check()
        return super().iterator(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._check()
        return super().update(**kwargs)

    update.alters_data = True

    def delete(self) -> tuple[int, dict[str, int]]:
        self._check()
        return super().delete()

    delete.alters_data = True
    delete.queryset_only = True

    def count(self) -> int:
        self._check()
        return super().count()

    def exists(self) -> bool:
        self._check()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._check()
        return super().aggregate(*args, **kwargs)


class TenantModel(models.Model):
    """Base of every model in a tenant schema: a UUIDv7 key and the guard."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any) -> Self:
        instance = super().from_db(db, field_names, values)
        instance._schema = connection.schema_name
        return instance

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_schema(self, self.__dict__.get("_schema"))
        super().save(*args, **kwargs)
        self._schema = connection.schema_name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        check_schema(self, self.__dict__.get("_schema"))
        return super().delete(*args, **kwargs)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        check_schema(self, self.__dict__.get("_schema"))
        super().refresh_from_db(*args, **kwargs)
