"""The metrics this app computes from events and daily figures, and what each means.

One row a metric: its unit, the formula in words and where the definition comes from. ``docs/metrics.md`` is
printed from here, and a test keeps the two equal. The arithmetic is in ``usage.derived``.
"""

from __future__ import annotations

from typing import NamedTuple

WINDOW = 30
TREND_WINDOW = 14
# A stated value is taken instead of the computed one while it is no older than this.
STATED_FOR_DAYS = 31


class Derived(NamedTuple):
    """A computed metric."""

    name: str
    unit: str
    formula: str
    origin: str


DERIVED: dict[str, Derived] = {
    "active_users": Derived("Active users", "count", "different users with any event in 30 days", "AMB-105"),
    "active_users_pct": Derived(
        "Active users", "percent", "different users with any event in 30 days / assigned users", "FMEA-7.2, FLEET-5.6"
    ),
    "login_pct": Derived(
        "Users who logged in", "percent",
        "different users with a login in 30 days / assigned users; while the tenant sends no logins: with any event",
        "FLEET-7.2, AMB-105",
    ),
    "mobile_pct": Derived(
        "Users on mobile", "percent",
        "different users on a phone in 30 days / assigned users; no figure while the tenant sends no platform",
        "FLEET-7.5",
    ),
    "daily_active_users_percentage": Derived(
        "Daily active users", "percent",
        "mean over Monday to Friday of the last 30 days of the day's different users / assigned users", "BIS-6.8",
    ),
    "login_frequency_weekly": Derived(
        "Logins per user and week", "per_user_week",
        "logins in 30 days x 7 / 30 / active users; while the tenant sends no logins, of an account whose events never"
        " named a user: days with any event x 7 / 30",
        "BIS-6.8, AMB-151",
    ),
    "active_days": Derived("Days with use", "days", "different days with any event in 30 days", "MNA-5.3"),
    "usage_change_pct": Derived(
        "Change of usage", "percent",
        "volume of the last 14 full days against the 14 before, in %; no figure without usage in both",
        "AMB-53, MNA-5.5, FMEA-10.1",
    ),
    "usage_30d": Derived("Volume", "count", "sum of the quantities of 30 days", "BIS-1.10"),
    "usage_vs_expected_pct": Derived(
        "Usage against expected", "percent", "volume of 30 days / the stated metric expected_usage_30d", "BIS-1.10"
    ),
    "feature_utilization_pct": Derived(
        "Key features in use", "percent", "key features used at least once in 30 days / key features", "FMEA-7.2"
    ),
    "feature_adoption_rate": Derived(
        "Feature adoption", "percent",
        "mean over the key features of (users of the feature in 30 days / assigned users); of an account whose events"
        " never named a user: key features used in 30 days / key features",
        "FLEET-5.7, BIS-6.8, CS-3.3",
    ),
    "feature_depth_pct": Derived(
        "Depth of use", "percent",
        "mean over the active users of (key features the user used in 30 days / key features)", "CS-3.2, AMB-151",
    ),
    "users_2plus_features_pct": Derived(
        "Users of two or more features", "percent",
        "users who used at least 2 key features in 30 days / assigned users", "FLEET-7.3, AMB-73",
    ),
    "users_3plus_features_pct": Derived(
        "Users of three or more features", "percent",
        "users who used at least 3 key features in 30 days / assigned users", "FLEET-7.3, AMB-73",
    ),
    "session_minutes": Derived(
        "Session length", "minutes", "length of the sessions of 30 days / their number", "CS-3.2, AMB-151"
    ),
    "workflow_completion_pct": Derived(
        "Workflows completed", "percent", "workflows completed / started in 30 days", "CS-3.3"
    ),
    "tickets_month": Derived("Tickets a month", "count", "sum of tickets_opened over 30 days", "FLEET-7.12, AMB-75"),
    "ticket_count": Derived(
        "Tickets", "count",
        "sum of tickets_opened over 30 days; ticket_count:<severity>: of that severity over 14 days", "AMB-31, AMB-54",
    ),
    "ticket_count_change_pct": Derived(
        "Change of tickets", "percent",
        "tickets of the last 30 days against the 30 before, in %; from none, each ticket counts 100", "AMB-31",
    ),
    "tickets_per_user_monthly": Derived(
        "Tickets per user and month", "ratio", "tickets of 30 days / users active in them", "BIS-1.10"
    ),
    "open_tickets": Derived(
        "Open tickets", "count", "latest open_tickets; open_tickets:<severity>: latest open_tickets_s<rank>", "AMB-31"
    ),
    "s1_tickets_30d": Derived("S1 tickets", "count", "sum of tickets_s1 over 30 days", "FMEA-7.2, AMB-30"),
    "s2_tickets_30d": Derived("S2 tickets", "count", "sum of tickets_s2 over 30 days", "FMEA-7.2, AMB-30"),
    "s3_tickets_30d": Derived("S3 tickets", "count", "sum of tickets_s3 over 30 days", "FMEA-7.2, AMB-30"),
    "s4_tickets_30d": Derived("S4 tickets", "count", "sum of tickets_s4 over 30 days", "FMEA-7.2, AMB-30"),
    "resolution_hours": Derived(
        "Time to resolution", "hours", "sum of resolution_hours_total / sum of tickets_resolved over 30 days",
        "FLEET-7.13, AMB-76",
    ),
    "avg_resolution_hours": Derived(
        "Average resolution time", "hours", "the same as resolution_hours", "BIS-6.11"
    ),
    "escalation_rate_percentage": Derived(
        "Escalation rate", "percent", "sum of tickets_escalated / sum of tickets_opened over 30 days", "BIS-6.11"
    ),
}  # fmt: skip


