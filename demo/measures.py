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
    # KPIs of the methodology.
    "time_to_first_value": Figure(VALUE, 34, 6, every=26),
    "training_completion": Figure(VALUE, 62, 100, every=13),
    "data_quality": Figure(VALUE, 82, 99.6, 1, every=13),
    "migration_accuracy": Figure(VALUE, 96, 99.9, 1, every=26),
    "nps_30_day": Figure(SATISFACTION, 4, 9.8, 1, every=26),
    "training_attendance": Figure(RELATIONSHIP, 60, 100, every=13),
    "quiz_pass": Figure(VALUE, 58, 98, every=13),
    "time_to_competency": Figure(VALUE, 30, 7, every=13),
    "training_satisfaction": Figure(SATISFACTION, 4.5, 9.6, 1, every=13),
}

FMEA: dict[str, Measure] = {
    "s1_tickets_30d": Count(SUPPORT, 1.6, 0.0),
    "s2_tickets_30d": Count(SUPPORT, 3.0, 0.15),
    "s3_tickets_30d": Count(SUPPORT, 5.0, 0.6),
    "s4_tickets_30d": Count(SUPPORT, 5.0, 1.2),
    "nps": Figure(SATISFACTION, -70, 82, every=13),
    "csat_pct": Figure(SATISFACTION, 48, 99),
    "renewal_risk": Choice(RELATIONSHIP, ((0, "high"), (0.38, "medium"), (0.6, "low"))),
    # KPIs of the methodology, which sets no targets for them.
    "on_time_delivery": Figure(VALUE, 55, 100, every=13),
    "on_budget_delivery": Figure(VALUE, 60, 100, every=13),
    "compliance": Figure(VALUE, 70, 100, every=13),
    "risk_reduction": Count(VALUE, 1, 14, every=13),
    "incident_prevention": Count(VALUE, 0.5, 6, every=13),
    "time_to_value": Figure(VALUE, 120, 25, every=26),
    "onboarding_satisfaction": Figure(SATISFACTION, 2.4, 4.9, 1, every=26),
    "csat_support": Figure(SATISFACTION, 52, 99, every=13),
    "response_time": Figure(SUPPORT, 9, 0.6, 1, every=13),
    "resolution_time": Figure(SUPPORT, 80, 7, 1, every=13),
    "fcr": Figure(SUPPORT, 38, 88, every=13),
    "escalation_rate": Figure(SUPPORT, 22, 0.5, 1, every=13),
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
    # KPIs of the methodology.
    "time_to_first_value": Figure(VALUE, 62, 14, every=26),
    "mean_recommend": Figure(SATISFACTION, 3.5, 9.7, 1, every=13),
    "query_response": Figure(VALUE, 9, 1.5, 1, every=13),
    "data_accuracy": Figure(VALUE, 95.5, 99.9, 1, every=13),
    "fcr": Figure(SUPPORT, 45, 92, every=13),
    "setup_success": Figure(VALUE, 84, 100, every=26),
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
