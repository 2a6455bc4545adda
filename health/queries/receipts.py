"""The receipt of a score: everything needed to work it out again by hand, and whether it does come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from accounts.models import Account
from health.cards import CompiledCard, compiled
from health.models.scores import Evidence
from health.queries.evidence import DimensionLine, dimension_lines
from health.queries.scores import Waterfall, current_of, evidence_json, score_as_of, waterfall
from health.receipts import FORMAT, SCORE, digest_of, level_names, plain_decimal, score_result


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


def receipts_of(rows: Iterable[Evidence]) -> Iterator[Receipt]:
    """The receipts of stored scores; their ``account`` and ``version`` must be loaded. No query."""
    for row in rows:
        card = compiled(row.version)
        yield Receipt(row.account, row, card, dimension_lines(row, card), None, rescored_agrees(row, card))


def rescored_agrees(row: Evidence, card: CompiledCard) -> bool:
    """Score the stored inputs again with the stored version and compare every stored figure. No query."""
    return score_result(card.definition, _inputs(row, card), len(row.red_flags)) == _result(row, card)


def _inputs(row: Evidence, card: CompiledCard) -> list[dict[str, Any]]:
    """The inputs of a score as they came, in the scorecard's order, then what only its red flags read."""
    found = []
    for place, metric in enumerate(card.evidence_inputs):
        moment = row.observed_at[place]
        found.append(
            {
                "metric": metric,
                "value": row.values[place],
                "observed_at": None if moment is None else moment.isoformat(),
                "source": row.sources[place],
                "state": row.states[place],
            }
        )
    return found


def _result(row: Evidence, card: CompiledCard) -> dict[str, Any]:
    return {
        "score": plain_decimal(row.score),
        "shown": None if row.shown is None else str(row.shown),
        "band": row.band or None,
        "coverage_pct": plain_decimal(row.coverage_pct),
        "points": list(row.points),
        "levels": level_names(card.card, row.levels),
        "dimensions": list(row.dimensions),
    }


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as a document: evidence, the definition it was scored with, the result, and a digest over them.

    ``health`` says the same in words and decimals; ``points`` and ``dimensions`` of ``result`` are millionths, in the
    scorecard's order.
    """
    row, card = receipt.row, receipt.card
    document: dict[str, Any] = {
        "format": FORMAT,
        "kind": SCORE,
        "account": {"id": str(receipt.account.pk), "name": receipt.account.name},
        "computed_at": row.computed_at.isoformat(),
        "scorecard": {"key": row.scorecard_key, "version": card.number},
        "definition": dict(card.definition),
        "inputs": _inputs(row, card),
        "red_flags": list(row.red_flags),
        "result": _result(row, card),
        "health": evidence_json(row, card),
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
    return {**document, "sha256": digest_of(document)}
