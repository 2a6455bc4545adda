"""What the key facts of an account's page show beside its own columns, read with its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateField, ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.functions import JSONObject

from accounts.choices import ContractStatus
from accounts.models import Account, Contract, ExternalId
from health.book.own import definitions
from health.models import SegmentMember

if TYPE_CHECKING:
    from accounts.models import User

UNDER = 10
OVER = (ContractStatus.DRAFT, ContractStatus.CHURNED)


def key_facts(user: User) -> dict[str, Any]:
    """Expressions for the row of an account: its segments, the names other systems have for it, when notice ends,
    the first accounts under it that ``user`` sees, and the workspace's own fields. No query of their own.
    """
    account = OuterRef("pk")
    stays = SegmentMember.objects.current().filter(account=account).order_by("segment__name")
    names = ExternalId.objects.filter(account=account).order_by("source", "external_id")
    under = Account.objects.visible_to(user).unarchived().filter(parent=account).order_by("name")
    child = JSONObject(pk="pk", name="name", arr="arr", currency="currency")
    return {
        "segments": ArraySubquery(stays.values(row=JSONObject(pk="segment", name="segment__name"))),
        "names": ArraySubquery(names.values(row=JSONObject(source="source", key="external_id"))),
        "notice_on": Subquery(_notices().filter(account=account, end_on=OuterRef("renewal_on")).values("by")[:1]),
        "group": ArraySubquery(under.values(row=child)[:UNDER]),
        "own_fields": definitions(),
    }


def _notices() -> Any:
    """Contracts that ask for notice, by the last day on which it can be given."""
    last = ExpressionWrapper(F("end_on") - F("notice_days"), output_field=DateField())
    return Contract.objects.filter(notice_days__gt=0).exclude(status__in=OVER).annotate(by=last).order_by("by")
