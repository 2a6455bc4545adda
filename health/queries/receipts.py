"""The receipt of a score: everything needed to work it out again by hand, and whether it does come out."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.models import Account
from health.cards import CompiledCard, compiled
from health.choices import REFUSED, STALE
from health.models.scores import Evidence
from health.queries.evidence import DimensionLine, dimension_lines
from health.queries.scores import Waterfall, current_of, evidence_json, score_as_of, waterfall
from health.scoring import MILLION, Value


class Receipt(NamedTuple):
    """A score with its evidence, and ``agrees``: whether scoring the evidence again gives the same score."""

    account: Account
    row: Evidence
    card: CompiledCard
    dimensions: list[DimensionLine]
    change: Waterfall | None
    agrees: bool


def receipt_of(account: Account, *, on: date | None = None, since: date | None = None) -> Receipt | None:
    """The receipt of the current score, or of the one that stood ``on`` a day; None if there is none.

    With ``since`` it says what changed from that day. Three queries at most.
    """
    row: Evidence | None = current_of(account.pk) if on is None else score_as_of(account.pk, on)
    if row is None:
        return None
    card = compiled(row.version)
    change = waterfall(account.pk, start=since, end=row.computed_on) if since else None
    return Receipt(account, row, card, dimension_lines(row, card), change, rescored_agrees(row, card))


def rescored_agrees(row: Evidence, card: CompiledCard) -> bool:
    """Score the stored inputs again with the stored version and compare every stored figure. No query."""
    score = card.card.score_row(inputs_of_row(row, card), flags=len(row.red_flags))
    stored = None if row.score is None else int(row.score * MILLION)
    return (score.total, score.points, score.levels, score.dimensions) == (
        stored,
        tuple(row.points),
        tuple(row.levels),
        tuple(row.dimensions),
    )


def inputs_of_row(row: Evidence, card: CompiledCard) -> list[Value | None]:
    """The stored inputs as they were scored: what was left out is None, numbers are numbers."""
    values: list[Value | None] = []
    for place, name in enumerate(card.card.inputs):
        raw, state = row.values[place], row.states[place]
        if raw is None or state == REFUSED or (state == STALE and not card.card.stale_counts):
            values.append(None)
        elif card.card.domains[name].options:
            values.append(raw)
        else:
            values.append(Decimal(raw))
    return values


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as a document: evidence, the definition it was scored with, and a digest over both."""
    document: dict[str, Any] = {
        "account": {"id": str(receipt.account.pk), "name": receipt.account.name},
        "health": evidence_json(receipt.row, receipt.card),
        "definition": dict(receipt.card.definition),
        "agrees": receipt.agrees,
    }
    if receipt.change is not None:
        document["change"] = {
            "from": receipt.change.before.computed_on.isoformat(),
            "to": receipt.change.after.computed_on.isoformat(),
            "from_score": str(receipt.change.before.score),
            "to_score": str(receipt.change.after.score),
            "dimensions": {step.key: str(step.change) for step in receipt.change.steps},
            "reasons": list(receipt.change.words),
        }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_json)
    document["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return document


def _json(value: Any) -> str:
    if isinstance(value, UUID | Decimal | date):
        return str(value)
    raise TypeError(type(value).__name__)
