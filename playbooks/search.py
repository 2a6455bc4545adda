"""What the search finds of CTAs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from accounts.search import Source, found, having
from playbooks.choices import CtaStatus
from playbooks.models import Cta

if TYPE_CHECKING:
    from accounts.models import User


def _ctas(user: User, words: str) -> QuerySet[Any]:
    """CTAs by their title, closed ones last."""
    rows = Cta.objects.visible_to(user).filter(having("title", words))
    later = Q(status=CtaStatus.CLOSED)
    return found(rows, words, key="pk", target="pk", title="title", detail="account__name", later=later)


CTAS = Source("CTAs", "ctas.view", "list-checks", "playbooks:cta-detail", _ctas, "playbooks:cta-list")
