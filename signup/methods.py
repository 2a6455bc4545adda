"""The five methodologies a company chooses from when it signs up."""

from __future__ import annotations

from typing import NamedTuple


class Method(NamedTuple):
    """A pack as the visitor sees it: its key, its name and a sentence about whom it serves."""

    key: str
    name: str
    sentence: str


METHODS = (
    Method("generic", "Customer success, general", "SaaS of any kind: adoption, value, support and sponsors."),
    Method(
        "fleet",
        "Fleet management",
        "Vehicles and drivers: six to ten weeks of onboarding, then use of devices and reports.",
    ),
    Method(
        "fmea",
        "Quality and FMEA software",
        "Engineering teams in twelve weeks from kickoff to an analysis they keep alive.",
    ),
    Method(
        "mna",
        "Migration and M&A discovery",
        "A few very large accounts, each with its programme of 180 days and a named team.",
    ),
    Method(
        "bis",
        "Reporting and BI service",
        "Subscribers of reports: quick first value, support by tier, renewal by the numbers.",
    ),
)
CHOICES = [(method.key, f"{method.name}: {method.sentence}") for method in METHODS]
