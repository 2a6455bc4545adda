"""One account's health as of a past day: the score that stood, and what it would be with all we know by now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.history import AsOf
from accounts.models import Account, User
from health.book.account import COMPARE_DAYS, AccountScore, account_score
from health.cards import CompiledCard, compiled
from health.choices import Rag
from health.models import HealthOverride, HealthScore
from health.queries.evidence import reading_in_words, value_in_words
from health.queries.inputs import frame_for
from health.queries.scored import Scored, fill_measures_from_kpis, metrics_read, score_frame
from health.scoring import MILLION, decimal
from health.scoring.columns import NONE


def score_as_of(account: Account, past: AsOf) -> AccountScore | None:
    """The score that stood at the end of the day with its change in 30 days; None where there was none. One query.

    A score is made of what was known on its day, so it is the same for both ways to look at the day.
    """
    days = (past.day, past.day - timedelta(days=COMPARE_DAYS))
    rows = HealthScore.objects.filter(account=account).select_related("version__scorecard")
    rows = rows.annotate(judged=Subquery(_standing(account, past)))
    latest = [rows.filter(computed_on__lte=day).order_by("-computed_on").values("computed_on")[:1] for day in days]
    found = list(rows.filter(Q(computed_on=latest[0]) | Q(computed_on=latest[1])).order_by("-computed_on"))
    if not found:
        return None
    health = _as_current(found[0], past)
    before = next((row for row in reversed(found) if row.computed_on <= days[1]), None)
    comparable = before is not None and before.score is not None and health.score is not None
    health.change_30d = health.score - before.score if comparable else None  # type: ignore[attr-defined, operator, union-attr]
    return account_score(health, before)


def _as_current(row: HealthScore, past: AsOf) -> HealthScore:
    """The stored score with what a current one says besides: the override that stood, and the band that counted."""
    judged = row.judged  # type: ignore[attr-defined]
    override = None if judged is None else _override(**judged)
    row.override = override  # type: ignore[attr-defined]
    row.current_band = override.band if override else row.band  # type: ignore[attr-defined]
    row.current_rag = override.rag if override else row.rag  # type: ignore[attr-defined]
    return row


def _standing(account: Account, past: AsOf) -> QuerySet[Any]:
    """The override that stood at the end of the day, as one value."""
    rows = HealthOverride.objects.filter(account=account, created_at__lt=past.end, expires_at__gte=past.end)
    standing = rows.filter(Q(ended_at=None) | Q(ended_at__gte=past.end)).order_by("-created_at")
    names = ("band", "band_name", "rag", "reason", "expires_at")
    return standing.values(one=JSONObject(**{name: name for name in names}, who="author__name", mail="author__email"))[
        :1
    ]


def _override(*, expires_at: str, who: str | None, mail: str | None, **said: Any) -> HealthOverride:
    """An override for showing, from ``_standing``."""
    author = User(name=who or "", email=mail) if mail else None
    return HealthOverride(expires_at=datetime.fromisoformat(expires_at), author=author, **said)


def overrides_until(account: Account, past: AsOf) -> list[HealthOverride]:
    """Judgements made by the end of the day, newest first, at most 20; one that ended later stood. One query."""
    rows = HealthOverride.objects.filter(account=account, created_at__lt=past.end).select_related("author")
    found = list(rows.order_by("-created_at")[:20])
    for override in found:
        if override.ended_at is not None and override.ended_at >= past.end:
            override.ended_at = None
    return found


class LateReading(NamedTuple):
    """A measure that reads otherwise with what is known today: both readings in words."""

    name: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Hindsight:
    """The score of a past day with all we know by now beside the one that stood; ``late`` names what differs."""

    score: Decimal | None
    band: str
    rag: str
    stood: Decimal | None
    late: list[LateReading]

    @property
    def change(self) -> Decimal | None:
        """How much higher it would have been; None where either is missing."""
        return None if self.score is None or self.stood is None else self.score - self.stood


def hindsight(account: Account, stood: HealthScore, day: date) -> Hindsight:
    """Score the account again as of ``day``, by the version that stood, with everything recorded since.

    The queries are those of the metric providers, as a backtest takes them that looks back from today.
    """
    at = datetime.combine(day, time.max, timezone.get_current_timezone())
    card = compiled(stood.version)
    frame = frame_for([account.pk], metrics_read(card), day, everyone=False)
    fill_measures_from_kpis(card, frame)
    scored = score_frame(card, [0], frame, at=at)
    total, rank = int(scored.scores.total[0]), int(scored.band[0])
    band = card.card.bands[rank] if rank >= 0 else None
    return Hindsight(
        score=None if total == NONE else decimal(total),
        band=band.name if band else "Not enough data",
        rag=band.rag if band else Rag.NONE,
        stood=stood.score,
        late=list(_late(card, scored, stood)),
    )


def _late(card: CompiledCard, scored: Scored, stood: HealthScore) -> Iterator[LateReading]:
    """Measures whose points or level differ. Their readings are kept for every day on which one moved."""
    for at, (measure, read) in enumerate(zip(card.card.measures, scored.scores.measures, strict=True)):
        reading = read.readings[int(read.codes[0])]
        points = None if reading is None else reading[0] * MILLION // card.card.scale
        level = None if reading is None else reading[1]
        if (points, level) == (stood.points[at], stood.levels[at]):
            continue
        if level is not None:
            now = measure.levels[level].replace("_", " ")
        else:
            now = "not measured" if reading is None else _value(card, scored, at)
        yield LateReading(measure.name, reading_in_words(card, at, stood), now)


def _value(card: CompiledCard, scored: Scored, at: int) -> str:
    measure = card.card.measures[at]
    column = scored.inputs[card.evidence_inputs.index(measure.inputs[0])]
    return value_in_words(measure.unit, column.raw[int(column.codes[0])])
