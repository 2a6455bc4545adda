"""A whole demonstration workspace, smaller than the real ones, through the product's own actions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django_tenants.utils import tenant_context

from accounts.models import Account, AuditEntry, Contact, Contract, OwnField, User
from accounts.queries.own_fields import held_by, undefined
from demo.companies import companies
from demo.load import LOADING, is_seeded, seed
from demo.own_fields import FIELDS
from demo.workspaces import DEMOS
from health.actions.backtests import graded
from health.backtest import grade, outcomes_of
from health.cards import compile_definition
from health.models import AccountHealth, RenewalReview, ScorecardVersion
from health.queries.replay import Replay, replay_days, roster
from health.queries.targets import figures
from playbooks.models import Cta
from support.models import Escalation, Incident, IncidentAction, Macro, Ticket
from tenants.actions import discard_tenant, explain_status
from tenants.models import Tenant

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SMALL = replace(DEMOS[0], slug="smalldemo", accounts=40)


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker):
    """Committed once for the tests of this file: it takes a while."""
    with django_db_blocker.unblock():
        tenant = seed(SMALL, now=NOW)
        yield tenant
        discard_tenant(tenant)


@pytest.fixture
def tenant(seeded, db):
    return seeded


@pytest.fixture
def replayed(tenant):
    """The running scorecard over 18 months of weeks with what was known on each day, and whose story is which."""
    with tenant_context(tenant):
        version = ScorecardVersion.objects.get(pk=AccountHealth.objects.values("version")[:1])
        days = replay_days(NOW.date(), months=18, step="week")
        replay = Replay([compile_definition(version.definition)], roster(), days, basis="recorded")
        assert len(list(replay.run())) == len(days)
        names = {str(key): name for key, name in Account.objects.values_list("pk", "name")}
        told = {company.name: company.trajectory.story for company in companies(SMALL, NOW.date())}
    return replay, {key: told[name] for key, name in names.items()}


def test_renewals_stand_in_the_states_a_reader_will_meet(tenant):
    with tenant_context(tenant):
        states = Counter(RenewalReview.objects.ahead(NOW.date()).values_list("state", flat=True))
        said = Counter(RenewalReview.objects.exclude(call="").values_list("call", flat=True))
    assert {"agreed", "no_call"} <= states.keys(), states
    assert {"disagreed", "decided"} & states.keys(), states
    assert {"will_renew", "at_risk"} <= said.keys(), said


def test_a_seeded_workspace_holds_a_scored_portfolio(tenant):
    with tenant_context(tenant):
        assert Account.objects.count() == 40
        assert Contact.objects.count() > 80
        assert Contract.objects.count() > 40
        assert User.objects.filter(role="csm").count() == 8
        assert AccountHealth.objects.exclude(score=None).count() >= 30
        assert Cta.objects.filter(status="open").exists()
        assert Cta.objects.filter(status="closed").exists()
        assert AuditEntry.objects.exists()
        fields = list(OwnField.objects.all().by_key().values())
        assert [field.label for field in fields] == [own.label for own in FIELDS[SMALL.pack]]
        assert [misfits for _held, misfits in held_by(fields)] == [0] * 4
        assert [(each.key, each.accounts) for each in undefined()] == [("billing_id", 40)]
        assert Ticket.objects.done().exclude(csat_score=None).count() > 15
        assert Ticket.objects.overdue(NOW).exists()
        assert Ticket.objects.filter(status="new").exists()
        assert Escalation.objects.open().count() == 3
        assert Macro.objects.count() == 3
        reviewed = dict(Incident.objects.values_list("status", "review__published_at"))
        assert {status: at is not None for status, at in reviewed.items()} == {"resolved": True, "open": False}
        assert IncidentAction.objects.filter(cta__status="open").count() == 2


def test_its_success_metrics_have_figures_on_both_sides_of_their_targets(tenant):
    with tenant_context(tenant):
        accounts = list(Account.objects.live().values_list("pk", flat=True))
        shown = figures(accounts, category="", on=NOW.date(), since=NOW.date() - timedelta(days=90))
    measured = [one for one in shown if one.measured]
    assert {one.kpi.category for one in measured} == {"onboarding", "migration", "training"}
    assert len(measured) == 9
    assert [one.kpi.key for one in measured if not 0 < (one.met or 0) < one.measured] == []
    assert [one.kpi.key for one in measured if one.before is None] == []


def test_the_backtest_finds_the_planted_stories(replayed):
    replay, stories = replayed
    result, rows = graded(replay, horizon=90, today=NOW.date().toordinal())
    warning, base = result["champion"]["warnings"]["red"], result["champion"]["base_rate"]["share"]
    losses = [(stories[row["account"]], row["colour_in_time"], row["lead_days"]) for row in rows["losses"]["red"]]
    fell = Counter(stories[row["account"]] for row in rows["falls"][:12])
    counts = {name: warning[name] for name in ("hit", "alarm", "miss", "calm")}
    print(counts, warning["precision"], warning["chance"], f"base rate {base:.4f}", *losses, fell, sep="\n")

    assert Counter(story for story, *_rest in losses) == {"slow decline": 6, "green and lost": 2}
    assert all(colour == "red" and lead > 30 for story, colour, lead in losses if story == "slow decline")
    assert [(colour, lead) for story, colour, lead in losses if story == "green and lost"] == [("green", None)] * 2
    assert (warning["hit"], warning["miss"]) == (6, 2)
    assert warning["precision"]["share"] > 2 * base
    assert warning["precision"]["share"] > 1.5 * warning["chance"]["mean"]
    assert warning["few"]
    assert sum(fell[story] for story in ("usage cliff", "silent", "sponsor left")) >= 8


def test_with_its_labels_shuffled_the_precision_falls_to_the_base_rate(replayed):
    replay, _stories = replayed
    people, days = replay.people.accounts, [day.toordinal() for day in replay.days]
    rng = np.random.default_rng(1)
    found = []
    for _deal in range(400):
        dealt = outcomes_of([people[place] for place in rng.permutation(len(people))], days, today=days[-1])
        found.append(grade(replay.histories[0], dealt, horizon=90, today=days[-1])["warnings"]["red"])
    hits, warned = sum(one["hit"] for one in found), sum(one["hit"] + one["alarm"] for one in found)
    lost = sum(one["hit"] + one["miss"] for one in found)
    judged = warned + sum(one["miss"] + one["calm"] for one in found)
    print(f"precision {hits / warned:.4f}, base rate {lost / judged:.4f}")

    # A little above, since losses and warnings both came late; the report's own chance allows for that.
    chance = grade(replay.histories[0], outcomes_of(people, days, today=days[-1]), horizon=90, today=days[-1])
    assert hits / warned == pytest.approx(chance["warnings"]["red"]["chance"]["mean"], rel=0.2)
    assert hits / warned == pytest.approx(lost / judged, rel=0.4)


def test_a_half_made_workspace_is_made_again(tenant):
    assert is_seeded("smalldemo")

    explain_status(tenant, LOADING)

    assert not is_seeded("smalldemo")
    assert not Tenant.objects.filter(slug="smalldemo").exists()
