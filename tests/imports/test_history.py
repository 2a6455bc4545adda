"""Years of history brought in on one day, as five files: what a backtest of it can say and what it does not claim.

The files have the shape and the habits of such an export: subscriptions side by side that nobody renews by name,
uses of features, tickets, churn facts. Who leaves is drawn by lot, so that no score can know.
"""

from __future__ import annotations

import copy
import random
from datetime import date, timedelta

import pytest
from django.utils import timezone

from health.actions import draft_version
from health.actions.backtests import run, start_backtest
from health.models import Backtest, ScorecardVersion
from packs.actions import install_pack

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)
CUSTOMERS, LEAVE = 48, 9


def files(rng):
    """(text, target) of the five files."""
    accounts = [
        "account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,churn_flag"
    ]
    subscriptions = [
        (
            "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,upgrade_flag,"
            "downgrade_flag,churn_flag,billing_frequency,auto_renew_flag"
        )
    ]
    usage = [
        "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,is_beta_feature"
    ]
    tickets = [
        (
            "ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,first_response_time_minutes,"
            "satisfaction_score,escalation_flag"
        )
    ]
    churn = [
        (
            "churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,"
            "preceding_downgrade_flag,is_reactivation,feedback_text"
        )
    ]
    for n in range(CUSTOMERS):
        since = FIRST + timedelta(days=rng.randrange(90))
        left = FIRST + timedelta(days=rng.randrange(300, 650)) if n < LEAVE else None
        accounts.append(f"A-{n},Company {n},EdTech,DE,{since},other,Pro,9,False,{left is not None}")
        for m in range(2):
            begin, end = since + timedelta(days=200 * m), left or ""
            subscriptions.append(
                f"S-{n}-{m},A-{n},{begin},{end},Pro,9,100,1200,False,False,False,{left is not None},annual,False"
            )
        for m in range(8):
            on = since + timedelta(days=rng.randrange((left or LAST).toordinal() - since.toordinal()))
            usage.append(f"U-{n}-{m},S-{n}-0,{on},feature_{m % 3},{rng.randrange(1, 20)},600,0,False")
            hours = rng.choice([3, 12, 30, 60])
            tickets.append(f"T-{n}-{m},A-{n},{on},{on + timedelta(days=3)} 03:00:00,{hours}.0,high,74,,False")
        if left:
            churn.append(f"C-{n},A-{n},{left},pricing,4.03,False,False,False,")
    named = (
        (accounts, "accounts"),
        (subscriptions, "contracts"),
        (usage, "events"),
        (tickets, "tickets"),
        (churn, "churn"),
    )
    return [("\n".join(lines) + "\n", target) for lines, target in named]


@pytest.fixture
def imported(bring_in, client, leader):
    """The fleet card, and a draft of it that scores from a tenth measured."""
    install_pack("fleet", actor=None, at=timezone.now())
    for text, target in files(random.Random(4)):
        job = bring_in(text, target)
        assert (str(job.state), job.rejected) == ("done", 0), target
    client.force_login(leader)
    card = ScorecardVersion.objects.get(scorecard__key="fleet-health", state="active")
    thin = {**copy.deepcopy(card.definition), "min_coverage_pct": 10}
    return card, draft_version(card.scorecard, definition=thin, actor=leader, at=timezone.now())


def report(client, leader, version, basis):
    """(backtest, its page) of 23 month ends until the history ends."""
    asked = start_backtest(version, months=23, until=LAST, basis=basis, actor=leader, at=timezone.now())
    run(asked.pk)
    backtest = Backtest.objects.get(pk=asked.pk)
    assert backtest.state == "done", backtest.message
    champion = backtest.result["champion"]
    warning = champion["warnings"]["yellow"]
    print(  # the figures, for whoever runs this with -s
        basis, version.number, {name: champion[name] for name in ("judged", "lost", "unscored_lost", "ranking")},
        {name: warning[name] for name in ("hit", "alarm", "few", "chance")},
        f"losses {backtest.result['losses']}, scored {sum(backtest.result['scored'])}",
    )  # fmt: skip
    return backtest, client.get(f"/health/backtests/{asked.pk}/?warn=yellow").content.decode()


def test_a_backtest_of_it_says_what_it_cannot_say(imported, client, leader):
    card, thin = imported

    recorded, page = report(client, leader, card, "recorded")
    assert (recorded.result["losses"], sum(recorded.result["scored"])) == (LEAVE, 0)
    assert "Nothing could be judged" in page
    assert "History that was imported later was not known then" in page

    dated, page = report(client, leader, card, "dated")
    assert (dated.result["losses"], dated.result["champion"]["judged"]) == (LEAVE, 0)
    assert "Nothing could be judged" in page
    assert "may already have known how the story ends" in page

    graded, page = report(client, leader, thin, "dated")
    champion = graded.result["champion"]
    assert champion["judged"] > 0
    assert champion["warnings"]["yellow"]["few"]
    assert champion["warnings"]["yellow"]["chance"]["p_value"] > 0.05
    assert "Too few cases to say how well" in page
    assert "With fewer than 10 losses" in page
