"""The accounts a person looked at last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F

from accounts.models import Account
from health.models import AccountVisit

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


def opened_by(user: User) -> QuerySet[AccountVisit]:
    """The visits of ``user`` to accounts they still see, with ``opened_at``; archived ones are left out."""
    seen = Account.objects.visible_to(user).unarchived()
    return AccountVisit.objects.filter(user=user, account__in=seen).annotate(opened_at=F("seen_at"))
