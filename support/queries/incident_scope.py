"""Ways to choose the accounts an incident affects: by hand, tier, segment or component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from accounts.choices import Role
from accounts.keys import is_key
from accounts.models import Account, Tier
from accounts.models.account import AccountQuerySet
from support.choices import Origin
from support.models import Ticket

if TYPE_CHECKING:
    from accounts.models import User


def addressable(user: User) -> AccountQuerySet:
    """Accounts ``user`` may count as affected and write to: those ``removable`` that are customers now."""
    return removable(user).live()


def removable(user: User) -> AccountQuerySet:
    """Accounts ``user`` may stop counting as affected: an agent every one they see, others those they may edit."""
    return Account.objects.visible_to(user) if user.role == Role.SUPPORT_AGENT else Account.objects.editable_by(user)


def accounts_by(user: User, how: str, value: str) -> AccountQuerySet:
    """The accounts ``user`` may address of a tier or a segment (by key), or with an active ticket of a component."""
    rows = addressable(user)
    if how == Origin.TIER:
        return rows.filter(tier__key=value)
    if how == Origin.COMPONENT:
        active = Ticket.objects.active().filter(component__iexact=value).values("account")
        return rows.filter(pk__in=active)
    if how == Origin.SEGMENT:
        return rows.filter(pk__in=_segments().members(value))
    return rows.none()


def ways(user: User) -> list[tuple[str, list[tuple[str, str]]]]:
    """For a choice: tiers, segments and components as (group, [(``how|value``, name)]); empty groups are left out.

    Three queries.
    """
    tiers = [(f"{Origin.TIER}|{key}", name) for key, name in Tier.objects.order_by("-rank").values_list("key", "name")]
    segments = [(f"{Origin.SEGMENT}|{key}", name) for key, name in _segments().names()]
    named = Ticket.objects.visible_to(user).active().exclude(component="").order_by("component")
    components = [
        (f"{Origin.COMPONENT}|{name}", f"{name}: accounts with a waiting ticket")
        for name in named.values_list("component", flat=True).distinct()[:50]
    ]
    groups = [("Tier", tiers), ("Segment", segments), ("Component", components)]
    return [(label, options) for label, options in groups if options]


def chosen_accounts(user: User, keys: list[str]) -> QuerySet[Account]:
    """The accounts of these keys that ``user`` may address; keys that mean nothing are left out."""
    return addressable(user).filter(pk__in=[key for key in keys if is_key(key)])


def _segments() -> Any:
    """The app that knows segments (``settings.ACCOUNT_SEGMENTS``)."""
    return import_string(settings.ACCOUNT_SEGMENTS)
