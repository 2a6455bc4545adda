"""What stands in a person's day, ranked, and the book beside it: eight queries, whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Account
from accounts.queries.day import Line, day_steps, lines
from accounts.queries.kept_statements import rows_for
from accounts.queries.stand_ins import lent
from engagement.queries import day_notices
from health.book.cells import band_name
from health.queries.moved import Moved, moved_on, why_moved
from health.queries.renewals import day_calls
from myday.models import SetAside
from myday.ranking import KINDS, Place, Signals, rank
from playbooks.queries import day_ctas, day_tasks

if TYPE_CHECKING:
    from accounts.models import User

AHEAD_DAYS = 7
FAR_DAYS = 365
SHOWN = 50
ASIDE = "aside"
FACTS = (
    "pk", "name", "lent", "arr", "currency", "renewal_on", "health__shown", "health__current_rag",
    "health__current_band", "health__change_30d",
)  # fmt: skip
NO_FACTS: dict[str, Any] = dict.fromkeys(FACTS)


class Entry(NamedTuple):
    """One row: what it is, its account's facts (empty values where it has none), its place with the reasons."""

    line: Line
    account: dict[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class Day:
    """The ranked rows of one kind or all, how many there are of each kind, and how many are put aside until later."""

    entries: list[Entry]
    counts: dict[str, int]
    late: int
    today: int
    aside: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def my_day(user: User, today: date, *, largest: Decimal = Decimal(0)) -> Day:
    """Everything that waits for ``user`` on ``today``, ranked. Five queries. ``largest`` is the book's largest ARR."""
    read = _lines(user, today)
    hidden = {(line.ref, line.pk) for line in read if line.kind == ASIDE}
    moved = {row.account: row for row in moved_on(Account.objects.in_book_of(user).live(), today)}
    why = why_moved(moved.values(), today) if moved else {}
    listed = [line for line in read if line.kind != ASIDE and not _told_otherwise(line, moved)]
    listed += [_change(row, why.get(row.account, "")) for row in moved.values()]
    kept = [line for line in listed if (line.kind, line.pk) not in hidden]
    facts = _facts(user, {line.account for line in kept if line.account})
    kept = [line for line in kept if line.kind != "account" or line.account in facts]
    by_key = {(line.kind, line.pk): line for line in kept}
    signals = [_signals(line, facts.get(line.account, NO_FACTS), moved, today, largest) for line in kept]
    entries = [
        Entry(line, facts.get(line.account, NO_FACTS), place)
        for place in rank(signals)
        for line in (by_key[place.key],)  # type: ignore[index]
    ]
    days = [line.due_on for line in kept if line.due_on]
    return Day(
        entries=entries,
        counts={kind: sum(line.kind == kind for line in kept) for kind in KINDS},
        late=sum(day < today for day in days),
        today=sum(day == today for day in days),
        aside=len(listed) - len(kept),
    )


def next_up(user: User, today: date) -> Line | None:
    """The first thing that comes after the days shown, for an empty day. One query."""
    until = today + timedelta(days=FAR_DAYS)
    found = [Line(*row) for row in day_ctas(user, until).union(day_steps(user, until), all=True)]
    return min((line for line in found if line.due_on), key=lambda line: (line.due_on, str(line.pk)), default=None)


def _lines(user: User, today: date) -> list[Line]:
    """What there is to do and what is put aside from it (ASIDE; ``ref`` is of which kind). One query."""
    return [Line(*row) for row in rows_for(user, today, _everything)]


def _everything(user: User, today: date) -> QuerySet[Any]:
    until = today + timedelta(days=AHEAD_DAYS)
    aside = lines(SetAside.objects.of(user).on(today), ASIDE, "until_on", None, pk="object_id", ref="kind")
    parts = (day_tasks(user, today), day_steps(user, until), day_notices(user), day_calls(user, today), aside)
    return day_ctas(user, until).union(*parts, all=True)


def _told_otherwise(line: Line, moved: dict[UUID, Moved]) -> bool:
    """A notice of a band change whose account stands in the list with the change itself."""
    return line.kind == "notice" and line.priority == "health_band" and line.account in moved


def _change(row: Moved, why: str) -> Line:
    return Line("account", row.account, "", why, row.account, None, None, "", "")


def _facts(user: User, ids: set[UUID]) -> dict[UUID | None, dict[str, Any]]:
    rows = Account.objects.visible_to(user).filter(pk__in=ids).annotate(lent=lent(user, "owner"))
    return {row["pk"]: row for row in rows.values(*FACTS)}


def _signals(line: Line, facts: dict[str, Any], moved: dict[UUID, Moved], today: date, largest: Decimal) -> Signals:
    """What ranks a line. Its own day for work; the move since yesterday for an account, else that of 30 days."""
    change = moved.get(line.account) if line.account and line.kind == "account" else None
    begins = timezone.localtime(line.moment).time() if line.kind == "step" and line.moment else None
    return Signals(
        key=(line.kind, line.pk),
        kind=line.kind,
        days_left=(line.due_on - today).days if line.due_on else None,
        begins=begins,
        priority=line.priority or "" if line.kind in {"cta", "task"} else "",
        colour=facts["health__current_rag"] or "",
        band=band_name(change.band if change else facts["health__current_band"]),
        fell=change.fell if change else -(facts["health__change_30d"] or Decimal(0)),
        fell_over="since yesterday" if change else "in 30 days",
        band_moved=change.direction if change else 0,
        band_before=band_name(change.band_before) if change else "",
        renewal_days=_renewal_days(line, facts, today),
        share=facts["arr"] / largest if facts["arr"] and largest else Decimal(0),
    )


def _renewal_days(line: Line, facts: dict[str, Any], today: date) -> int | None:
    """Days to the renewal a call is about, else to the account's next."""
    on = date.fromisoformat(line.ref) if line.kind == "call" and line.ref else facts["renewal_on"]
    return (on - today).days if on else None
