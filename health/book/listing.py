"""What rows of accounts show wherever they are listed, and what their filters offer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q

from accounts.actions.ownership import OWNERS
from accounts.choices import STAFF_ROLES, Role
from accounts.models import Account, LifecycleStage, Tier, User
from accounts.models.account import AccountQuerySet
from health.models import Segment

COLUMNS = (
    "pk",
    "name",
    "segment",
    "status",
    "arr",
    "currency",
    "renewal_on",
    "country",
    "tier__name",
    "stage__name",
    "owner__name",
    "owner__email",
    "health__score",
    "health__shown",
    "health__current_band",
    "health__current_rag",
    "health__change_30d",
    "health__coverage_pct",
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, as (value, label) pairs.

    ``assignable`` are the people who may be given accounts. ``sets`` are segments by rule, ``plain`` those typed in.
    """

    owners: list[tuple[str, str]]
    assignable: list[tuple[str, str]]
    tiers: list[tuple[str, str]]
    stages: list[tuple[str, str]]
    sets: list[tuple[str, str]]
    plain: list[tuple[str, str]]

    @property
    def segments(self) -> list[tuple[str, str]]:
        """Both kinds, those by rule first."""
        return [*self.sets, *self.plain]


CHOICES_KEPT = 60
# The number counts shapes: an entry of an older release is not read.
_CHOICES_KEY = "health.book.choices.2"


def filter_choices(user: User) -> Choices:
    """Owners, tiers, stages and segments in use, at most a minute old: one look-up, else five small queries.

    A CSM who reads only their own book is offered the segments of that book, by one query more.
    """
    choices = cache.get_or_set(_CHOICES_KEY, _filter_choices, CHOICES_KEPT)
    if user.role != Role.CSM or user.workspace_settings.csm_reads_all_accounts:
        return choices
    return replace(choices, plain=_segments(Account.objects.visible_to(user)))


def forget_choices() -> None:
    """Read the choices again on the next page: one of them was just changed."""
    cache.delete(_CHOICES_KEY)


def _filter_choices() -> Choices:
    owning = Exists(Account.objects.filter(owner=OuterRef("pk")))
    people = User.objects.filter(Q(is_active=True) | owning, role__in=STAFF_ROLES)
    owners = list(people.order_by("name", "email").values_list("pk", "name", "email", "role", "is_active"))
    return Choices(
        owners=[(str(pk), name or email) for pk, name, email, _role, _active in owners],
        assignable=[(str(pk), name or email) for pk, name, email, role, active in owners if active and role in OWNERS],
        tiers=[(str(pk), name) for pk, name in Tier.objects.values_list("pk", "name")],
        stages=[(str(pk), name) for pk, name in LifecycleStage.objects.values_list("pk", "name")],
        sets=[(str(pk), name) for pk, name in Segment.objects.values_list("pk", "name")],
        plain=_segments(Account.objects.all()),
    )


def _segments(accounts: AccountQuerySet) -> list[tuple[str, str]]:
    used = accounts.unarchived().exclude(segment="").order_by("segment").values_list("segment", flat=True).distinct()
    return [(name, name) for name in used[:60]]
