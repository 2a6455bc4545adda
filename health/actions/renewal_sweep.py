"""The day's work on renewals: signals at their checkpoints, and what became of terms that are over."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from accounts.queries.workspace import workspace_day
from health.actions.renewals import withdraw_cta
from health.cards import compiled_by_id
from health.choices import Rag, RenewalState
from health.models import AccountHealth, RenewalReview
from health.queries.renewals import Known, checkpoints_in_use, days_of, known_of, terms_ending
from health.renewals import CALL_DAYS, checkpoint_at, outcome_of, signal_of


@transaction.atomic
def record_signals(*, at: datetime) -> int:
    """Fix the system's signal of every renewal that came to a checkpoint; how many there were.

    A day without a sweep is made up for by the next: a renewal has one row a checkpoint, whenever it was recorded.
    Nine statements and a few for each disagreement that nobody decided in time, whatever the number of renewals.
    RACE: one sweep at a time; a second one waits and finds what the first wrote, else it would overtake it.
    """
    _wait_for_other_sweeps()
    today = workspace_day(at)
    checkpoints = checkpoints_in_use()
    due = {
        (contract, ends_on, days): account
        for contract, account, ends_on in terms_ending(today, max(checkpoints))
        if (days := checkpoint_at((ends_on - today).days, checkpoints)) is not None
    }
    there = RenewalReview.objects.filter(ends_on__range=(today, today + timedelta(days=max(checkpoints))))
    for key in there.values_list("contract", "ends_on", "days_before"):
        due.pop(key, None)
    if not due:
        return 0
    _overtake([contract for contract, _ends_on, _days in due], at)
    known = known_of(due.values())
    names = _band_names([each.health for each in known.values() if each.health is not None])
    rows = [
        _row(contract, account, ends_on, days, known[account], names, today, at)
        for (contract, ends_on, days), account in due.items()
    ]
    RenewalReview.objects.bulk_create(rows, batch_size=1000)
    return len(rows)


def _wait_for_other_sweeps() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('renewals'), hashtext(current_schema()))")


@transaction.atomic
def settle_outcomes(*, at: datetime) -> int:
    """Note of every term that is over whether it was renewed or lost; how many checkpoints changed. Five statements.

    A contract entered or corrected later changes it again. A CTA of a disagreement that nobody decided is closed.
    """
    today = workspace_day(at)
    rows = list(
        RenewalReview.objects.over(today).values_list("pk", "account", "ends_on", "contract__end_on", "outcome")
    )
    days = days_of({account for _pk, account, *_rest in rows}, today)
    changed: dict[str, list[UUID]] = {}
    for pk, account, ends_on, ended_on, before in rows:
        if (what := outcome_of(ends_on, ended_on, *days[account])) != before:
            changed.setdefault(what, []).append(pk)
    for what, keys in changed.items():
        for row in RenewalReview.objects.filter(pk__in=keys, cta_id__isnull=False):
            withdraw_cta(row, note="The term is over.", actor=None, at=at)
        RenewalReview.objects.filter(pk__in=keys).update(outcome=what)
    return sum(map(len, changed.values()))


def _overtake(contracts: list[UUID], at: datetime) -> None:
    """Another checkpoint has come: what stands at the one before is history, and what nobody decided is asked anew."""
    rows = RenewalReview.objects.filter(contract__in=contracts, is_latest=True)
    for row in rows.filter(state=RenewalState.DISAGREED, cta_id__isnull=False):
        withdraw_cta(row, note="The next checkpoint has come.", actor=None, at=at)
    rows.update(is_latest=False)


def _band_names(scored: list[AccountHealth]) -> dict[tuple[UUID, str], str]:
    cards = compiled_by_id({row.version_id for row in scored})
    return {(key, band["key"]): band["name"] for key, card in cards.items() for band in card.definition["bands"]}


def _row(
    contract: UUID, account: UUID, ends_on: date, days: int, known: Known, names: dict[tuple[UUID, str], str],
    today: date, at: datetime,
) -> RenewalReview:  # fmt: skip
    health = known.health
    rag = health.rag if health else Rag.NONE.value
    band = str(names.get((health.version_id, health.band), "")) if health else ""
    scored_on = health.computed_on if health and health.score is not None else None
    shown = str(health.shown) if health else ""
    told = signal_of(rag, shown, band, scored_on, known.risks)
    return RenewalReview(
        contract_id=contract, account_id=account, ends_on=ends_on, days_before=days, recorded_at=at,
        signal=told.signal, reasons=told.reasons, scored_on=scored_on, shown=health.shown if health else None,
        band_name=band[:120], rag=rag, call_due_on=min(today + timedelta(days=CALL_DAYS), ends_on),
    )  # fmt: skip
