"""Receipts: documents from which a score or a figure of the portfolio can be worked out again, by anybody. Pure.

A receipt holds its evidence, the rules and the result; a digest over them; and the entry of the audit log that
recorded the digest. ``check`` works everything out again. Its text has one form only, so that a changed byte shows
even where it would not change the meaning.

What a receipt proves alone: the result follows from the evidence, and nothing was changed since it was sealed. That
the seal is the workspace's own is proved by its log, which holds the entry's hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.chain import chain_hash
from health.book.figures import FIGURES, FORMULAS
from health.scoring import MILLION, Value, compile_scorecard, decimal

FORMAT = "tenure-receipt/1"
SCORE, FIGURE = "score", "figure"
FRESH, STALE, REFUSED = "f", "s", "!"
_UNSEALED = ("sha256", "seal")


@dataclass(frozen=True, slots=True)
class Finding:
    """What ``check`` found: problems in words (none: the receipt holds) and what the receipt says, in a line."""

    problems: tuple[str, ...]
    summary: str

    @property
    def holds(self) -> bool:
        return not self.problems


def text_of(document: Mapping[str, Any]) -> str:
    """The one text of a receipt."""
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 over everything in the receipt but the digest itself and its seal."""
    body = {key: value for key, value in document.items() if key not in _UNSEALED}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain_decimal(value: Decimal | None) -> str | None:
    """A decimal without needless zeros: 68.45, 63, 0."""
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def check(raw: bytes, *, entry_hash: str = "") -> Finding:
    """Work a receipt out again. ``entry_hash`` is the seal's as the workspace's audit log has it, if at hand.

    Any bytes are answered; nothing is raised for them.
    """
    try:
        document = json.loads(raw.decode())
    except (ValueError, RecursionError):
        return Finding(("It is not a JSON document.",), "")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return Finding((f"It is no receipt of the format {FORMAT}.",), "")
    try:
        problems = _problems(document, raw, entry_hash)
        return Finding(tuple(problems), _summary(document))
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError, AttributeError, StopIteration) as error:
        return Finding((f"Its parts do not fit together ({type(error).__name__}: {error}).",), "")


def _problems(document: dict[str, Any], raw: bytes, entry_hash: str) -> list[str]:
    # The digest first: it takes a tenth of the time and finds all but a text of another form.
    if document["sha256"] != digest_of(document):
        return ["Its digest does not fit its content."]
    if text_of(document).encode() != raw:
        return ["Its text is not as it was written."]
    kinds = {SCORE: _score_problems, FIGURE: _figure_problems}
    if document["kind"] not in kinds:
        return [f"{document['kind']!r} is no kind of receipt."]
    return [*kinds[document["kind"]](document), *_seal_problems(document, entry_hash)]


def _seal_problems(document: dict[str, Any], entry_hash: str) -> list[str]:
    seal = document.get("seal")
    if seal is None:
        return ["It is not the receipt with this hash: it was never sealed."] if entry_hash else []
    found = []
    if seal["hash"] != chain_hash(seal["entry"]):
        found.append("The hash of its audit entry does not fit the entry.")
    if (seal["entry"][-1] or {}).get("sha256") != document["sha256"]:
        found.append("Its audit entry records another digest.")
    if entry_hash and seal["hash"] != entry_hash:
        found.append("Its audit entry has another hash in the workspace's log.")
    return found


def scoring_inputs(inputs: Sequence[Mapping[str, Any]], card: Any) -> list[Value | None]:
    """The inputs as they were scored: what was left out is None, numbers are numbers."""
    values: list[Value | None] = []
    for given in inputs[: len(card.inputs)]:
        raw, state = given["value"], given["state"]
        if raw is None or state == REFUSED or (state == STALE and not card.stale_counts):
            values.append(None)
        elif card.domains[given["metric"]].options:
            values.append(raw)
        else:
            values.append(Decimal(raw))
    return values


def level_names(card: Any, levels: Sequence[int | None]) -> list[str | None]:
    """The levels that measures were read at. Names, since the order of a definition's options is not its meaning."""
    return [
        None if level is None else measure.levels[level] for measure, level in zip(card.measures, levels, strict=True)
    ]


def score_result(definition: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]], flags: int) -> dict[str, Any]:
    """Score named inputs by a scorecard's definition: the ``result`` of a receipt."""
    card = compile_scorecard(definition)
    score = card.score_row(scoring_inputs(inputs, card), flags=flags)
    band = None if score.band is None else card.bands[score.band]
    return {
        "score": None if score.total is None else plain_decimal(decimal(score.total)),
        "shown": None if score.total is None else str(card.shown(score.total)),
        "band": band and band.key,
        "coverage_pct": plain_decimal(decimal(score.coverage // (MILLION // 100) * (MILLION // 100))),
        "points": list(score.points),
        "levels": level_names(card, score.levels),
        "dimensions": list(score.dimensions),
    }


def _score_problems(document: dict[str, Any]) -> list[str]:
    definition = document["definition"]
    names = [given["metric"] for given in document["inputs"]]
    found = []
    if names[: len(compile_scorecard(definition).inputs)] != list(compile_scorecard(definition).inputs):
        found.append("Its inputs are not those of the scorecard.")
    unknown = set(document["red_flags"]) - {flag["key"] for flag in definition.get("red_flags", ())}
    if unknown:
        found.append(f"The scorecard has no red flag {', '.join(sorted(unknown))}.")
    worked_out = score_result(definition, document["inputs"], len(document["red_flags"]))
    wrong = [key for key, value in worked_out.items() if document["result"][key] != value]
    if wrong:
        found.append(f"Scoring its inputs again gives another {', '.join(wrong)}.")
    return found


def _figure_problems(document: dict[str, Any]) -> list[str]:
    figure = FIGURES[document["figure"]]
    rows, day, part = document["rows"], date.fromisoformat(document["on"]), document["part"]
    found = []
    if (document["formula"], document["formula_in_words"]) != (figure.formula, FORMULAS[figure.formula].words):
        found.append("Its formula is not that of the figure.")
    if len({row["account"] for row in rows}) != len(rows):
        found.append("An account counts twice.")
    strangers = [row["name"] for row in rows if not figure.belongs(row, day, part)]
    if strangers:
        found.append(f"Rows that do not belong to the figure: {', '.join(strangers[:3])}.")
    value = plain_decimal(figure.value(rows))
    if document["result"] != {"value": value, "rows": len(rows)}:
        found.append(f"Its rows give {value}.")
    return found


def _summary(document: dict[str, Any]) -> str:
    seal = document.get("seal")
    sealed = f"sealed by audit entry {seal['hash']}" if seal else "not sealed"
    if document["kind"] == SCORE:
        said = document["result"]
        card = document["scorecard"]
        return (
            f"Score {said['shown']} ({said['band']}) of {document['account']['name']} at {document['computed_at']}, "
            f"{card['key']} version {card['version']}; {sealed}"
        )
    part = f" {document['part']}" if document["part"] else ""
    result = document["result"]
    return (
        f"{FIGURES[document['figure']].label}{part} of {document['workspace']} on {document['on']}: "
        f"{result['value']} from {result['rows']} rows; {sealed}"
    )
