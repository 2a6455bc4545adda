"""One account's health as its page shows it: the score today, why it moved, its history, its metrics."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from accounts.choices import ActivityKind
from accounts.models import Account, Activity
from health.book.change import Change, change_between
from health.cards import CompiledCard, compiled
from health.models import AccountHealth, HealthOverride, HealthScore
from health.queries.evidence import DimensionLine, dimension_lines, shares_of
from ui import wording
from usage.models import MetricDefinition

COMPARE_DAYS = 30
HISTORY_WEEKS = 52
METRIC_WEEKS = 26


class Component(NamedTuple):
    """A dimension's line, its change since the earlier score (None: not comparable), its measures in words."""

    line: DimensionLine
    change: Decimal | None
    words: str


@dataclass(frozen=True, slots=True)
class AccountScore:
    """Everything about a score. ``before`` is the state 30 days earlier, where there was one.

    ``health`` is the current row, or that of a past day dressed as one (``health.book.past``).
    """

    health: Any
    card: CompiledCard
    components: list[Component]
    before: HealthScore | None
    change: Change | None

    @property
    def stale(self) -> int:
        """How many measured inputs are older than the card allows."""
        return self.health.states.count("s")

    @property
    def missing(self) -> int:
        """How many inputs nobody has measured."""
        return self.health.states.count("-")


def score_of(account: Account, on: date) -> AccountScore | None:
    """The account's score with its change since 30 days before ``on``; None before the first run. Two queries."""
    related = ("version__scorecard", "override__author")
    health = AccountHealth.objects.select_related(*related).filter(account=account).first()
    if health is None:
        return None
    return account_score(health, state_on(account, on - timedelta(days=COMPARE_DAYS)))


def account_score(health: Any, before: HealthScore | None) -> AccountScore:
    """A score, current or of a past day, with what moved since ``before``. No query."""
    card = compiled(health.version)
    comparable = before is not None and before.version_id == health.version_id
    old = dict(zip((part.key for part in card.card.dimensions), before.dimensions, strict=True)) if comparable else {}
    components = [
        Component(line, _moved(line, old.get(line.key)) if comparable else None, _words(line))
        for line in dimension_lines(health, card)
    ]
    change = change_between(before, health) if before is not None else None
    return AccountScore(health, card, components, before, change)


def _moved(line: DimensionLine, old: int | None) -> Decimal | None:
    if line.score is None or old is None:
        return None
    return line.score - Decimal(old).scaleb(-6)


def _words(line: DimensionLine, most: int = 3) -> str:
    """What the dimension's first measures say: ``Login frequency Medium, Data quality missing``."""
    told = []
    for measure in line.measures[:most]:
        if measure.level:
            reading = measure.level.replace("_", " ")
        elif measure.points is None:
            reading = "missing"
        else:
            reading = measure.inputs[0].value or ""
        told.append(f"{measure.name} {reading}{' (stale)' if measure.is_stale else ''}")
    more = len(line.measures) - most
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


def state_on(account: Account, day: date) -> HealthScore | None:
    """The score that stood on ``day``. One query."""
    rows = HealthScore.objects.filter(account=account, computed_on__lte=day).order_by("-computed_on")
    return rows.select_related("version").first()


class Point(NamedTuple):
    """The score at the end of a week; empty where there was none."""

    day: date
    score: float | None
    shown: str
    band: str
    version_id: Any


def history(account: Account, today: date, weeks: int = HISTORY_WEEKS) -> list[Point]:
    """The score week by week, oldest first, from the day of the first score. One query."""
    rows = list(_rows(account, today, weeks).values_list("computed_on", "score", "shown", "band", "version_id"))
    days = [row[0] for row in rows]
    points = []
    for day in _weeks(today, weeks):
        at = bisect_right(days, day) - 1
        if at >= 0:
            _on, score, shown, band, version = rows[at]
            value = None if score is None else float(score)
            points.append(Point(day, value, "–" if shown is None else str(shown), band, version))
    return points


def _rows(account: Account, today: date, weeks: int) -> Any:
    start = today - timedelta(weeks=weeks, days=40)
    return HealthScore.objects.filter(account=account, computed_on__range=(start, today)).order_by("computed_on")


def _weeks(today: date, weeks: int) -> list[date]:
    return [today - timedelta(weeks=back) for back in reversed(range(weeks))]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the card with its latest value and, for numbers, its weekly course."""

    key: str
    name: str
    unit: str
    latest: str
    number: Decimal | None
    source: str
    observed_at: Any
    state: str
    days: list[date]
    values: list[float | None]
    change: float | None


def metrics(score: AccountScore, account: Account, today: date, weeks: int = METRIC_WEEKS) -> list[Metric]:
    """Every input of the card in the order in which the scorecard weighs it: two queries.

    The course comes from the stored scores, so it is what was known on each day, and ends at a change of version.
    """
    rows = list(
        _rows(account, today, weeks).filter(version=score.health.version_id).values_list("computed_on", "values")
    )
    days = [row[0] for row in rows]
    names = {key: (name, unit) for key, name, unit in MetricDefinition.objects.values_list("key", "name", "unit")}
    found = []
    for place, key in enumerate(score.card.evidence_inputs):
        course = []
        for day in _weeks(today, weeks):
            at = bisect_right(days, day) - 1
            course.append((day, _number(rows[at][1][place]) if at >= 0 else None))
        found.append(_metric(score.health, key, place, course, names))
    return found


def _metric(
    health: AccountHealth, key: str, place: int, course: list[tuple[date, Decimal | None]], names: dict[str, Any]
) -> Metric:
    raw = health.values[place]
    name, unit = names.get(key) or wording.figure(key)
    known = [value for _day, value in course if value is not None]
    number = _number(raw)
    return Metric(
        key=key,
        name=name[:1].upper() + name[1:],
        unit=wording.said_unit(unit),
        latest="" if raw is None else raw if number is not None else raw.replace("_", " "),
        number=number,
        source=health.sources[place] or "",
        observed_at=health.observed_at[place],
        state=health.states[place],
        days=[day for day, _value in course],
        values=[None if value is None else float(value) for _day, value in course],
        change=float(known[-1] - known[0]) if len(known) > 1 else None,
    )


def _number(raw: str | None) -> Decimal | None:
    if raw is None:
        return None
    try:
        value = Decimal(raw)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def releases(account: Account, start: date) -> list[tuple[date, str]]:
    """Product releases and other marked moments on the account since ``start``, for charts. One query."""
    rows = Activity.objects.filter(account=account, kind=ActivityKind.RELEASE, at__date__gte=start).order_by("at")
    return [(at.date(), title) for at, title in rows.values_list("at", "title")[:5]]


def overrides(account: Account) -> list[HealthOverride]:
    """Judgements made on the account, newest first, at most 20. One query."""
    return list(HealthOverride.objects.filter(account=account).select_related("author").order_by("-created_at")[:20])


def shares(score: AccountScore) -> dict[str, tuple[Decimal, Decimal]]:
    """Points of the total each dimension carries, and the most it could."""
    return shares_of(score.health, score.card)
