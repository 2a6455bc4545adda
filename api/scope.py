"""Getting at one account's rows: what may not be seen is 404, what may be seen and not changed is 403."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from accounts.models import Account, User


def visible_account(user: User, account_id: UUID) -> Account:
    """The account, archived ones included. Raises Http404 when ``user`` may not see it. One query."""
    account = Account.objects.visible_to(user).select_related("tier", "owner").filter(pk=account_id).first()
    if account is None:
        raise Http404
    return account


def editable_account(user: User, account_id: UUID) -> Account:
    """The account ``user`` may change. Raises Http404, or PermissionDenied when they may only see it. Two queries."""
    account = visible_account(user, account_id)
    require_editable(user, account.pk)
    return account


def require_editable(user: User, account_id: UUID) -> None:
    """Raise PermissionDenied unless ``user`` may change this account. One query."""
    if not Account.objects.editable_by(user).filter(pk=account_id).exists():
        raise PermissionDenied("You may see this account and not change it.")


def visible_row(rows: QuerySet[Any], user: User, pk: UUID) -> Any:
    """The row of an account's (``rows`` has ``visible_to``). Raises Http404."""
    row = rows.visible_to(user).select_related("account").filter(pk=pk).first()  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    return row


def editable_row(rows: QuerySet[Any], user: User, pk: UUID) -> Any:
    """The row of an account that ``user`` may change. Raises Http404, or PermissionDenied."""
    row = visible_row(rows, user, pk)
    require_editable(user, row.account_id)
    return row
