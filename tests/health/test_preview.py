"""A preview says account by account what the activation then does, whatever is measured."""

import copy
import random
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from health.actions import activate_version, draft_version, recompute, recompute_changed, set_override
from health.cards import compile_definition
from health.models import AccountHealth
from health.queries.preview import preview_of
from health.simulation import simulate_scorecard
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def leader():
    return world.person("vera@acme.test", role="vp_cs")


def stricter(edge=95):
    definition = copy.deepcopy(CARDS["fleet-health"])
    definition["bands"][0]["min"] = edge
    return definition


def draft(version, definition):
    return draft_version(version.scorecard, definition=definition, actor=None, at=NOON)


def test_it_shows_who_changes_band_and_writes_nothing(leader):
    version = world.card()
    good, bad = world.account("Good"), world.account("Bad")
    world.measure(good, {**FLEET_BEST, "mobile_pct": "10"})
    world.measure(bad, FLEET_RED)
    recompute(at=NOON)
    stored = AccountHealth.objects.get(account=good)

    found = preview_of(draft(version, stricter(100)), leader, at=NOON)

    assert [(change.name, change.before.band, change.after.band, change.direction) for change in found.crossing] == [
        ("Good", stored.band, "yellow", "worse")
    ]
    assert found.before != found.after
    assert sum(found.before.values()) == sum(found.after.values()) == 2
    assert AccountHealth.objects.get(account=good).version_id == version.pk


def test_accounts_of_other_cards_are_not_its_business(leader):
    version = world.card()
    world.card("mna-health")
    theirs = world.account("Theirs", scorecard_key="mna-health")
    world.account("Ours")

    found = preview_of(draft(version, stricter()), leader, at=NOON)

    assert [change.name for change in found.changes] == ["Ours"]
    assert theirs.pk not in {change.account_id for change in found.changes}


