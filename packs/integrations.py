"""Which of the systems that methodologies name the product is itself, and which it stands beside. No Django."""

from __future__ import annotations

# What a methodology calls a part of the product; by the item's own words, never by the methodology's name.
BUILT_IN = frozenset(
    {
        "ticketing-system", "knowledge-base", "customer-portal", "ticket-routing", "suggested-solutions",
        "customer-health-alerts",
    }
)  # fmt: skip
# Parts others bring, for which there is an address to call.
HOOKS = frozenset({"chatbots", "self-healing-systems", "proactive-monitoring"})


def state_of(key: str) -> str:
    """``Built in``, ``Hook`` (others call our API) or ``External``."""
    if key in BUILT_IN:
        return "Built in"
    return "Hook" if key in HOOKS else "External"
