"""Who may own accounts, and how many (FMEA-2.1, FMEA-2.6 to 2.8, MNA-1.2, AMB-62)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.audit import record
from accounts.capacity import OWNER_ROLE, Verdict, judge
from accounts.choices import LEADER_ROLES, Role
from accounts.errors import CapacityExceeded, RuleViolated
from accounts.models import Account, TeamMember, TeamRole, Tier, User

# FMEA-2.1: a CSM or above; whoever renews may own as well.
OWNERS = LEADER_ROLES | {Role.CSM, Role.RENEWALS}


def check_owner(
    owner: User, tier: Tier | None, *, account: Account, actor: User | None, reason: str = "", extra: int = 0
) -> str:
    """The remark to keep with giving ``account`` to ``owner``, empty when there is nothing to say.

    ``extra`` counts accounts the same call has given already. Raises RuleViolated for somebody who cannot own
    accounts, CapacityExceeded above a firm maximum unless a leader (or the system) gives a ``reason``.
    """
    check_may_own(owner)
    if tier is None or not tier.capacity:
        return ""
    # Two hand-overs at once would each see room for one more.
    User.objects.select_for_update(of=("self",)).get(pk=owner.pk)
    others = Account.objects.live().filter(owner=owner, tier=tier).exclude(pk=account.pk).count()
    return enforce(judge(tier.capacity, OWNER_ROLE, others + extra + 1), owner, tier, actor=actor, reason=reason)


def check_may_own(owner: User) -> None:
    """Raise RuleViolated unless ``owner`` is active and a CSM or above."""
    if not owner.is_active or owner.role not in OWNERS:
        raise RuleViolated("account.owner_role", "Only an active CSM or above can own an account.", "owner")


def enforce(verdict: Verdict, owner: User, tier: Tier, *, actor: User | None, reason: str) -> str:
    """The verdict's message; CapacityExceeded when it refuses and no leader gives a reason."""
    if verdict.refused and not (reason.strip() and (actor is None or actor.role in LEADER_ROLES)):
        text = f"{owner} has the {verdict.high} {tier} accounts a CSM may have. A VP can assign more with a reason."
        raise CapacityExceeded("account.capacity", text, "owner")
    return verdict.message


@transaction.atomic
def add_team_member(
    account: Account, user: User, role: TeamRole, *, actor: User | None, at: datetime
) -> tuple[TeamMember, str]:
    """Put ``user`` on the account's team as ``role``. Returns the membership and a warning, mostly empty.

    Outside the tier's range for the role (a TAM has five to seven accounts) it warns and never refuses.
    Raises RuleViolated for a portal user or an inactive one, and for a role of the customer's side.
    """
    if not user.is_active or user.is_portal:
        raise RuleViolated("account.team_user", "Only active colleagues are on a team.", "user")
    if role.side != "vendor":
        raise RuleViolated("account.team_role", "This is a role of the customer's side.", "role")
    member, created = TeamMember.objects.get_or_create(account=account, user=user, role=role)
    key = role.key.removeprefix(f"{role.pack}-")
    warning = ""
    if account.tier is not None and account.tier.capacity:
        places = TeamMember.objects.filter(
            user=user, role=role, account__tier=account.tier_id, account__archived_at=None
        )
        warning = judge(account.tier.capacity, key, places.count()).message
    if created:
        after = {"user": user.email, "role": role.key, "remark": warning}
        record("account.team_joined", account, actor=actor, at=at, after=after)
    return member, warning


@transaction.atomic
def remove_team_member(member: TeamMember, *, actor: User | None, at: datetime) -> None:
    """Take a person off an account's team."""
    before = {"user": member.user.email, "role": member.role.key}
    account = member.account
    member.delete()
    record("account.team_left", account, actor=actor, at=at, before=before)
