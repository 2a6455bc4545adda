"""How a team keeps up with its CTAs: what each owner has open and overdue, and how soon the first thing was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from accounts.models import User
from playbooks.models import Cta, CtaQuerySet

WINDOW = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Workload:
    """One owner's CTAs: unclosed, overdue, snoozed; those opened within 90 days, and how many were answered.

    ``hours`` is the median time from the opening to the first thing a person did, over the answered ones; None
    where there is none.
    """

    open: int = 0
    overdue: int = 0
    snoozed: int = 0
    opened: int = 0
    answered: int = 0
    hours: float | None = None


def workloads(user: User, accounts: Any, *, today: date, at: datetime) -> dict[UUID | None, Workload]:
    """The workload of each owner over CTAs of ``accounts`` that ``user`` may see. Two queries.

    The first thing done is the first entry that a person left on the CTA in the audit log after it was opened.
    """
    ctas = Cta.objects.visible_to(user).filter(account__in=accounts)
    counts = {
        row["owner"]: row
        for row in ctas.unclosed()
        .order_by()
        .values("owner")
        .annotate(
            waiting=Count("pk", filter=Q(status="open")),
            overdue=Count("pk", filter=Q(status="open", due_on__lt=today)),
            snoozed=Count("pk", filter=Q(status="snoozed")),
        )
    }
    answers = _answers(ctas.filter(opened_at__gt=at - WINDOW, opened_at__lte=at))
    return {
        owner: Workload(
            open=counts.get(owner, {}).get("waiting", 0),
            overdue=counts.get(owner, {}).get("overdue", 0),
            snoozed=counts.get(owner, {}).get("snoozed", 0),
            opened=answers.get(owner, _NONE)["opened"],
            answered=answers.get(owner, _NONE)["answered"],
            hours=answers.get(owner, _NONE)["hours"],
        )
        for owner in {*counts, *answers}
    }


def due_until(user: User, until: date, *, own: bool) -> CtaQuerySet:
    """Open CTAs that ``user`` may see and that are due until a day, the most pressing first; ``own`` ones only."""
    rows = Cta.objects.visible_to(user).open().filter(due_on__lte=until)
    rows = rows.filter(owner=user) if own else rows
    return rows.select_related("account").order_by("due_on", "pk")


_NONE: dict[str, Any] = {"opened": 0, "answered": 0, "hours": None}
_ANSWERS = """SELECT owner_id, count(*) AS opened, count(first_at) AS answered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_at - opened_at) / 3600)
        FILTER (WHERE first_at IS NOT NULL) AS hours
FROM (
    SELECT c.owner_id, c.opened_at, (
        SELECT min(e.at) FROM accounts_auditentry e
        WHERE e.object_type = 'cta' AND e.object_id = c.id::text AND e.actor_id IS NOT NULL AND e.at > c.opened_at
    ) AS first_at
    FROM ({ctas}) AS c(id, owner_id, opened_at)
) answered GROUP BY owner_id"""


def _answers(ctas: Any) -> dict[UUID | None, dict[str, Any]]:
    text, parameters = ctas.order_by().values_list("pk", "owner_id", "opened_at").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS.format(ctas=text), parameters)
        rows = cursor.fetchall()
    return {
        owner: {"opened": opened, "answered": answered, "hours": None if hours is None else float(hours)}
        for owner, opened, answered, hours in rows
    }
