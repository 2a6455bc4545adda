"""The charts of an account's page, from ``health.book.account``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils.safestring import SafeString

from health.book.account import AccountScore, Metric, Point
from health.book.cells import tone
from health.book.change import Change
from health.cards import CompiledCard
from health.models.scores import Evidence
from ui import atoms, charts, formats
from ui.tokens import tones_of


def gauge(score: AccountScore) -> SafeString:
    """The half ring with the card's bands on it; the computed score, and the band that counts."""
    health, bands = score.health, score.card.card.bands
    tones = tones_of([band.rag for band in bands])
    zones = [(float(band.minimum), tones[at]) for at, band in reversed(list(enumerate(bands)))]
    name = current_band_name(score)
    shown = "–" if health.shown is None else formats.number(health.shown)
    previous = float(score.before.score) if score.before and score.before.score is not None else None
    edges = ", ".join(f"{band.name} from {formats.number(band.minimum)}" for band in bands)
    moved = f" It was {formats.number(previous, 1)} thirty days ago." if previous is not None else ""
    title = f"Health score {shown} of 100, {name}"
    value = None if health.score is None else float(health.score)
    drawn = charts.gauge(
        title, f"Bands: {edges}.{moved}", value, tone(health.current_rag), name, zones, previous, shown
    )
    return atoms.html(drawn)


def current_band_name(score: AccountScore) -> str:
    """The band's own word; with an override, the override's."""
    if score.health.override is not None:
        return score.health.override.band_name
    return _band_name(score, score.health.current_band)


def computed_band_name(score: AccountScore) -> str:
    """The word of the band that the figures give, whatever was set by hand."""
    return _band_name(score, score.health.band)


def _band_name(score: AccountScore, key: str) -> str:
    return next((band.name for band in score.card.card.bands if band.key == key), "Not enough data")


def waterfall(score: AccountScore, today: date, end: str = "Today") -> charts.Chart | None:
    """Why the score changed in 30 days; None when there is nothing to compare. ``end`` names the second day."""
    if score.change is None or score.before is None:
        return None
    return waterfall_between(score.before, score.health, score.change, score.card, today, end)


def waterfall_between(
    before: Evidence, after: Evidence, change: Change, card: CompiledCard, today: date, end: str
) -> charts.Chart | None:
    """From one score to another, a step a dimension; ``end`` names the second. None for two versions of a card."""
    if not change.same_version:
        return None
    moved = [(effect.name, float(effect.points)) for effect in change.effects]
    direction = "rose" if change.after > change.before else "fell" if change.after < change.before else "stayed"
    parts = ", ".join(f"{name} {formats.signed(round(points, 1), 1)}" for name, points in moved if abs(points) >= 0.05)
    title = f"Why the score {direction}: {formats.number(change.before, 1)} to {formats.number(change.after, 1)}"
    cuts = [charts.Cut(float(band.minimum), band.name) for band in card.card.bands if band.minimum > 0]
    return charts.waterfall(
        title,
        f"{parts or 'No dimension moved'}.",
        charts.Total(formats.day(before.computed_on, today=today), _one(change.before), tone(before.rag)),
        [charts.Step(name, round(points, 2)) for name, points in moved],
        charts.Total(end, _one(change.after), tone(after.rag)),
        cuts,
    )


def _one(value: Decimal) -> float:
    return round(float(value), 1)


def history_line(points: list[Point], title: str = "Health score by week") -> charts.Chart | None:
    """The score week by week, with a mark where another version of the scorecard took over."""
    if len([point for point in points if point.score is not None]) < 2:
        return None
    changes = [
        (at, "New scorecard version")
        for at in range(1, len(points))
        if points[at].version_id != points[at - 1].version_id
    ]
    first, last = (
        next(p for p in points if p.score is not None),
        next(p for p in reversed(points) if p.score is not None),
    )
    return charts.Line(
        title=title,
        desc=f"From {first.shown} on {formats.day(first.day)} to {last.shown} on {formats.day(last.day)}.",
        categories=[f"{point.day.day} {point.day:%b}" for point in points],
        values=[point.score for point in points],
        formatter=lambda value: formats.number(round(value, 1)),
        label="Score",
        events=changes[-2:],
        low=max(0.0, min(p.score for p in points if p.score is not None) // 10 * 10 - 10),
        high=100.0,
        notes=[point.band.replace("-", " ") for point in points],
        note_head="Band",
    ).chart()


def metric_line(metric: Metric, events: list[tuple[date, str]]) -> charts.Chart | None:
    """A number's weekly course; None for a choice and for fewer than two values."""
    known = [value for value in metric.values if value is not None]
    if len(known) < 2:
        return None
    suffix = " %" if metric.unit == "%" else ""
    marks = [(at, name[:28]) for day, name in events if (at := _index(metric.days, day)) is not None]
    first, last = formats.number(round(known[0], 1)), formats.number(round(known[-1], 1))
    return charts.Line(
        title=metric.name,
        desc=f"From {first}{suffix} to {last}{suffix} over {len(known)} weeks.",
        categories=[f"{day.day} {day:%b}" for day in metric.days],
        values=metric.values,
        formatter=lambda value: f"{formats.number(round(value, 1))}{suffix}",
        label=metric.name,
        events=marks[-2:],
        low=0.0 if suffix and (min(known) < 40 or max(known) - min(known) < 1) else None,
        high=100.0 if suffix and 85 <= max(known) <= 100 else None,
    ).chart()


def _index(days: list[date], day: date) -> int | None:
    """The week that ``day`` falls into; None outside."""
    return next((at for at, week in enumerate(days) if week >= day), None)
