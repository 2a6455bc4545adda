"""What is wrong with a definition, in the words of the form in which it is put right."""

from __future__ import annotations

import re
from collections.abc import Mapping

from health.validation import Problem
from ui import wording

_FIELD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def in_form_words(problem: Problem, labels: Mapping[str, str]) -> str:
    """The problem with the fields that it names called as ``labels`` call them.

    A field without a label, which the form does not show, is said in plain words.
    """
    name = problem.pointer.rpartition("/")[2]
    detail = problem.detail
    if name in labels and detail.startswith(f"{name} "):
        detail = _quoted(name, labels) + detail.removeprefix(name)
    return _FIELD.sub(lambda found: _quoted(found[0], labels), detail)


def _quoted(name: str, labels: Mapping[str, str]) -> str:
    return f"“{labels.get(name) or wording.titled(name)}”"
