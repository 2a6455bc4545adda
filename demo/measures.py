"""From the latent figures to what an integration or a CSM would have reported.

Each row says which dimension a metric follows, its value at latent 0 and at latent 1, the decimals kept and how
often it is reported, in weeks. A choice metric lists its options from worst to best with the latent figure from
which each holds. Usage metrics are not here: they follow from the events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.story import RELATIONSHIP, SATISFACTION, SUPPORT, VALUE


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that runs from ``worst`` to ``best`` with the latent figure."""

    dimension: int
    worst: float
    best: float
    decimals: int = 0
    every: int = 4
    noise: float = 0.015


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that holds from its latent figure on."""

    dimension: int
    options: tuple[tuple[float, str], ...]
    every: int = 6


@dataclass(frozen=True, slots=True)
class Count:
    """A Poisson count whose mean runs from ``worst`` to ``best``."""

    dimension: int
    worst: float
    best: float
    every: int = 2


Measure = Figure | Choice | Count

FLEET: dict[str, Measure] = {
    "data_accuracy_pct": Figure(VALUE, 80, 99.4, 1),
    "data_error_rate_pct": Figure(VALUE, 7.5, 0.3, 1),
    "objectives": Choice(VALUE, ((0, "off_track"), (0.38, "partial"), (0.62, "on_track"))),
    "roi_multiple": Figure(VALUE, 0.4, 3.4, 1, every=8),
    "reference": Choice(RELATIONSHIP, ((0, "unwilling"), (0.45, "willing"), (0.72, "active")), every=12),
    "executive_engagement": Choice(RELATIONSHIP, ((0, "weak"), (0.42, "moderate"), (0.66, "strong"))),
    "response_pct": Figure(RELATIONSHIP, 25, 99),
    "renewals": Choice(RELATIONSHIP, ((0, "late"), (0.4, "standard"), (0.7, "proactive")), every=26),
    "tickets_month": Count(SUPPORT, 15, 0.8),
    "resolution_hours": Figure(SUPPORT, 98, 8, 1, every=2),
}

FMEA: dict[str, Measure] = {
    "s1_tickets_30d": Count(SUPPORT, 1.6, 0.0),
    "s2_tickets_30d": Count(SUPPORT, 3.0, 0.15),
    "s3_tickets_30d": Count(SUPPORT, 5.0, 0.6),
    "s4_tickets_30d": Count(SUPPORT, 5.0, 1.2),
    "nps": Figure(SATISFACTION, -70, 82, every=13),
    "csat_pct": Figure(SATISFACTION, 48, 99),
    "renewal_risk": Choice(RELATIONSHIP, ((0, "high"), (0.38, "medium"), (0.6, "low"))),
}

BIS: dict[str, Measure] = {
    "nps": Figure(SATISFACTION, -60, 88, every=13),
    "support_satisfaction": Figure(SATISFACTION, 50, 99),
    "product_satisfaction": Figure(SATISFACTION, 45, 98),
    "xla_achievement_percentage": Figure(VALUE, 35, 108),
    "roi_realization_percentage": Figure(VALUE, 25, 130, every=8),
    "efficiency_gain_percentage": Figure(VALUE, 20, 104, every=8),
    "meetings_per_quarter": Count(RELATIONSHIP, 0.4, 4.6, every=6),
    "stakeholder_engagement": Figure(RELATIONSHIP, 25, 99),
    "advocacy_score": Figure(RELATIONSHIP, 10, 97, every=8),
    "tickets_per_user_monthly": Figure(SUPPORT, 4.2, 0.3, 1),
    "avg_resolution_hours": Figure(SUPPORT, 74, 7, 1),
    "escalation_rate_percentage": Figure(SUPPORT, 24, 0, 1),
}

BY_PACK = {"fleet": FLEET, "fmea": FMEA, "bis": BIS}


def value(measure: Measure, latent: float, rng: np.random.Generator) -> str:
    """What would be reported at this latent figure: a decimal string or an option's key."""
    match measure:
        case Figure():
            share = min(1.0, max(0.0, latent + rng.normal(0, measure.noise)))
            number = measure.worst + (measure.best - measure.worst) * share
            return f"{number:.{measure.decimals}f}"
        case Count():
            mean = measure.worst + (measure.best - measure.worst) * latent
            return str(int(rng.poisson(max(0.0, mean))))
        case Choice():
            return next(key for least, key in reversed(measure.options) if latent >= least)
