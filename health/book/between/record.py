"""What happened between two days, as lines of a page."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Noted(NamedTuple):
    """One thing that happened in the period, as a line of the page; ``on`` is the workspace's day."""

    on: date
    what: str
    detail: str = ""
    by: str = ""