# What the support desk works out besides, from its own tickets (``support.metrics``).
DESK: dict[str, Derived] = {
    "csat_pct": Derived("CSAT", "percent", "ratings of 4 or 5 / all ratings of 90 days; none: no figure", "AMB-07"),
    "support_satisfaction": Derived("Support satisfaction", "percent", "the same as csat_pct", "AMB-07"),
    "satisfaction_pct": Derived("NPS/CSAT", "percent", "the same as csat_pct, where nobody states one", "AMB-151"),
    "sla_elapsed_pct": Derived(
        "Promise used up", "percent",
        "of the promises about open tickets, the highest share warned of: 80 at the warning, 100 when missed, else 0",
        "FLEET-10.4, AMB-96",
    ),
}  # fmt: skip


class Stated(NamedTuple):
    """A metric that is always known because computed ones are made of it."""

    name: str
    unit: str
    aggregation: str
    description: str


# Tickets of a workspace whose desk is elsewhere come as daily figures.
STATED: dict[str, Stated] = {
    "assigned_users": Stated("Assigned users", "count", "latest", "People given access; replaces the account's figure"),
    "expected_usage_30d": Stated("Expected volume", "count", "latest", "Volume expected in 30 days"),
    "tickets_opened": Stated("Tickets opened", "count", "sum", "Tickets opened that day"),
    "tickets_s1": Stated("S1 tickets opened", "count", "sum", "Tickets of the worst severity opened that day"),
    "tickets_s2": Stated("S2 tickets opened", "count", "sum", "Tickets of the second severity opened that day"),
    "tickets_s3": Stated("S3 tickets opened", "count", "sum", "Tickets of the third severity opened that day"),
    "tickets_s4": Stated("S4 tickets opened", "count", "sum", "Tickets of the fourth severity opened that day"),
    "open_tickets_s1": Stated("S1 tickets open", "count", "latest", "Tickets of the worst severity open that day"),
    "open_tickets_s2": Stated("S2 tickets open", "count", "latest", "Tickets of the second severity open that day"),
    "open_tickets_s3": Stated("S3 tickets open", "count", "latest", "Tickets of the third severity open that day"),
    "open_tickets_s4": Stated("S4 tickets open", "count", "latest", "Tickets of the fourth severity open that day"),
    "tickets_escalated": Stated("Tickets escalated", "count", "sum", "Tickets opened that day that were escalated"),
    "tickets_resolved": Stated("Tickets resolved", "count", "sum", "Tickets resolved that day"),
    "resolution_hours_total": Stated(
        "Resolution hours", "hours", "sum", "Hours from opening to resolution, summed over the day's resolved tickets"
    ),
}
