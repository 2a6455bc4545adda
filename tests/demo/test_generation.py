"""The generated companies: the same every time, believable, and with the planted stories in them."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest

from demo import usage
from demo.companies import companies, monday
from demo.measures import BY_PACK, Choice, Count, value
from demo.story import CLIFF_WEEK, USAGE, WEEKS
from demo.timeline import activities
from demo.workspaces import DEMOS
from packs.files import load

TODAY = date(2026, 11, 24)


@pytest.fixture(params=DEMOS, ids=lambda demo: demo.slug)
def demo(request):
    return request.param


def test_the_same_day_gives_the_same_companies(demo):
    first, second = companies(demo, TODAY), companies(demo, TODAY)

    assert [(c.name, c.people, c.terms) for c in first] == [(c.name, c.people, c.terms) for c in second]


def test_there_are_at_least_150_with_different_names_and_addresses(demo):
    customers = companies(demo, TODAY)

    assert len(customers) >= 150
    assert len({c.name for c in customers}) == len(customers)
    assert len({c.domain for c in customers}) == len(customers)


def test_every_planted_story_is_there(demo):
    assert Counter(c.trajectory.story for c in companies(demo, TODAY)) == {
        "": len(companies(demo, TODAY)) - 36,
        "sponsor left": 3,
        "usage cliff": 7,
        "silent": 3,
        "recovery": 4,
        "green and lost": 2,
        "slow decline": 6,
        "growth": 6,
        "new": 5,
    }


def test_terms_follow_each_other_without_a_gap(demo):
    for company in companies(demo, TODAY):
        for earlier, later in zip(company.terms, company.terms[1:], strict=False):
            assert (later.start_on - earlier.end_on).days == 1
        assert company.terms[0].start_on == company.since_on
        assert all(term.arr > 0 for term in company.terms)


def test_usage_falls_by_a_third_or_more_after_the_release(demo):
    cliffs = [c for c in companies(demo, TODAY) if c.trajectory.story == "usage cliff"]
    day = (WEEKS - CLIFF_WEEK) * 7

    for company in cliffs:
        visits = usage.activity(company, demo.features, TODAY, demo.seed).active.sum(axis=0)
        before, after = visits[day - 28 : day].sum(), visits[-28:].sum()
        assert after < before * 0.67, company.name


def test_a_silent_account_sends_nothing_after_it_fell_silent(demo):
    for company in companies(demo, TODAY):
        if company.trajectory.story == "silent":
            visits = usage.activity(company, demo.features, TODAY, demo.seed).active
            assert visits[:, company.trajectory.silent_from * 7 :].sum() == 0
            assert visits[:, : company.trajectory.silent_from * 7].sum() > 0


def test_nothing_happens_after_today_or_after_the_end_of_the_contract(demo):
    for company in companies(demo, TODAY):
        active = usage.activity(company, demo.features, TODAY, demo.seed).active.any(axis=0)
        last = np.flatnonzero(active)[-1]
        end = min(company.churned_on or TODAY, TODAY)
        assert last <= (end - monday(TODAY)).days


def test_a_green_account_that_churns_was_green_until_the_end(demo):
    for company in companies(demo, TODAY):
        if company.trajectory.story == "green and lost":
            assert company.churned_on is not None
            assert company.trajectory.latent[USAGE, : company.trajectory.churn_week].min() >= 0.8


def test_better_fortunes_give_better_reports(demo):
    for key, measure in BY_PACK[demo.pack].items():
        rng = np.random.default_rng(1)
        low = [value(measure, 0.05, rng) for _ in range(60)]
        high = [value(measure, 0.95, rng) for _ in range(60)]
        if isinstance(measure, Choice):
            order = [option for _, option in measure.options]
            assert set(low) == {order[0]}, key
            assert set(high) == {order[-1]}, key
        else:
            better = measure.best > measure.worst
            means = (sum(map(float, low)), sum(map(float, high)))
            assert (means[1] > means[0]) == better, key
            assert not isinstance(measure, Count) or all(text.isdigit() for text in low + high)


def test_the_timeline_tells_the_story(demo):
    told = {
        company.trajectory.story: " ".join(entry["title"] for entry in activities(demo, company, TODAY))
        for company in companies(demo, TODAY)
    }

    assert "left" in told["sponsor left"]
    assert demo.release in told["usage cliff"]
    assert "Not renewed" in told["green and lost"]
    assert "No answer" in told["silent"]


def test_every_methodology_has_kpis_with_reported_figures(demo):
    kpis = {kpi["key"].replace("-", "_"): kpi for kpi in load(demo.pack)["kpis"]}
    reported = {name: measure for name, measure in BY_PACK[demo.pack].items() if name in kpis}
    assert len(reported) >= 6
    for name, measure in reported.items():
        if (target := kpis[name].get("target")) is not None:
            assert min(measure.worst, measure.best) < target <= max(measure.worst, measure.best), name
