"""What an import leaves behind so that it can be looked at and taken back: a diff a row, and the state before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from accounts.actions.bulk import known_keys, states
from accounts.audit import plain
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.results import Outcome, RowResult
from imports.models import ImportedRow, ImportJob, UndoStep
from imports.targets.base import Settled, Shaped
from tenants.copying import copy_in

# Fields that point to a row, shown by its name.
POINTING: Mapping[str, Any] = {
    "owner": User,
    "tier": Tier,
    "stage": LifecycleStage,
    "parent": Account,
    "account": Account,
}
States = dict[UUID, dict[str, Any]]


def in_words(rows: Sequence[Shaped], results: Sequence[RowResult]) -> list[Settled]:
    """The answers of an upsert with each row's name and fields as people read them. Five queries at most."""
    named = _names(results)
    return [
        Settled(
            result.outcome,
            result.errors,
            str(row.get("name") or row.get("number") or row.get("external_id") or "")[:200],
            _changes(result, named) if result.after is not None else None,
        )
        for row, result in zip(rows, results, strict=True)
    ]


def keep_diff(job: ImportJob, lines: Iterable[int], settled: Sequence[Settled]) -> None:
    """Write the diff of one batch. One statement."""
    kept = [
        ImportedRow(
            job=job, line=line, outcome=one.outcome, name=one.name, changes=[list(each) for each in one.changes]
        )
        for line, one in zip(lines, settled, strict=True)
        if one.changes is not None
    ]
    copy_in(kept)


def watched(
    job: ImportJob, kind: str, rows: Sequence[Shaped], upsert: Callable[[], list[RowResult]]
) -> list[RowResult]:
    """Run ``upsert`` and keep what its records, and the accounts of its contracts, were before and are then."""
    named = {str(row["external_id"]) for row in rows if row.get("external_id")}
    keys = known_keys(kind, job.source, named)
    before = states(kind, keys)
    # Whose accounts will follow is only known afterwards; an account of the file cannot be told from its id alone.
    accounts = _accounts_called(job, rows) if kind == "contract" else set()
    accounts |= {UUID(state["account_id"]) for state in before.values()} if kind == "contract" else set()
    followers = states("account", accounts)
    results = upsert()
    touched = {result.id for result in results if result.id and result.outcome is not Outcome.UNCHANGED}
    after = states(kind, touched)
    _keep(job, kind, {key: before.get(key) for key in after}, after, follows=False)
    if followers:
        then = states("account", followers)
        _keep(job, "account", {key: followers[key] for key in then}, then, follows=True)
    return results


def _accounts_called(job: ImportJob, rows: Sequence[Shaped]) -> set[UUID]:
    from accounts.fields import identifier

    names = {str(row["account"]) for row in rows if row.get("account")}
    keys = {key for key in map(identifier, names) if key is not None}
    return keys | set(known_keys("account", job.source, names))


def _keep(job: ImportJob, kind: str, before: Mapping[UUID, Any], after: States, *, follows: bool) -> None:
    """Write the steps of one batch. A record met again in the same file keeps the state before the first time."""
    changed = {key for key, state in after.items() if before[key] != state}
    known = {step.object_id: step for step in UndoStep.objects.filter(job=job, kind=kind, object_id__in=changed)}
    again = []
    fresh = []
    for key in changed:
        step = known.get(key) or UndoStep(job=job, kind=kind, object_id=key, follows=follows)
        if key not in known or step.after != before[key]:
            step.before = before[key]
        step.after = after[key]
        step.name = str(after[key].get("name") or after[key].get("number") or after[key].get("external_id"))[:200]
        (again if key in known else fresh).append(step)
    copy_in(fresh)
    UndoStep.objects.bulk_create(
        again, batch_size=1000, update_conflicts=True, unique_fields=["job", "kind", "object_id"],
        update_fields=["before", "after", "name"],
    )  # fmt: skip


def _names(results: Sequence[RowResult]) -> dict[tuple[str, Any], str]:
    """Names of the rows that the old values of pointing fields mean. A query for each such field that occurs."""
    pairs = {
        (field, side[field])
        for result in results
        for side in (result.before or {}, result.after or {})
        for field in POINTING.keys() & side.keys()
        if isinstance(side[field], UUID)
    }
    named: dict[tuple[str, Any], str] = {}
    for field, group in groupby(sorted(pairs, key=lambda pair: (pair[0], str(pair[1]))), key=lambda pair: pair[0]):
        rows = POINTING[field].objects.filter(pk__in=[key for _field, key in group])
        named |= {(field, row.pk): str(row) for row in rows}
    return named


def _changes(result: RowResult, named: Mapping[tuple[str, Any], str]) -> tuple[tuple[str, Any, Any], ...]:
    """(field, old, new) of what the row sets; own fields one by one, as ``custom.seats``."""
    before, after = _flat(result.before or {}), _flat(result.after or {})
    return tuple(
        (name, _shown(name, before.get(name), named), _shown(name, value, named))
        for name, value in after.items()
        if (name in before or value not in (None, "", [])) and not ("." in name and before.get(name) == value)
    )


def _flat(side: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in side.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": inner for key, inner in sorted(value.items())}
        else:
            found[name] = value
    return found


def _shown(name: str, value: Any, named: Mapping[tuple[str, Any], str]) -> Any:
    if isinstance(value, UUID):
        return named.get((name, value), str(value))
    return str(value) if hasattr(value, "_meta") else plain(value)
