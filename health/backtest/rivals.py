"""Champion against challenger: two versions on the same accounts and days, judged where both could score."""

from __future__ import annotations

from typing import Any

from health.backtest.chance import exact_sign
from health.backtest.grading import COLOURS, UNSCORED, History, sample_of
from health.backtest.outcomes import Outcomes

# The fewest cases that differ from which a coin could ever be told apart at 5 %.
LEAST_DIFFERENT = 6
UNLIKELY = 0.05


def compare(
    champion: History, challenger: History, outcomes: Outcomes, *, horizon: int, today: int
) -> dict[str, dict[str, Any]]:
    """By warning colour: losses and false alarms that only one of the two had, and whether that can be luck."""
    sample = sample_of(champion.days, outcomes, horizon=horizon, today=today)
    first, second = champion.colour[:, sample.columns], challenger.colour[:, sample.columns]
    both = sample.there & (first != UNSCORED) & (second != UNSCORED)
    lost, kept = both & sample.lost, both & ~sample.lost
    found = {}
    for level in (1, 2, 3):
        one, two = first >= level, second >= level
        hits = int((lost & one & ~two).sum()), int((lost & two & ~one).sum())
        alarms = int((kept & one & ~two).sum()), int((kept & two & ~one).sum())
        found[COLOURS[level]] = {
            "judged": int(both.sum()),
            "lost": int(lost.sum()),
            "both": int((lost & one & two).sum()),
            "neither": int((lost & ~one & ~two).sum()),
            "only_champion": hits[0],
            "only_challenger": hits[1],
            "losses_verdict": _verdict(*hits, better=1),
            "alarms_champion": alarms[0],
            "alarms_challenger": alarms[1],
            "alarms_verdict": _verdict(*alarms, better=-1),
        }
    return found


def _verdict(champion: int, challenger: int, *, better: int) -> str:
    """``few``, ``same``, ``champion`` or ``challenger``: who is better at this, if that can be said."""
    if champion + challenger < LEAST_DIFFERENT:
        return "few"
    if exact_sign(champion, challenger) > UNLIKELY:
        return "same"
    return "challenger" if (challenger - champion) * better > 0 else "champion"
