"""A drill: every receipt that a workspace can issue holds, and none does with one byte of it changed.

Nothing of it stays: the receipts are sealed in transactions that are taken back.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import AuditEntry, User
from health.actions import issue_receipts
from health.book.choices import ScopeChoices, scope_choices
from health.book.figures import COLOURS, FIGURES, Figure
from health.book.retention import cohorts, quarter_name
from health.book.rows import as_evidence, rows_behind
from health.book.scope import Scope
from health.book.sums import months_due, quarters_due
from health.models import AccountHealth, HealthScore
from health.queries.figure_receipts import figure_receipt
from health.queries.receipts import receipt_json, receipts_of
from health.receipts import check, digest_of, text_of

AT_ONCE = 500
TOLD_EVERY = 1000
PAST_DAYS = (0, 31, 200)


@dataclass(slots=True)
class Found:
    """What was tried of one kind of receipt, and what went wrong: receipts that do not hold, changes not noticed."""

    receipts: int = 0
    whole: int = 0
    bytes_tried: int = 0
    forgeries_tried: int = 0
    refused: list[str] = field(default_factory=list)
    unnoticed: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.refused and not self.unnoticed


class Sealed(NamedTuple):
    """A receipt as it is downloaded: its kind, its text, the hash of its entry in the log, and whether it has evidence:
    a figure may have no row behind it.
    """

    kind: str
    raw: bytes
    entry: str
    has_evidence: bool


def drill(
    user: User,
    *,
    at: datetime,
    sample: int,
    whole: int = 1,
    history: int | None = None,
    seed: int = 1,
    told: Callable[[int], None] = lambda receipts: None,
) -> dict[str, Found]:
    """Try every receipt of what ``user`` sees: all scores, and every figure, part, filter and some days.

    Of the first ``whole`` receipts of each kind every byte is changed, of all others ``sample`` bytes, each into any
    other value; and of ``sample`` changes of each that are still JSON the digest is made to fit, as a forger would.
    ``history`` limits the earlier scores. By kind; a kind is ``score <scorecard>`` or ``figure <key>``. About 1,000
    changes a second; ``told`` hears after every thousand receipts how many were tried.
    """
    rng, found = random.Random(seed), dict[str, Found]()
    for number, sealed in enumerate(_sealed(user, at, history)):
        if number and not number % TOLD_EVERY:
            told(number)
        one = found.setdefault(sealed.kind, Found())
        one.receipts += 1
        problems = check(sealed.raw, entry_hash=sealed.entry).problems
        if problems:
            one.refused.append(f"{sealed.entry}: {problems[0]}")
            continue
        every = sealed.has_evidence and one.whole < whole
        one.whole += every
        _try(sealed, sample, rng, one, every=every)
    return found


def _try(sealed: Sealed, sample: int, rng: random.Random, found: Found, *, every: bool) -> None:
    raw = sealed.raw
    some = rng.sample(range(len(raw)), min(sample, len(raw)))
    forge = frozenset(some)
    for place in range(len(raw)) if every else some:
        changed = raw[:place] + bytes([raw[place] ^ rng.randrange(1, 256)]) + raw[place + 1 :]
        found.bytes_tried += 1
        if check(changed).holds:
            found.unnoticed.append(f"byte {place} of {sealed.entry}")
        forged = _forged(changed) if place in forge else None
        if forged is None or forged == raw:
            continue
        found.forgeries_tried += 1
        if check(forged, entry_hash=sealed.entry).holds:
            found.unnoticed.append(f"byte {place} of {sealed.entry}, its digest made to fit")


def _forged(changed: bytes) -> bytes | None:
    """The changed receipt with its digest made to fit and its text in the one form; None where it is no JSON."""
    try:
        document = json.loads(changed.decode())
    except (ValueError, RecursionError):
        return None
    return text_of({**document, "sha256": digest_of(document)}).encode() if isinstance(document, dict) else None


def _sealed(user: User, at: datetime, history: int | None) -> Iterator[Sealed]:
    for model, most in ((AccountHealth, None), (HealthScore, history)):
        rows: QuerySet[Any] = model.objects.visible_to(user).select_related("account", "version__scorecard")
        yield from _scores(rows.order_by("pk")[:most], user, at)
    yield from _figures(user, at)


def _scores(rows: QuerySet[Any], user: User, at: datetime) -> Iterator[Sealed]:
    documents: list[tuple[Any, dict[str, Any]]] = []
    for receipt in receipts_of(rows.iterator(chunk_size=AT_ONCE)):
        documents.append((receipt.account, receipt_json(receipt)))
        if len(documents) == AT_ONCE:
            yield from _issued(documents, user, at)
            documents = []
    yield from _issued(documents, user, at)


def _figures(user: User, at: datetime) -> Iterator[Sealed]:
    workspace = user.workspace_settings
    for scope in _scopes(scope_choices(user), at):
        documents = []
        for figure in FIGURES.values():
            for part in _parts(figure, user, scope):
                rows = as_evidence(figure, rows_behind(user, scope, figure, part, workspace.currency).rows)
                document = figure_receipt(scope, figure, part, workspace.currency, rows, workspace.name)
                documents.append((workspace, document))
        yield from _issued(documents, user, at)


def _scopes(choices: ScopeChoices, at: datetime) -> Iterator[Scope]:
    """Each filter alone, then everything, today and on two past days."""
    today = at.date()
    offered = {
        "owner": choices.owners,
        "tier": choices.tiers,
        "segment": choices.segments,
        "card": choices.cards,
    }
    filters = [*({name: str(key)} for name, options in offered.items() for key, _label in options), {}]
    for days in PAST_DAYS:
        for asked in filters:
            yield Scope.read({**asked, "on": (today - timedelta(days=days)).isoformat()}, today)


def _parts(figure: Figure, user: User, scope: Scope) -> list[str]:
    if figure.parts == "colour":
        return list(COLOURS)
    if figure.parts == "month":
        months = [f"{month:%Y-%m}" for month in months_due(scope.on)]
        return months + [quarter_name(quarter) for quarter in quarters_due(scope.on)]
    if figure.parts == "cohort":
        accounts = scope.accounts(user).order_by().values("pk")
        known = cohorts(accounts, user.workspace_settings.currency, scope.on)
        return [f"{cohort.quarter.isoformat()}.{age}" for cohort in known for age in range(len(cohort.shares))]
    return [""]


def _issued(documents: list[tuple[Any, dict[str, Any]]], user: User, at: datetime) -> list[Sealed]:
    """The documents sealed, as downloaded. The transaction is over before their bytes are tried, which takes long."""
    if not documents:
        return []
    with transaction.atomic():
        sealed = issue_receipts(documents, actor=user, at=at)
        hashes = [document["seal"]["hash"] for document in sealed]
        logged = set(AuditEntry.objects.filter(hash__in=hashes).values_list("hash", flat=True))
        transaction.set_rollback(True)
    found = []
    for document in sealed:
        about = document["scorecard"]["key"] if document["kind"] == "score" else document["figure"]
        entry = document["seal"]["hash"] if document["seal"]["hash"] in logged else "-"
        evidence = bool(document.get("inputs") or document.get("rows"))
        found.append(Sealed(f"{document['kind']} {about}", text_of(document).encode(), entry, evidence))
    return found
