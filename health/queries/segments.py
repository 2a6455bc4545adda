"""Segments and who is in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import models as sums
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, TruncDate

from accounts.models import Account, OwnField, Workspace
from accounts.models.account import AccountQuerySet
from accounts.own_values import FieldDefinition
from health.models import Segment, SegmentMember
from health.queries.inputs import active_cards
from health.segments.catalogue import METRIC, own_key, own_rule_fields
from health.segments.matching import Matcher
from health.segments.rules import Rule, conditions_of, is_test_of

if TYPE_CHECKING:
    from accounts.models import User


def in_segments(keys: Iterable[Any]) -> QuerySet[Any]:
    """The accounts now in any of these segments, as a subquery."""
    return SegmentMember.objects.current().filter(segment__in=list(keys)).values("account")


def stays_by_day(key: Any = None) -> QuerySet[Any]:
    """The stays in one segment, or in all, as days of the reader's: from ``first_on`` until the day before ``end_on``.

    Who came and went within a day was in no segment that day. A segment knows nothing of the time before it was made:
    its first members stand in for those days, so that a figure of a new segment can be followed back.
    """
    stays = SegmentMember.objects.order_by() if key is None else SegmentMember.objects.order_by().filter(segment=key)
    came, made = TruncDate("entered_at"), TruncDate("segment__created_at")
    return (
        stays.alias(came_on=came, made_on=made)
        .annotate(
            first_on=Case(When(came_on__lte=F("made_on"), then=Value(date.min)), default=F("came_on")),
            end_on=Coalesce(TruncDate("left_at"), Value(date.max)),
        )
        .filter(end_on__gt=F("came_on"))
    )


def members_on(key: Any, day: date) -> QuerySet[Any]:
    """The accounts in a segment at the end of ``day``, as a subquery."""
    return stays_by_day(key).filter(first_on__lte=day, end_on__gt=day).values("account")


class Crossing(NamedTuple):
    """An account that entered a segment or left it."""

    at: datetime
    account_id: UUID
    name: str
    entered: bool


class Count(NamedTuple):
    """A segment with how many of its accounts the reader sees, and how many of those came and went lately."""

    segment: Segment
    accounts: int
    entered: int
    left: int


def segment_counts(user: User, *, since: datetime) -> list[Count]:
    """Every segment by name with its accounts that ``user`` may see, and its moves since ``since``. Two queries."""
    stays = SegmentMember.objects.visible_to(user).order_by().values("segment")
    counted = stays.annotate(
        now=sums.Count("pk", filter=Q(left_at=None)),
        entered=sums.Count("pk", filter=Q(entered_at__gte=since)),
        left=sums.Count("pk", filter=Q(left_at__gte=since)),
    )
    found = {row["segment"]: (row["now"], row["entered"], row["left"]) for row in counted}
    return [Count(each, *found.get(each.pk, (0, 0, 0))) for each in Segment.objects.select_related("created_by")]


def crossings(segment: Segment, user: User, most: int = 60) -> list[Crossing]:
    """The latest entries and exits among the accounts that ``user`` may see, newest first. Two queries."""
    stays = SegmentMember.objects.visible_to(user).filter(segment=segment)
    entered = stays.order_by("-entered_at", "-pk").values_list("entered_at", "account_id", "account__name")[:most]
    gone = stays.exclude(left_at=None).order_by("-left_at", "-pk")
    left = gone.values_list("left_at", "account_id", "account__name")[:most]
    found = [
        *(Crossing(at, key, name, entered=True) for at, key, name in entered),
        *(Crossing(at, key, name, entered=False) for at, key, name in left),
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)[:most]


def matching(rule: Rule, user: User, *, at: datetime) -> AccountQuerySet:
    """The accounts that ``user`` may see and a checked rule matches at ``at``. One query to prepare, or two."""
    rows = matcher_for([rule], at=at).accounts(rule)
    return rows.filter(pk__in=Account.objects.visible_to(user).values("pk"))


def matcher_for(rules: Iterable[Rule], *, at: datetime) -> Matcher:
    """What turns these rules into queries. One query, another when a rule tests a metric, and one for own fields."""
    zone = Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
    tested = {condition["field"] for rule in rules for condition in conditions_of(rule)}
    measured = any(field.startswith(METRIC) for field in tested)
    keys = {key for field in tested if (key := own_key(field))}
    own = OwnField.objects.named(keys).by_key() if keys else {}
    return Matcher(at=at, zone=zone, versions=active_cards().by_key if measured else {}, own=own)


def broken_by(field: FieldDefinition) -> list[str]:
    """Segments whose rules test the own field as something else than ``field`` says it would be, by name. One query.

    ``settings.OWN_FIELD_TESTS``: the app below asks before it changes a field's kind.
    """
    tests = {each.key: each for each in own_rule_fields(field)}
    return [
        segment.name
        for segment in Segment.objects.order_by("name")
        if any(
            own_key(condition["field"]) == field.key
            and (condition["field"] not in tests or not is_test_of(condition, tests[condition["field"]]))
            for condition in conditions_of(segment.rule)
        )
    ]


class Choices:
    """Segments for the apps below, which choose accounts by them (``settings.ACCOUNT_SEGMENTS``)."""

    @staticmethod
    def names() -> list[tuple[str, str]]:
        """(key, name) of every segment, by name. One query."""
        return [(str(key), name) for key, name in Segment.objects.order_by("name").values_list("pk", "name")]

    @staticmethod
    def members(key: str) -> QuerySet[Any]:
        """The accounts in the segment, as a subquery; nobody for a key that is none."""
        try:
            return in_segments([UUID(key)])
        except ValueError:
            return SegmentMember.objects.none().values("account")
