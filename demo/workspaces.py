"""The three demonstration companies: who they are, what they sell and who works there."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "tenure-demo-2026"


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier with the share of accounts in it and what a year of it costs, in whole currency units."""

    key: str
    share: float
    arr_low: int
    arr_high: int


@dataclass(frozen=True, slots=True)
class Demo:
    """One demonstration workspace. ``suffixes`` and ``industries`` make its customers' names."""

    slug: str
    name: str
    pack: str
    timezone: str
    seed: int
    accounts: int
    suffixes: tuple[str, ...]
    industries: tuple[str, ...]
    segments: tuple[str, ...]
    tiers: tuple[Tier, ...]
    product: str
    features: tuple[str, ...]
    release: str
    vocabulary: str

    @property
    def domain(self) -> str:
        return f"{self.slug}.example"


DEMOS = (
    Demo(
        slug="brightloop",
        name="Brightloop",
        pack="fleet",
        timezone="America/New_York",
        seed=11,
        accounts=160,
        suffixes=("Logistics", "Freight", "Haulage", "Couriers", "Transport", "Distribution", "Cold Chain", "Lines"),
        industries=("Logistics", "Retail distribution", "Construction", "Utilities", "Food delivery"),
        segments=("Regional carrier", "National carrier", "Private fleet"),
        tiers=(Tier("standard", 0.7, 9_000, 90_000), Tier("enterprise", 0.3, 90_000, 640_000)),
        product="Brightloop Fleet",
        features=("gps_tracking", "work_orders", "driver_management", "reporting", "dashboard", "mobile"),
        release="App 5.2",
        vocabulary="drivers",
    ),
    Demo(
        slug="veridian",
        name="Veridian Quality",
        pack="fmea",
        timezone="Europe/Berlin",
        seed=23,
        accounts=152,
        suffixes=("Automotive", "Aerospace", "Medical", "Components", "Precision", "Motors", "Systems", "Castings"),
        industries=("Automotive", "Aerospace", "Medical devices", "Industrial equipment", "Electronics"),
        segments=("Tier 1 supplier", "Manufacturer", "Engineering service"),
        tiers=(
            Tier("basic", 0.4, 6_000, 20_000),
            Tier("professional", 0.4, 20_000, 110_000),
            Tier("enterprise", 0.2, 110_000, 520_000),
        ),
        product="Veridian FMEA",
        features=("worksheets", "risk_matrix", "action_tracking", "control_plans", "reports", "mobile"),
        release="Release 9.1",
        vocabulary="engineers",
    ),
    Demo(
        slug="clearmetric",
        name="Clearmetric",
        pack="bis",
        timezone="Europe/London",
        seed=37,
        accounts=160,
        suffixes=("Bank", "Insurance", "Health", "Retail", "Media", "Energy", "Foods", "Group"),
        industries=("Banking", "Insurance", "Healthcare", "Retail", "Energy", "Media"),
        segments=("Enterprise", "Mid-market", "Growth"),
        tiers=(
            Tier("dedicated-csm", 0.3, 90_000, 480_000),
            Tier("shared-support", 0.45, 18_000, 90_000),
            Tier("self-service", 0.25, 5_000, 18_000),
        ),
        product="Clearmetric Insights",
        features=("dashboards", "scheduled_reports", "ad_hoc_queries", "sharing", "alerts", "mobile"),
        release="Report engine 4",
        vocabulary="analysts",
    ),
)

# (name, role, title); the address is made from the name.
STAFF = (
    ("Nora Whitfield", "owner", "Chief Customer Officer"),
    ("Tomas Adler", "admin", "CS Operations"),
    ("Victoria Hale", "vp_cs", "VP Customer Success"),
    ("Mara Lind", "csm", "Senior CSM"),
    ("Jonas Brandt", "csm", "Senior CSM"),
    ("Priya Raman", "csm", "CSM"),
    ("Daniel Okafor", "csm", "CSM"),
    ("Elena Rossi", "csm", "CSM"),
    ("Lukas Meyer", "csm", "CSM"),
    ("Aisha Karim", "csm", "CSM"),
    ("Sofia Almeida", "csm", "CSM"),
    ("Owen Hart", "support_agent", "Support engineer"),
    ("Ines Moreau", "onboarding", "Onboarding specialist"),
    ("Hugo Berg", "trainer", "Trainer"),
    ("Grace Novak", "renewals", "Account executive"),
    ("Felix Dahl", "read_only", "Finance analyst"),
)
