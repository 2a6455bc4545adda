"""What each actor should be answered, worked out from a table of its own and not by the code under test.

``TABLE`` is a second copy of the policy on purpose: whoever changes the product's table changes this one as
well, and says so in review. Letters: O owner, A administrator, V VP, C CSM, S support agent, B onboarding
specialist, T trainer, N renewals, R read-only, p portal administrator, q portal user.
"""

from __future__ import annotations

from typing import Any

from accounts.choices import Role

LETTERS = {
    "O": Role.OWNER,
    "A": Role.ADMIN,
    "V": Role.VP_CS,
    "C": Role.CSM,
    "S": Role.SUPPORT_AGENT,
    "B": Role.ONBOARDING,
    "T": Role.TRAINER,
    "N": Role.RENEWALS,
    "R": Role.READ_ONLY,
    "p": Role.PORTAL_ADMIN,
    "q": Role.PORTAL_USER,
}
STAFF = "OAVCSBTNR"
ALL = STAFF + "pq"

# capability: (roles that hold it, scope a token needs)
TABLE: dict[str, tuple[str, str]] = {
    "accounts.view": (STAFF, "read"),
    "accounts.edit": ("OAVCBN", "write"),
    "accounts.create": ("OAVCN", "write"),
    "accounts.delete": ("OA", "admin"),
    "accounts.export": ("OAVCN", "read"),
    "views.save": (STAFF, "write"),
    "views.share": ("OAVCSBTN", "write"),
    "segments.edit": ("OAVC", "write"),
    "fields.edit": ("OA", "admin"),
    "activity.log": ("OAVCSBTN", "write"),
    "usage.view": (STAFF, "read"),
    "usage.write": ("OAVC", "write"),
    "usage.ingest": ("OAV", "write"),
    "health.view": (STAFF, "read"),
    "health.override": ("OAVC", "write"),
    "health.configure": ("OAV", "admin"),
    "renewals.decide": ("OAV", "write"),
    "portfolio.view": ("OAVCBNR", "read"),
    "portfolio.views": ("OAVCBNR", "write"),
    "portfolio.packs": ("OAV", "read"),
    "portfolio.targets": ("OAV", "write"),
    "ctas.view": (STAFF, "read"),
    "ctas.work": ("OAVCSBTN", "write"),
    "playbooks.view": (STAFF, "read"),
    "notifications.own": (ALL, "read"),
    "tickets.view": (STAFF, "read"),
    "tickets.work": ("OAVCSB", "write"),
    "escalations.view": (STAFF, "read"),
    "escalations.work": ("OAVCSBTN", "write"),
    "incidents.view": (STAFF, "read"),
    "incidents.work": ("OAVCSB", "write"),
    "mail.sort": ("OAVS", "write"),
    "support.configure": ("OAV", "admin"),
    "kb.read": (ALL, "read"),
    "kb.view": (STAFF, "read"),
    "kb.write": ("OAVCSBTN", "write"),
    "kb.publish": ("OAVS", "write"),
    "methodology.view": (STAFF, "read"),
    "methodology.edit": ("OA", "admin"),
    "imports.run": ("OAV", "write"),
    "users.view": (STAFF, "read"),
    "absences.set": ("OAVCBN", "write"),
    "users.manage": ("OA", "admin"),
    "tokens.manage": ("OA", "admin"),
    "webhooks.manage": ("OA", "admin"),
    "audit.view": ("OA", "admin"),
    "workspace.edit": ("OA", "admin"),
    "outbox.view": ("OA", "admin"),
    "profile.own": (ALL, "read"),
    "portal.view": ("pq", "read"),
}


def holds(role: str, capability: str) -> bool:
    """Whether ``role`` holds ``capability``."""
    return role in {LETTERS[letter] for letter in TABLE[capability][0]}


def scope_of(capability: str) -> str:
    """The scope a token needs for ``capability``."""
    return TABLE[capability][1]


def is_missing(actor: Any, target: Any) -> bool:
    """Whether the row is unknown where ``actor`` knocks."""
    if target.kind not in {"own", "other"}:
        return True
    return actor.tenant != "a" and not target.in_both_tenants


def expected(actor: Any, capability: str, method: str, target: Any, *, api: bool) -> int | None:
    """The status ``actor`` must get, or None where it must get what the route answers to those who may.

    The order is the product's promise: nobody is asked to sign in (302) or to send a token (401); whoever may
    not do such a thing at all gets 403, whatever the object; an object they may not see is 404 like one that
    does not exist; one they may see and not change is 403.
    """
    missing = target is not None and is_missing(actor, target)
    if api and actor.is_token and actor.role is None:
        return 401
    if capability == "anonymous":
        return target.missing_status if missing else None
    if actor.role is None or (actor.is_token and not api):
        return 401 if api else 302
    if not holds(actor.role, capability):
        return 403
    if actor.is_token and scope_of(capability) not in actor.scopes:
        return 403
    if target is None:
        return None
    changes = scope_of(capability) != "read" and target.guards_writes
    if target.kind == "mismatched":
        # The outer row is account 1's, the inner one is not in it.
        return 403 if changes and 1 in actor.sees and 1 not in actor.edits else 404
    if missing:
        return target.missing_status
    if target.personal_to is not None and target.personal_to != actor.name:
        return 404
    if target.account is not None and target.account not in actor.sees:
        return 404
    if target.whole and not {1, 2} <= actor.sees:
        return 404
    if target.account is not None and changes and target.account not in actor.edits:
        return None if target.agents and actor.role == Role.SUPPORT_AGENT else 403
    return None
