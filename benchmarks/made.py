"""What people and workers leave behind in a workspace, through the product's own verbs: things whose pages no list has
a link to before."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from benchmarks.bench import Bench
from benchmarks.pages import make_segment

if TYPE_CHECKING:
    from accounts.models import Account, User
    from health.models import ScorecardVersion

GROUP = 200
ROWS = 2_000


def make(bench: Bench) -> list[str]:
    """Make one of each kind; the addresses where their pages begin."""
    from accounts.models import Account, User

    leader = User.objects.get(email="owner@example.com")
    accounts = list(Account.objects.order_by("-arr", "pk")[: GROUP + 1])
    segment = make_segment(bench)
    return [
        f"/accounts/segments/{segment.pk}/",
        *_on_accounts(accounts, leader, bench),
        *_of_scorecard(leader, bench),
        *_of_triggers(leader, bench),
        *_of_renewals(bench),
        *_of_administrators(accounts, leader, bench),
    ]


def _on_accounts(accounts: list[Account], leader: User, bench: Bench) -> Iterator[str]:
    """A group of 200 accounts, an edit of them, a person and a band set by hand on the first."""
    from accounts.actions import create_contact
    from accounts.actions.editing import edit_accounts
    from accounts.models import Account

    first, under = accounts[0], Account.objects.filter(pk__in=[account.pk for account in accounts[1:]])
    under.update(parent=first)
    yield f"/accounts/{first.pk}/group/"
    edited = edit_accounts(under, "industry", "Freight", actor=leader, at=bench.now)
    assert edited.edit is not None
    yield f"/accounts/edits/{edited.edit.pk}/"
    person = create_contact(first, name="Ida Holm", email="ida@example.com", actor=leader, at=bench.now)
    yield f"/accounts/{first.pk}/people/{person.pk}/"
    yield from (f"/accounts/{first.pk}/{tab}/" for tab in ("people", "health", "health/hindsight", "contracts"))


def _of_scorecard(leader: User, bench: Bench) -> Iterator[str]:
    """A draft that moves many accounts into another band, and a backtest of the live version beside it."""
    from health.actions.backtests import run, start_backtest
    from health.actions.definitions import draft_version
    from health.models import ScorecardVersion

    live = ScorecardVersion.objects.select_related("scorecard").get(state="active")
    draft = draft_version(live.scorecard, definition=_stricter(live), actor=leader, at=bench.now)
    yield f"/health/scorecards/{live.scorecard.key}/preview/"
    yield f"/health/scorecards/{live.scorecard.key}/versions/{draft.number}/"
    months = 24 if bench.size != "S" else 3
    backtest = start_backtest(live, challenger=draft, months=months, actor=leader, at=bench.now)
    run(backtest.pk)
    yield f"/health/backtests/{backtest.pk}/"


def _stricter(version: ScorecardVersion) -> dict[str, Any]:
    """The card with every band but the last five points higher."""
    definition = version.definition
    bands = [dict(band) for band in definition["bands"]]
    for band in bands:
        if band.get("min"):
            band["min"] = str(Decimal(str(band["min"])) + 5)
    return {**definition, "bands": bands}


def _of_triggers(leader: User, bench: Bench) -> Iterator[str]:
    """A dry run of thirty days, and a review of the month."""
    from health.actions.dry_runs import run, start_dry_run
    from health.actions.reviews import start_review

    asked = start_dry_run(days=30, actor=leader, at=bench.now)
    run(asked.pk)
    yield f"/health/automation/dry-runs/{asked.pk}/"
    review = start_review("month", actor=leader, at=bench.now)
    yield f"/health/reviews/{review.pk}/"


def _of_renewals(bench: Bench) -> Iterator[str]:
    """The signals of every renewal at a checkpoint, a call against the system, and one that is to be made."""
    from health.actions.renewal_sweep import record_signals
    from health.models import RenewalReview

    record_signals(at=bench.now)
    rows = RenewalReview.objects.ahead(bench.now.date()).order_by("ends_on", "pk")
    first, second = rows[:2]
    values = {"signal": "at_risk", "call": "will_renew", "call_reason": "Signed.", "days_left": 1}
    RenewalReview.objects.filter(pk=first.pk).update(called_at=bench.now, **values)
    yield "/health/renewals/"
    yield f"/health/renewals/{first.pk}/decision/"
    yield f"/health/renewals/{second.pk}/call/"
    yield f"/health/accounts/{first.account_id}/renewals/"


def _of_administrators(accounts: list[Account], leader: User, bench: Bench) -> Iterator[str]:
    """A playbook of the workspace's own, a webhook, and a file of accounts that was checked."""
    from imports.actions import start_check, take_file
    from imports.running import work
    from playbooks.actions.own import write_playbook
    from webhooks.actions import create_endpoint

    task = {"title": "Call the sponsor", "step": "Look", "offset_days": 1, "unit": "business", "optional": False}
    playbook = write_playbook(None, tasks=[task], actor=leader, at=bench.now, name="Recovery", objective="", entry="")
    yield f"/playbooks/{playbook.pk}/"
    endpoint, _secret = create_endpoint(
        url="https://hooks.example.com/", event_types=["account.created"], actor=leader, at=bench.now
    )
    yield f"/settings/webhooks/{endpoint.pk}/"
    lines = "\n".join(f"x{number},Company {number:06}" for number in range(ROWS))
    job = take_file(
        f"external_id,name\n{lines}\n".encode(), name="accounts.csv", target="accounts", source="crm",
        actor=leader, at=bench.now,
    )  # fmt: skip
    start_check(job, actor=leader, at=bench.now)
    while not work(job.pk):
        pass
    yield f"/imports/{job.pk}/"
