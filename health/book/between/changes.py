"""Everything that changed between two days, for the account's Changes page and its CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet, Subquery

from accounts.history import Record, moment_after
from accounts.models import Account
from health.book.between.money import Money, money_between
from health.book.between.people import people_between
from health.book.between.record import Noted
from health.book.between.silence import Silence, touch_silence, usage_silence
from health.book.change import Change, change_between
from health.models import HealthScore
from playbooks.queries import CtaSpan, ctas_between

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores that stood on both days; ``change`` is None when either has none."""

    before: HealthScore | None
    after: HealthScore | None
    change: Change | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The two days and what lies between them; ``usage`` is None where no usage is received."""

    since: date
    until: date
    scores: Scores
    money: Money
    people: list[Noted]
    touches: Silence
    usage: Silence | None
    ctas: CtaSpan


def changes_between(user: User, account: Account, since: date, until: date) -> Changes:
    """What changed after ``since`` up to the end of ``until``. Seven queries, whatever happened."""
    record = Record(account.pk, since)
    return Changes(
        since,
        until,
        scores_on(account, since, until),
        money_between(account, record, since, until),
        people_between(account, record, since, until),
        touch_silence(account, since, until),
        usage_silence(account, since, until),
        ctas_between(user, account.pk, moment_after(since), moment_after(until)),
    )


def scores_on(account: Account, since: date, until: date) -> Scores:
    """The scores that stood on two days. One query."""
    rows = HealthScore.objects.filter(account=account)
    stood = [Q(computed_on=Subquery(_latest(rows, day))) for day in (since, until)]
    found = list(rows.filter(stood[0] | stood[1]).select_related("version__scorecard").order_by("computed_on"))
    before = found[0] if found and found[0].computed_on <= since else None
    after = found[-1] if found else None
    change = change_between(before, after) if before is not None and after is not None else None
    return Scores(before, after, change)


def _latest(rows: QuerySet[HealthScore], day: date) -> QuerySet[Any]:
    return rows.filter(computed_on__lte=day).order_by("-computed_on").values("computed_on")[:1]
