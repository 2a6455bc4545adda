"""Moving accounts on through the stages of their methodology as time passes."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.actions.changes import mark_changed
from accounts.audit import Change, record_many
from accounts.models import Account, LifecycleStage
from accounts.queries.workspace import workspace_day
from accounts.stages import is_timed, stage_on

BATCH = 1000


def advance_stages(*, at: datetime) -> int:
    """Bring live accounts to the stage their age calls for. Returns how many moved.

    Nobody is moved back: whoever was put into a later stage by hand, or into one beside the others, stays there. An
    account without a stage gets one where a single methodology counts them. Two queries, and a few a thousand accounts
    that move.
    """
    day = workspace_day(at)
    stages = list(LifecycleStage.objects.all())
    timed = {stage.pack for stage in stages if is_timed(stage.data)}
    rows = Account.objects.live().exclude(customer_since_on=None).values_list("pk", "stage_id", "customer_since_on")
    packs = {stage.pk: stage.pack for stage in stages}
    ladders = {pack: [stage for stage in stages if stage.pack == pack] for pack in timed}
    moves: dict[UUID, tuple[LifecycleStage, date]] = {}
    for pk, stage_id, started_on in rows.iterator(chunk_size=BATCH):
        pack = packs[stage_id] if stage_id else next(iter(timed)) if len(timed) == 1 else None
        if pack in ladders:
            move = _move(ladders[pack], stage_id, started_on, day)
            if move is not None:
                moves[pk] = move
    keys = sorted(moves)
    for start in range(0, len(keys), BATCH):
        _apply({key: moves[key] for key in keys[start : start + BATCH]}, at=at)
    return len(moves)


def _move(
    ladder: list[LifecycleStage], stage_id: object, started_on: date, day: date
) -> tuple[LifecycleStage, date] | None:
    """The stage to move to and since when; None where the account is there, or further."""
    reached = stage_on([stage.data for stage in ladder], started_on, day)
    if reached is None:
        return None
    place = next((place for place, stage in enumerate(ladder) if stage.pk == stage_id), -1)
    return (ladder[reached.place], reached.since_on) if reached.place > place else None


@transaction.atomic
def _apply(moves: dict[UUID, tuple[LifecycleStage, date]], *, at: datetime) -> None:
    accounts = list(Account.objects.select_for_update(of=("self",)).filter(pk__in=moves).order_by("pk"))
    changes = []
    for account in accounts:
        stage, since_on = moves[account.pk]
        before, after = {"stage": account.stage_id}, {"stage": stage.pk, "since": since_on}
        account.stage, account.stage_since_on = stage, since_on
        account.version += 1
        account.updated_at = at
        changes.append(Change("account.stage_reached", account, before, after))
    Account.objects.bulk_update(accounts, ["stage", "stage_since_on", "version", "updated_at"], batch_size=BATCH)
    mark_changed([account.pk for account in accounts], at=at)
    record_many(changes, actor=None, at=at)
