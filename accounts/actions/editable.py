"""What an edit of several accounts may set: a column, or an own field. How it is read, kept and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from accounts.actions.changes import mark_changed
from accounts.errors import RuleViolated
from accounts.fields import Unreadable
from accounts.models import Account, LifecycleStage, OwnField, Tier, User
from accounts.own_values import PREFIX, in_words, read_own, same
from accounts.record_fields import ACCOUNT

# Field, and the model its value is a row of.
FIELDS: Mapping[str, type[Model] | None] = {
    "owner": User,
    "tier": Tier,
    "stage": LifecycleStage,
    "segment": None,
    "industry": None,
    "renewal_on": None,
}
_WRITE = """UPDATE accounts_account a SET {column} = {value}, version = a.version + 1, updated_at = %(at)s
FROM unnest(%(ids)s::uuid[], %(values)s::{kind}[]) AS n (id, value) WHERE a.id = n.id"""
_WITH_OWN = """CASE WHEN n.value IS NULL THEN a.custom - %(key)s::text
ELSE jsonb_set(a.custom, ARRAY[%(key)s::text], n.value::jsonb) END"""


class Column:
    """A column of accounts; values are as the column has them, a row by its key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._field: Any = Account._meta.get_field(name)

    def wanted(self, value: Any) -> Any:
        """``value``, a row, text, a day or None, as the column has it."""
        return value.pk if isinstance(value, Model) else value

    def of(self, account: Account) -> Any:
        """What ``account`` has."""
        return getattr(account, self._field.attname)

    def is_same(self, one: Any, other: Any) -> bool:
        """Whether two values are the same."""
        return bool(one == other)

    def kept(self, value: Any) -> str | None:
        """A value as an edit keeps it."""
        return value.isoformat() if isinstance(value, date) else None if value is None else str(value)

    def revived(self, kept: str | None) -> Any:
        """The value that was kept."""
        return None if kept is None else self._field.to_python(kept)

    def told(self, value: Any) -> Any:
        """A value as the audit log has it."""
        return value

    def label(self, value: Any, wanted: Any) -> str:
        """What somebody set, ``value`` as it was given, in words."""
        return "nothing" if value in {None, ""} else f"{value}"[:200]

    def missing(self, kept: set[str | None]) -> set[str | None]:
        """Those of the kept values whose rows were deleted. One query for a row, none for plain values."""
        model, named = FIELDS[self.name], {key for key in kept if key}
        if model is None or not named:
            return set()
        there = model._default_manager.filter(pk__in=named).values_list("pk", flat=True)
        return named - {str(key) for key in there}  # type: ignore[return-value]

    def too_much(self, account: Account, value: Any) -> str:
        """Why the account cannot hold ``value``; empty when it can."""
        return ""

    def write(self, values: Mapping[UUID, Any], at: datetime) -> None:
        """One statement for all accounts: the value, the version and the moment; health looks at them again."""
        kind = self._field.db_type(connection).split("(")[0]
        _write(_WRITE.format(column=self._field.column, value="n.value", kind=kind), values, at)


class OwnValue:
    """An own field by its key; values are as JSON has them, and ``GONE`` where the account has no such key."""

    GONE = object()

    def __init__(self, key: str) -> None:
        self.name, self.key = PREFIX + key, key

    def wanted(self, value: Any) -> Any:
        """``value`` by the field's kind. Raises RuleViolated where it does not fit or the field is not there."""
        field = OwnField.objects.live().filter(key=self.key).first()
        if field is None:
            raise RuleViolated("unknown_field", "There is no such field any more.", "field")
        try:
            read = read_own(field.definition, value)
        except Unreadable as wrong:
            raise RuleViolated(wrong.rule, wrong.message, self.name) from wrong
        return self.GONE if read is None else read

    def of(self, account: Account) -> Any:
        """What ``account`` has."""
        return account.custom.get(self.key, self.GONE)

    def is_same(self, one: Any, other: Any) -> bool:
        """Whether two values are the same."""
        return one is other or (one is not self.GONE and other is not self.GONE and same(one, other))

    def kept(self, value: Any) -> str | None:
        """A value as an edit keeps it: JSON, so that the text "12" comes back as text."""
        return None if value is self.GONE else json.dumps(value, ensure_ascii=False)

    def revived(self, kept: str | None) -> Any:
        """The value that was kept."""
        return self.GONE if kept is None else json.loads(kept)

    def told(self, value: Any) -> Any:
        """A value as the audit log has it."""
        return None if value is self.GONE else value

    def label(self, value: Any, wanted: Any) -> str:
        """What somebody set, ``wanted`` as it is stored, in words."""
        return in_words(self.told(wanted))[:200] or "nothing"

    def missing(self, kept: set[str | None]) -> set[str | None]:
        """None: values stand for themselves."""
        return set()

    def too_much(self, account: Account, value: Any) -> str:
        """Why the account cannot hold ``value``; empty when it can."""
        if value is self.GONE:
            return ""
        try:
            ACCOUNT["custom"].read({**account.custom, self.key: value})
        except Unreadable as wrong:
            return f"its own fields would be too large: {wrong.message}"
        return ""

    def write(self, values: Mapping[UUID, Any], at: datetime) -> None:
        """The same as of a column."""
        statement = _WRITE.format(column="custom", value=_WITH_OWN, kind="text")
        _write(statement, {key: self.kept(value) for key, value in values.items()}, at, key=self.key)


def editable(field: str) -> Column | OwnValue:
    """What ``field`` names: a column of ``FIELDS`` or ``custom.`` and a key. Raises RuleViolated for anything else."""
    if field.startswith(PREFIX):
        return OwnValue(field.removeprefix(PREFIX))
    if field not in FIELDS:
        raise RuleViolated("unknown_field", "This is not edited for several accounts at once.", "field")
    return Column(field)


def _write(statement: str, values: Mapping[UUID, Any], at: datetime, **named: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"at": at, "ids": list(values), "values": list(values.values()), **named})
    mark_changed(values, at=at)
