"""How long nobody was in touch with the customer, and how long nobody there used the product."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Max, Q
from django.utils import timezone

from accounts.actions.activity import TOUCHES
from accounts.history import moment_after
from accounts.models import Account, Activity
from usage.models import AccountDay


class Silence(NamedTuple):
    """Days with a sign of life from ``since`` to ``until``; ``last`` is the latest up to ``until``, if ever.

    ``longest`` is the longest run of days without one inside the period, beginning on ``longest_from``.
    """

    days: int
    last: date | None
    quiet: int | None
    longest: int
    longest_from: date | None


def touch_silence(account: Account, since: date, until: date) -> Silence:
    """Calls, meetings and e-mails. One query."""
    begin, end = moment_after(since), moment_after(until)
    rows = Activity.objects.filter(account=account, kind__in=TOUCHES, at__lt=end)
    found = rows.aggregate(last=Max("at", filter=Q(at__lt=begin)), inside=ArrayAgg("at", filter=Q(at__gte=begin)))
    earlier = timezone.localtime(found["last"]).date() if found["last"] else None
    return silence((timezone.localtime(at).date() for at in found["inside"] or []), earlier, since, until)


def usage_silence(account: Account, since: date, until: date) -> Silence | None:
    """Days on which anybody used the product; None when no usage was ever received. One query."""
    rows = AccountDay.objects.filter(account_id=account.pk, day__lte=until)
    inside = ArrayAgg("day", filter=Q(day__gt=since), distinct=True)
    found = rows.aggregate(last=Max("day", filter=Q(day__lte=since)), inside=inside)
    if found["last"] is None and not found["inside"]:
        return None
    return silence(found["inside"] or [], found["last"], since, until)


def silence(alive: Iterable[date], earlier: date | None, since: date, until: date) -> Silence:
    """The silence of days after ``since`` up to ``until``, ``earlier`` being the last sign of life before them."""
    days = sorted(set(alive))
    last = days[-1] if days else earlier
    edges = [since, *days, until + timedelta(days=1)]
    gaps = [((later - sooner).days - 1, sooner) for sooner, later in pairwise(edges)]
    longest, after = max(gaps, key=lambda gap: gap[0])
    quiet = None if last is None else (until - last).days
    return Silence(len(days), last, quiet, longest, after + timedelta(days=1) if longest else None)
