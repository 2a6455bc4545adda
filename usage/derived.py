"""The computed metrics, as arithmetic on columns of counts. Works on numpy arrays, one entry an account.

Each figure is one correctly rounded division of whole numbers, so a share of exactly 80 % is exactly 80.0 and
no edge of a band moves. NaN stands for "not measured" (AMB-03): no events ever, no base to divide by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from usage.catalogue import WINDOW

Counts = Mapping[str, npt.NDArray[Any]]
Column = npt.NDArray[np.float64]


@lru_cache(maxsize=20_000)
def trimmed(number: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent: 80.000000 is 80."""
    whole = number.to_integral_value()
    return whole.quantize(Decimal(1)) if number == whole else number.normalize()


@lru_cache(maxsize=20_000)
def exact(value: float) -> Decimal:
    """The decimal that a rounded float prints as: 80.0 is 80."""
    return trimmed(Decimal(repr(value)))


def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Column:
    """100 x part / whole, at most 100; NaN where there is nothing to divide by."""
    return np.minimum(ratio(part * 100, whole), 100.0)


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Column:
    """Part / whole; NaN where whole is not above zero."""
    result = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=np.asarray(whole) > 0)
    return result


def change(now: npt.NDArray[Any], before: npt.NDArray[Any]) -> Column:
    """The change from ``before`` to ``now`` in %; NaN without usage in both (AMB-53)."""
    return np.where(now > 0, ratio((now - before) * 100, before), np.nan)


def _of_users(part: str) -> Callable[[Counts], Column]:
    """A share of the assigned users, for accounts whose events ever named a user."""
    return lambda c: np.where(c["has_users"] > 0, share(c[part], c["assigned"]), np.nan)


def _login_pct(c: Counts) -> Column:
    seen = np.where(c["has_logins"] > 0, c["logged_in"], c["active"])
    return np.where(c["has_users"] > 0, share(seen, c["assigned"]), np.nan)


def _nameless(c: Counts) -> npt.NDArray[Any]:
    """Accounts with events none of which ever named a user: only the account as a whole can be told."""
    return (c["has_events"] > 0) & (c["has_users"] == 0)


def _login_frequency(c: Counts) -> Column:
    named = ratio(c["logins"] * 7, c["active"] * WINDOW)
    days = ratio(c["active_days"] * 7, np.full(len(c["active_days"]), WINDOW))
    without_logins = np.where(_nameless(c), days, np.nan)
    return np.where(c["has_logins"] > 0, named, without_logins)


def _where(condition: npt.NDArray[Any], values: npt.NDArray[Any]) -> Column:
    return np.where(condition > 0, values.astype(np.float64), np.nan)


FORMULAS: dict[str, Callable[[Counts], Column]] = {
    "active_users": lambda c: _where(c["has_users"], c["active"]),
    "active_users_pct": _of_users("active"),
    "login_pct": _login_pct,
    "mobile_pct": lambda c: np.where(c["has_mobile"] > 0, _of_users("mobile")(c), np.nan),
    "daily_active_users_percentage": lambda c: np.where(
        c["has_users"] > 0, share(c["weekday_active"], c["assigned"] * c["weekdays"]), np.nan
    ),
    "login_frequency_weekly": _login_frequency,
    "usage_change_pct": lambda c: change(c["recent"], c["previous"]),
    "active_days": lambda c: _where(c["has_events"], c["active_days"]),
    "usage_30d": lambda c: _where(c["has_events"], c["quantity"]),
    "usage_vs_expected_pct": lambda c: np.where(c["has_events"] > 0, ratio(c["quantity"] * 100, c["expected"]), np.nan),
    "feature_utilization_pct": lambda c: np.where(
        c["has_events"] > 0, share(c["features_used"], c["features"]), np.nan
    ),
    "feature_adoption_rate": lambda c: np.where(
        c["has_users"] > 0,
        share(c["feature_users"], c["assigned"] * c["features"]),
        np.where(_nameless(c), share(c["features_used"], c["features"]), np.nan),
    ),
    "feature_depth_pct": lambda c: np.where(
        c["has_users"] > 0, share(c["feature_users"], c["active"] * c["features"]), np.nan
    ),
    "users_2plus_features_pct": lambda c: np.where(c["features"] > 0, _of_users("two_features")(c), np.nan),
    "users_3plus_features_pct": lambda c: np.where(c["features"] > 0, _of_users("three_features")(c), np.nan),
    "session_minutes": lambda c: ratio(c["session_seconds"], c["sessions"] * 60),
    "workflow_completion_pct": lambda c: share(c["workflows_completed"], c["workflows_started"]),
}


class _Noting(dict[str, Any]):
    """Counts of no account, which note what is read of them."""

    def __missing__(self, name: str) -> npt.NDArray[Any]:
        self[name] = found = np.zeros(0)
        return found


def counts_read(metrics: Iterable[str]) -> set[str]:
    """The counts that the formulas of ``metrics`` read, so that no others need adding up."""
    noting = _Noting()
    for metric in metrics:
        FORMULAS[metric](noting)
    return set(noting)
