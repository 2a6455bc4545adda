"""What changed between two days, in a sentence: how far an amount moved, by what, and who made most of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from health.book.compare import Bridge

# Each step as the end of a sentence: what one account did, and what several did.
_DID = {
    "arr": {
        "new": ("new customer brought", "new customers brought"),
        "grown": ("account expanded by", "accounts expanded by"),
        "in": ("account moved into this view with", "accounts moved into this view with"),
        "shrunk": ("account contracted by", "accounts contracted by"),
        "left": ("customer was lost with", "customers were lost with"),
        "out": ("account moved out of this view with", "accounts moved out of this view with"),
    },
    "risk": {
        "fell": ("account fell into risk with", "accounts fell into risk with"),
        "new": ("new customer is at risk with", "new customers are at risk with"),
        "more": ("account at risk grew by", "accounts at risk grew by"),
        "in": ("account moved into this view with", "accounts moved into this view with"),
        "rose": ("account recovered with", "accounts recovered with"),
        "less": ("account at risk shrank by", "accounts at risk shrank by"),
        "left": ("customer at risk was lost with", "customers at risk were lost with"),
        "out": ("account moved out of this view with", "accounts moved out of this view with"),
    },
}
NAMED = 2


def sentence(title: str, bridge: Bridge, write: Callable[[Decimal], str]) -> str:
    """``ARR rose by $79k to $14.94M: 2 new customers brought $45k (Langford, Hollis), …``.

    Steps stand in the order of their size; of each the accounts that made most of it are named.
    """
    if not bridge.change and not bridge.moved:
        return f"{title} did not change and stands at {write(bridge.after)}."
    verb = "rose" if bridge.change > 0 else "fell"
    moved = f"{verb} by {write(abs(bridge.change))} to" if bridge.change else "stands, all in all, where it was, at"
    steps = sorted(bridge.steps, key=lambda step: -abs(step.amount))
    told = [_told(bridge, step.key, step.accounts, write(abs(step.amount))) for step in steps]
    return f"{title} {moved} {write(bridge.after)}: {', '.join(told)}."


def _told(bridge: Bridge, why: str, accounts: int, amount: str) -> str:
    one, several = _DID[bridge.key][why]
    names = [move.name for move in bridge.moved if move.why == why][:NAMED]
    more = " and others" if accounts > len(names) else ""
    return f"{accounts:,} {one if accounts == 1 else several} {amount} ({', '.join(names)}{more})"
