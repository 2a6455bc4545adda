"""What each measure and each cut-off foretold of who was lost. Pure; judged on the periods of ``grading``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from health.backtest.chance import Interval, interval

Matrix = npt.NDArray[Any]
# A measure nobody read, among shares of its points in per cent.
UNREAD = 255
QUARTER = 0.25
CUT_STEP = 5
MILLION = 10**6


class Course(NamedTuple):
    """One measure replayed: its key and name, and the share of its points in per cent over [account, day]."""

    key: str
    name: str
    shares: Matrix


def cut_offs(total: Matrix, scored: Matrix, lost: Matrix) -> list[dict[str, Any]]:
    """What a warning under each score would have been worth: a confusion matrix for 5, 10, …, 100.

    Only cut-offs at which the number of those warned of changes are kept, so the list has no idle rows.
    """
    rows: list[dict[str, Any]] = []
    for cut in range(CUT_STEP, 101, CUT_STEP):
        warned = scored & (total < cut * MILLION)
        hit, alarm = int((warned & lost).sum()), int((warned & ~lost).sum())
        if not hit + alarm or (rows and (hit, alarm) == (rows[-1]["hit"], rows[-1]["alarm"])):
            continue
        accounts = int(warned.any(axis=1).sum())
        rows.append(
            {
                "under": cut,
                "hit": hit,
                "alarm": alarm,
                "miss": int((scored & ~warned & lost).sum()),
                "accounts": accounts,
                "precision": _plain(interval(hit, hit + alarm, independent=accounts)),
                "recall": _plain(interval(hit, int((scored & lost).sum()))),
            }
        )
    return rows


def predictors(courses: Sequence[Course], columns: list[int], there: Matrix, lost: Matrix) -> list[dict[str, Any]]:
    """For each measure: who was lost of the quarter with fewest of its points and of the others; sharpest first.

    ``ranking`` is the share of pairs of a lost and a kept customer in which the lost one had fewer points, ties
    half: 0.5 tells nothing. A measure that was never read is named with zero cases.
    """
    rows = []
    for course in courses:
        shares = course.shares[:, columns]
        read = there & (shares != UNREAD)
        edge = _edge(shares[read])
        low, high = read & (shares <= edge), read & (shares > edge)
        rows.append(
            {
                "key": course.key,
                "name": course.name,
                "judged": int(read.sum()),
                "lost": int((read & lost).sum()),
                "edge": edge,
                "low": _of(low, lost),
                "high": _of(high, lost),
                "unread": _of(there & ~read, lost),
                "ranking": ranking(shares[read], lost[read]),
            }
        )
    return sorted(rows, key=lambda row: (row["ranking"] is None, -abs((row["ranking"] or 0.5) - 0.5)))


def ranking(figures: Matrix, lost: Matrix) -> float | None:
    """In which share of pairs of a lost and a kept customer the lost one has the lower figure; ties count half."""
    gone, kept = np.sort(figures[lost]), np.sort(figures[~lost])
    if not len(gone) or not len(kept):
        return None
    below = np.searchsorted(kept, gone, side="left").sum()
    up_to = np.searchsorted(kept, gone, side="right").sum()
    higher = len(gone) * len(kept) - (below + up_to) / 2
    return float(higher / (len(gone) * len(kept)))


def _edge(shares: Matrix) -> int:
    """The most points that the quarter with the fewest has; more than a quarter may have that many."""
    return int(np.quantile(shares, QUARTER, method="lower")) if len(shares) else 0


def _of(cells: Matrix, lost: Matrix) -> dict[str, Any]:
    cases, gone = int(cells.sum()), int((cells & lost).sum())
    accounts = int(cells.any(axis=1).sum())
    return {"cases": cases, "lost": gone, "share": _plain(interval(gone, cases, independent=accounts))}


def _plain(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()
