"""The arithmetic of a backtest: what became of customers, and how well scores foresaw it. Pure, without Django."""

from health.backtest.chance import by_chance, exact_sign, interval
from health.backtest.grading import COLOURS, History, falls, grade, losses_seen, standing
from health.backtest.outcomes import Account, Loss, Outcomes, outcomes_of
from health.backtest.rivals import compare

__all__ = [
    "COLOURS",
    "Account",
    "History",
    "Loss",
    "Outcomes",
    "by_chance",
    "compare",
    "exact_sign",
    "falls",
    "grade",
    "interval",
    "losses_seen",
    "outcomes_of",
    "standing",
]
