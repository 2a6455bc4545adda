"""The key features that a methodology's text names, as the tenant's first list (AMB-82). No Django."""

from __future__ import annotations

from typing import Any

# By pack: what the list shows, the events that are its use, and whether it counts from the start.
FIRST: dict[str, list[dict[str, Any]]] = {
    "fleet": [
        {"key": "gps_tracking", "name": "GPS tracking", "events": ["gps_tracking", "gps"]},
        {"key": "work_orders", "name": "Work orders", "events": ["work_orders", "work_order"]},
        {"key": "driver_management", "name": "Driver management", "events": ["driver_management", "drivers"]},
        {"key": "reporting", "name": "Reporting", "events": ["reporting", "reports", "report"]},
        {"key": "dashboard", "name": "Dashboard", "events": ["dashboard", "dashboards"], "counted": False},
        {"key": "mobile_app", "name": "Mobile app", "events": ["mobile_app", "mobile"], "counted": False},
    ]
}
