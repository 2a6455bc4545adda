"""The customers of a demonstration workspace: who they are, who works there and what they bought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from demo import names
from demo.story import SPONSOR_LEFT_WEEK, WEEKS, Trajectory, trajectories
from demo.workspaces import Demo, Tier

MAX_SEATS = 26
CSMS = 8


@dataclass(frozen=True, slots=True)
class Person:
    """A contact; ``left_on`` is set for one who is gone."""

    name: str
    email: str
    title: str
    role: str
    sentiment: str
    left_on: date | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One contract of a year; ``churned`` when it was not renewed."""

    number: str
    start_on: date
    end_on: date
    arr: Decimal
    seats: int
    auto_renew: bool
    churned: bool = False


@dataclass(slots=True)
class Company:
    """One customer with everything that does not come from usage or reports."""

    index: int
    name: str
    domain: str
    external_id: str
    tier: Tier
    segment: str
    industry: str
    country: str
    csm: int
    since_on: date
    seats: int
    trajectory: Trajectory
    people: list[Person] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)

    @property
    def churned_on(self) -> date | None:
        last = self.terms[-1]
        return last.end_on if last.churned else None


def monday(today: date) -> date:
    """The Monday of the first generated week; the last week ends on or after ``today``."""
    return today - timedelta(days=today.weekday()) - timedelta(weeks=WEEKS - 1)


def companies(demo: Demo, today: date) -> list[Company]:
    """Every customer of ``demo`` as of ``today``; the same for the same day."""
    rng = np.random.default_rng(demo.seed)
    stems = rng.permutation(names.STEMS)[: demo.accounts]
    plots = trajectories(demo.accounts, demo.seed + 1)
    return [_company(demo, index, str(stem), plots[index], rng, today) for index, stem in enumerate(stems)]


def _company(demo: Demo, index: int, stem: str, plot: Trajectory, rng: np.random.Generator, today: date) -> Company:
    tier = demo.tiers[int(rng.choice(len(demo.tiers), p=[tier.share for tier in demo.tiers]))]
    share = float(rng.beta(1.3, 2.6))
    arr = tier.arr_low + (tier.arr_high - tier.arr_low) * share
    suffix = demo.suffixes[int(rng.integers(len(demo.suffixes)))]
    domain = f"{stem.lower()}-{suffix.lower().replace(' ', '-')}.example"
    first = monday(today)
    since = today - timedelta(days=int(rng.integers(600, 1700)))
    if plot.first_week:
        since = first + timedelta(weeks=plot.first_week, days=1)
    company = Company(
        index=index,
        name=f"{stem} {suffix}",
        domain=domain,
        external_id=f"C-{1000 + index}",
        tier=tier,
        segment=demo.segments[int(rng.integers(len(demo.segments)))],
        industry=demo.industries[int(rng.integers(len(demo.industries)))],
        country=names.COUNTRIES[int(rng.integers(len(names.COUNTRIES)))],
        csm=index % CSMS,
        since_on=since,
        seats=int(np.clip(4 + arr / 20_000, 4, MAX_SEATS)),
        trajectory=plot,
    )
    company.people = _people(company, demo.seed, rng, today)
    company.terms = _terms(company, round(arr, -2), rng, today)
    return company


def _people(company: Company, seed: int, rng: np.random.Generator, today: date) -> list[Person]:
    roles = ["executive_sponsor", "champion", "administrator", "power_user", "decision_maker", "economic_buyer"]
    count = int(rng.integers(2, len(roles) + 1))
    mood = company.trajectory.latent[2, -1]
    people = []
    for position, role in enumerate(roles[:count]):
        name = names.person(seed * 131 + company.index * 6 + position)
        titles = names.TITLES[role]
        gone = role == "executive_sponsor" and company.trajectory.story == "sponsor left"
        people.append(
            Person(
                name=name,
                email=names.email(name, company.domain),
                title=titles[int(rng.integers(len(titles)))],
                role=role,
                sentiment="cold" if mood < 0.4 else "warm" if mood > 0.72 else "neutral",
                left_on=today - timedelta(weeks=SPONSOR_LEFT_WEEK - 1) if gone else None,
            )
        )
    return people


def _terms(company: Company, arr: float, rng: np.random.Generator, today: date) -> list[Term]:
    """Yearly terms from the first day on, growing or shrinking with the fortunes of the year."""
    end_week = company.trajectory.churn_week
    churn_on = monday(today) + timedelta(weeks=end_week) if end_week is not None else None
    if churn_on:
        years = max(1, (churn_on - company.since_on).days // 365)
        company.since_on = churn_on - timedelta(days=365 * years - 1)
    starts, start = [], company.since_on
    while start <= (churn_on or today):
        starts.append(start)
        start += timedelta(days=365)
    amount = Decimal(int(arr))
    terms: list[Term] = []
    for start in reversed(starts):
        end = start + timedelta(days=364)
        churned = bool(churn_on and end >= churn_on)
        number = f"{company.external_id}-{start.year}"
        terms.append(
            Term(number, start, end, amount, company.seats, auto_renew=bool(rng.random() < 0.4), churned=churned)
        )
        amount = (amount / Decimal(str(round(_growth(company, start, today, rng), 3)))).quantize(Decimal(100))
    return terms[::-1]


def _growth(company: Company, start: date, today: date, rng: np.random.Generator) -> float:
    """By what a term exceeded the one before it: about +6 % for a healthy year, less for a poor one."""
    week = max(0, min(WEEKS - 1, (start - monday(today)).days // 7))
    mood = float(company.trajectory.latent[:, week].mean())
    return float(np.clip(1 + (mood - 0.66) * 0.4 + rng.normal(0.02, 0.05), 0.82, 1.45))