def test_a_judgement_that_stands_is_named(leader):
    version = world.card()
    account = world.account()
    world.measure(account, FLEET_BEST)
    recompute(at=NOON)
    set_override(account, band="red", reason="Threat", expires_at=NOON + timedelta(days=5), actor=leader, at=NOON)

    assert [change.override for change in preview_of(draft(version, stricter()), leader, at=NOON).changes] == ["Red"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_does_not_depend_on_the_accounts(leader, count):
    version = draft(world.card(), stricter())
    for number in range(count):
        world.measure(world.account(f"A{number}"), FLEET_BEST)

    preview_of(version, leader, at=NOON)  # a process compiles a version once

    with CaptureQueriesContext(connection) as seen:
        preview_of(version, leader, at=NOON)

    assert sum(not query["sql"].startswith("SET search_path") for query in seen) == QUERIES


QUERIES = 7


@pytest.mark.parametrize("key", ["fleet-health", "fmea-health", "mna-health"])
def test_a_measures_influence_is_what_the_simulator_says_without_it(leader, key):
    """Account by account, with random figures: who stands in another band once nobody measured it."""
    rng = random.Random(key)
    card = CARDS[key]
    version = world.card(key)
    figures = [some_figures(card, rng) for _ in range(9)]
    for number, found in enumerate(figures):
        if found:
            world.measure(world.account(f"A{number}"), found)

    said = {one.name: one for one in preview_of(version, leader, at=NOON).influences}

    ranks = {band["key"]: place for place, band in enumerate(card["bands"])}
    compiled = compile_definition(card).card
    for measure in compiled.measures:
        better = worse = 0
        for found in figures:
            if not any(name in found for name in measure.inputs):
                continue
            rest = {name: figure for name, figure in found.items() if name not in measure.inputs}
            before, after = (simulate_scorecard(compiled, each)["band"] for each in (found, rest))
            if before is not None and after is not None:
                better += ranks[after] < ranks[before]
                worse += ranks[after] > ranks[before]
        assert (said[measure.name].better, said[measure.name].worse) == (better, worse), measure.name
    assert any(one.crossing for one in said.values())


value = st.sampled_from(["0", "10", "39.99", "40", "60", "70", "79.9", "80", "90", "95", "100"])
facts = st.fixed_dictionaries(
    {},
    optional={
        **{name: value for name in FLEET_BEST if FLEET_BEST[name].isdigit()},
        "objectives": st.sampled_from(["on_track", "partial", "off_track"]),
        "executive_engagement": st.sampled_from(["strong", "moderate", "weak"]),
        "renewals": st.sampled_from(["proactive", "standard", "late"]),
        "reference": st.sampled_from(["active", "willing", "unwilling"]),
    },
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    measured=st.lists(facts, min_size=1, max_size=6),
    weights=st.sampled_from([(40, 20), (20, 40), (30, 30)]),
    edge=st.sampled_from([75, 85, 95, 100]),
    drop_stale=st.booleans(),
)
def test_preview_and_simulator_agree_with_what_activation_does(measured, weights, edge, drop_stale):
    """A property: every account has after the activation the score, band and coverage it had in the preview."""
    from django.db import transaction

    with transaction.atomic():
        leader = world.person("vera@acme.test", role="vp_cs")
        version = world.card()
        accounts = [world.account(f"A{number}") for number in range(len(measured))]
        for number, (account, values) in enumerate(zip(accounts, measured, strict=True)):
            if values:
                # Every other account's figures are old.
                world.measure(account, values, on=NOON.date() - timedelta(days=200 * (number % 2)))
        recompute(at=NOON)
        definition = reweighted(stricter(edge), weights)
        definition["stale_policy"] = "missing" if drop_stale else "count"
        new = draft(version, definition)

        said = {change.account_id: change for change in preview_of(new, leader, at=LATER).changes}
        activate_version(new, actor=leader, at=LATER)
        recompute_changed(at=LATER)

        card = compile_definition(definition).card
        rows = {row.account_id: row for row in AccountHealth.objects.filter(version=new)}
        assert rows.keys() == said.keys() == {account.pk for account in accounts}
        for number, account in enumerate(accounts):
            row, change = rows[account.pk], said[account.pk]
            after = change.after
            assert (row.score, row.shown, row.band or None, row.rag) == (
                None if after.score is None else after.score, after.shown, after.band, after.rag,
            )  # fmt: skip
            assert row.coverage_pct == after.coverage
            if not (drop_stale and number % 2):
                typed = simulate_scorecard(card, measured[number])
                assert (typed["score"] and Decimal(typed["score"])) == row.score
                assert typed["band"] == (row.band or None)
        transaction.set_rollback(True)


@pytest.mark.parametrize("key", sorted(CARDS))
@pytest.mark.parametrize("seed", [1, 2])
def test_on_every_methodologys_card_activation_does_what_the_preview_said(leader, key, seed):
    """Random edges, weights, least coverage and figures; one account under a judgement, one of another card."""
    rng = random.Random(f"{key}{seed}")
    version = world.card(key)
    other = world.card("mna-health" if key != "mna-health" else "fleet-health")
    theirs = world.account("Theirs", scorecard_key=other.scorecard.key)
    accounts = [world.account(f"A{number}", scorecard_key=key) for number in range(6)]
    for account in accounts:
        if figures := some_figures(CARDS[key], rng):
            world.measure(account, figures)
    recompute(at=NOON)
    before = AccountHealth.objects.get(account=theirs).version_id
    set_override(accounts[0], band=version.definition["bands"][-1]["key"], reason="Threat", actor=leader, at=NOON,
                 expires_at=NOON + timedelta(days=5))  # fmt: skip
    new = draft(version, altered(CARDS[key], rng))

    said = {change.account_id: change for change in preview_of(new, leader, at=LATER).changes}
    activate_version(new, actor=leader, at=LATER)
    recompute_changed(at=LATER)

    rows = {row.account_id: row for row in AccountHealth.objects.filter(version=new)}
    assert rows.keys() == said.keys() == {account.pk for account in accounts}
    for key_of, row in rows.items():
        after = said[key_of].after
        assert (row.score, row.shown, row.band or None, row.rag, row.coverage_pct) == (
            after.score, after.shown, after.band, after.rag, after.coverage,
        )  # fmt: skip
    assert said[accounts[0].pk].override
    assert AccountHealth.objects.get(account=theirs).version_id == before


def some_figures(card, rng):
    """Random figures for some of a card's inputs."""
    found = {}
    for part in card["dimensions"]:
        for measure in part["measures"]:
            scoring = measure["scoring"]
            if scoring["kind"] == "choice":
                found[scoring["input"]] = rng.choice(sorted(scoring["options"]))
            elif scoring["kind"] == "levels":
                names = {test["metric"] for level in scoring["levels"] for test in level["when"]}
                found |= {name: rng.choice(["0", "1.5", "40", "79.9", "96"]) for name in sorted(names)}
            else:
                found[scoring["input"]] = rng.choice(["0", "3", "25.5", "60", "79.9", "100"])
    return {name: figure for name, figure in found.items() if rng.random() < 0.8}


def altered(card, rng):
    """The card with its edges moved, its weights dealt anew and another least coverage."""
    definition = copy.deepcopy(card)
    for band in definition["bands"][:-1]:
        band["min"] -= rng.choice([0, 2, 5])
    if definition["method"] == "weighted_average":
        weights = [part["weight"] for part in definition["dimensions"]]
        rng.shuffle(weights)
        for part, weight in zip(definition["dimensions"], weights, strict=True):
            part["weight"] = weight
    definition["min_coverage_pct"] = rng.choice([20, 50, 80])
    return definition


def reweighted(definition, weights):
    """The first and the third dimension of the Fleet card with other weights, their points scaled along."""
    for part, weight in zip(definition["dimensions"][0:3:2], weights, strict=True):
        old = part["weight"]
        part["weight"] = weight
        for measure in part["measures"]:
            factor = Decimal(weight) / Decimal(old)
            measure["points"] = float(Decimal(str(measure["points"])) * factor)
            scoring = measure["scoring"]
            if scoring["kind"] == "levels":
                for level in scoring["levels"]:
                    level["points"] = float(Decimal(str(level["points"])) * factor)
            elif scoring["kind"] == "choice":
                scoring["options"] = {k: float(Decimal(str(v)) * factor) for k, v in scoring["options"].items()}
    return definition
