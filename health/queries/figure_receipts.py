"""The receipt of a figure of the portfolio: its rows, its formula, the scorecards that counted, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from django.utils import timezone

from health.book.figures import FORMULAS, STANDING, Figure
from health.book.scope import Scope
from health.models import ScorecardVersion
from health.receipts import FIGURE, FORMAT, digest_of, plain_decimal


def figure_receipt(
    scope: Scope, figure: Figure, part: str, currency: str, rows: Sequence[dict[str, Any]], workspace: str
) -> dict[str, Any]:
    """The receipt of ``figure`` over its rows as evidence, with its digest. One query for the versions."""
    document = {
        "format": FORMAT,
        "kind": FIGURE,
        "workspace": workspace,
        "figure": figure.key,
        "label": figure.label,
        "part": part,
        "definition": figure.definition,
        "formula": figure.formula,
        "formula_in_words": FORMULAS[figure.formula].words,
        "on": scope.on.isoformat(),
        "currency": currency,
        "filters": {
            name: value for name, value in scope.parameters().items() if name in {"owner", "tier", "segment", "card"}
        },
        "scorecards": _versions(scope) if figure.source == STANDING else [],
        "rows": list(rows),
        "result": {"value": plain_decimal(figure.value(rows)), "rows": len(rows)},
    }
    return {**document, "sha256": digest_of(document)}


def _versions(scope: Scope) -> list[dict[str, Any]]:
    """The version of each scorecard that scored on the day: the last one activated until its end. One query."""
    end = timezone.make_aware(datetime.combine(scope.on, time.max))
    versions = ScorecardVersion.objects.filter(activated_at__lte=end).select_related("scorecard")
    newest = versions.order_by("scorecard_id", "-activated_at", "-number").distinct("scorecard_id")
    return sorted(
        (
            {
                "key": version.scorecard.key,
                "version": version.number,
                "definition_sha256": digest_of(version.definition),
            }
            for version in newest
        ),
        key=lambda line: line["key"],
    )
