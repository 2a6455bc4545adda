"""Setting what the figures of the portfolio are meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import Workspace
from health.book.figures import FIGURES, TARGETED
from health.models import FigureTarget

if TYPE_CHECKING:
    from accounts.models import User

# The most a target may be, by the unit of its figure.
MOST = {"percent": Decimal(1000), "points": Decimal(100), "count": Decimal(10**9), "money": Decimal(10**15)}


@transaction.atomic
def set_targets(values: Mapping[str, Decimal | None], *, actor: User, at: datetime) -> dict[str, Decimal]:
    """Set or (None) take away the targets of the figures named; others stay. Returns all, by figure.

    Raises RuleViolated naming the figure: one that has no target, or a value that it cannot have. Nothing is written,
    nor audited, where nothing changes.
    """
    for key, value in values.items():
        _check(key, value)
    # RACE: two writers would both audit what was before; the second waits here for the first.
    workspace = Workspace.objects.select_for_update().get()
    before = dict(FigureTarget.objects.values_list("figure", "value"))
    changed = {key: value for key, value in values.items() if before.get(key) != value}
    if not changed:
        return before
    for key, value in changed.items():
        if value is None:
            FigureTarget.objects.filter(figure=key).delete()
        else:
            FigureTarget.objects.update_or_create(figure=key, defaults={"value": value})
    record(
        "portfolio.targets_set",
        workspace,
        actor=actor,
        at=at,
        before={key: _text(before.get(key)) for key in changed},
        after={key: _text(value) for key, value in changed.items()},
    )
    return {key: value for key, value in {**before, **changed}.items() if value is not None}


def _check(key: str, value: Decimal | None) -> None:
    if key not in TARGETED:
        raise RuleViolated("target.figure", "This figure has no target.", key)
    most = MOST[FIGURES[key].unit]
    if value is not None and not 0 <= value <= most:
        raise RuleViolated("target.range", f"Between 0 and {most:,}.", key)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
