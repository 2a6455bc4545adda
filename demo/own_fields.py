"""Fields of their own that the demonstration companies keep of their customers, and a key that is no field yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from accounts.actions import define_field
from demo.companies import Company
from demo.workspaces import Demo


class Own(NamedTuple):
    """One field as it is defined."""

    key: str
    label: str
    kind: str
    options: tuple[str, ...] = ()
    help_text: str = ""


# By the methodology that the company works by.
FIELDS: dict[str, tuple[Own, ...]] = {
    "fleet": (
        Own("region", "Home region", "choice", ("Northeast", "Midwest", "South", "West")),
        Own("sites", "Depots", "number"),
        Own("live_on", "Devices installed", "date", help_text="The day the last vehicle of the first order was fitted"),
        Own("flagged", "Mixed fleet", "yes_no", help_text="Electric and diesel vehicles in one yard"),
    ),
    "fmea": (
        Own("region", "Plants in", "choice", ("Europe", "North America", "Asia")),
        Own("sites", "Plants", "number"),
        Own("live_on", "First audit with us", "date"),
        Own("flagged", "IATF 16949", "yes_no", help_text="Certified for the automotive standard"),
    ),
    "bis": (
        Own("region", "Data stays in", "choice", ("European Union", "United Kingdom", "United States")),
        Own("sites", "Data sources", "number"),
        Own("live_on", "First report live", "date"),
        Own("flagged", "Single sign-on", "yes_no"),
    ),
}


def define(demo: Demo, now: datetime) -> None:
    """Define the fields of ``demo``, in order."""
    for own in FIELDS[demo.pack]:
        define_field(**own._asdict(), actor=None, at=now)


def custom_of(demo: Demo, company: Company) -> dict[str, Any]:
    """What ``company`` holds in them; every seventh says nothing of its day. The billing system's key is no field."""
    options = FIELDS[demo.pack][0].options
    live_on = company.since_on + timedelta(days=30 + company.index % 60)
    return {
        "region": options[company.index * 7 % len(options)],
        "sites": 1 + company.index * 5 % 9,
        "live_on": live_on.isoformat() if company.index % 7 else None,
        "flagged": company.index % 3 == 0,
        "billing_id": f"B-{7000 + company.index}",
    }
