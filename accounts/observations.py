"""The shape in which a domain hands its metrics to health."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Observation(NamedTuple):
    """One value of one metric of one account: a number, or the key of an option for a choice metric.

    ``observed_at`` is when the value was true (its age decides staleness); ``source`` says where from.
    """

    value: Decimal | str
    observed_at: datetime
    source: str
