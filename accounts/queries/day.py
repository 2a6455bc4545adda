"""What a person has to do, from every domain in one shape, so that one statement reads all of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import CharField, DateField, DateTimeField, F, Field, QuerySet, UUIDField, Value
from django.db.models.functions import Cast, Left

from accounts.models import Activity
from accounts.models.stand_ins import worked_by
from accounts.queries.stand_ins import lent

if TYPE_CHECKING:
    from accounts.models import User

# Of each kind at most this many are read: whoever has more works the list, not the day.
MOST_OF_A_KIND = 60
_NOTE = 200
_FIELDS: dict[str, Field[Any, Any]] = {
    "pk": UUIDField(),
    "title": CharField(),
    "note": CharField(),
    "account": UUIDField(),
    "due_on": DateField(),
    "moment": DateTimeField(),
    "priority": CharField(),
    "ref": CharField(),
    "lent": CharField(),
}


class Line(NamedTuple):
    """One thing to do. ``moment`` is when it begins or was told; ``ref`` is the domain's own (a CTA's kind, a path).

    ``lent`` is set where it is somebody's whom the reader stands in for (``accounts.queries.stand_ins.lent_words``).
    """

    kind: str
    pk: UUID
    title: str
    note: str
    account: UUID | None
    due_on: date | None
    moment: datetime | None
    priority: str | None
    ref: str | None
    lent: str | None = None


def lines(
    rows: QuerySet[Any], kind: str, order: str, most: int | None = MOST_OF_A_KIND, /, **fields: Any
) -> QuerySet[Any]:
    """``rows`` as values in the order of ``Line``; ``fields`` says which column or expression stands for which.

    The first ``most`` by ``order`` (None: all). Made for ``union``: every column has its type, absent ones too.
    """
    columns: dict[str, Any] = {"day_kind": Value(kind, output_field=CharField())}
    for name, field in _FIELDS.items():
        columns[f"day_{name}"] = _column(name, fields.get(name), field)
    return rows.annotate(**columns).order_by(order, "pk").values_list(*columns)[:most]


def _column(name: str, given: Any, field: Field[Any, Any]) -> Any:
    """A plain column has its type; what is absent, computed or of another type in every domain is cast."""
    if isinstance(given, str) and name not in {"note", "ref"}:
        return F(given)
    expression = F(given) if isinstance(given, str) else given if given is not None else Value(None)
    return Cast(Left(expression, _NOTE) if name == "note" else expression, field)


def day_steps(user: User, until_on: date) -> QuerySet[Any]:
    """Open next steps of ``user`` and of those they stand in for, due up to ``until_on``, as ``Line`` values."""
    rows = Activity.objects.visible_to(user).with_open_step()
    mine = rows.filter(next_step_owner__in=worked_by(user), next_step_on__lte=until_on, account__archived_at=None)
    fields = {"title": "next_step", "note": "title", "due_on": "next_step_on", "moment": "next_step_at", "ref": "kind"}
    return lines(mine, "step", "next_step_on", pk="pk", account="account", lent=lent(user, "next_step_owner"), **fields)
