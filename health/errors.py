"""What health refuses, naming the rule and the place."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.errors import RuleViolated
from health.validation import Problem


class DefinitionRefused(RuleViolated):
    """A scorecard or trigger definition breaks rules; ``problems`` names each with its place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, first.detail, first.pointer or "definition")
