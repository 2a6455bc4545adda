"""What changed on one account between two days: score, money, people, silence and work."""

from health.book.between.changes import Changes, Scores, changes_between
from health.book.between.money import Money, Position
from health.book.between.silence import Silence

__all__ = ["Changes", "Money", "Position", "Scores", "Silence", "changes_between"]
