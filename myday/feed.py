"""The calendar feed of one person: its secret address, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from django.db import transaction

from accounts.audit import record
from accounts.links import absolute
from accounts.middleware import zone_of
from accounts.models import Account, Activity
from accounts.policy import may
from accounts.tokens import digest_of
from myday.calendar import Item, calendar_of
from myday.models import CalendarFeed
from playbooks.choices import CtaStatus
from playbooks.models import Cta, Task

if TYPE_CHECKING:
    from accounts.models import User

MONTHS_BACK, MONTHS_AHEAD = 1, 6
# Of each kind at most this many, the nearest first: a calendar with more shows nothing any more.
MOST_OF_A_KIND = 500


@transaction.atomic
def renew_feed(user: User, *, at: datetime) -> str:
    """Give ``user``'s calendar a new secret address; one it had ends at once. Returns the secret, this once.

    Only its digest is kept.
    """
    secret = token_urlsafe(32)
    feed, is_new = CalendarFeed.objects.update_or_create(
        user=user, defaults={"digest": digest_of(secret), "since_at": at}
    )
    record("calendar.opened" if is_new else "calendar.renewed", feed, actor=user, at=at)
    return secret


@transaction.atomic
def revoke_feed(user: User, *, at: datetime) -> bool:
    """End the address of ``user``'s calendar; False when there was none."""
    feed = CalendarFeed.objects.select_for_update().filter(user=user).first()
    if feed is None:
        return False
    record("calendar.revoked", feed, actor=user, at=at)
    feed.delete()
    return True


def reader_of(secret: str) -> User | None:
    """Whose calendar the address is, as long as they work here. One query."""
    feed = CalendarFeed.objects.select_related("user").filter(digest=digest_of(secret)).first()
    return feed.user if feed is not None and may(feed.user, "ctas.work") else None


def feed_of(user: User, *, at: datetime) -> bytes:
    """``user``'s own due CTAs, tasks, meetings and next steps, and the renewals of their accounts, as a calendar.

    From a month back to six months ahead. SECURITY: titles and names alone, no notes: whoever has the address reads it.
    Six queries.
    """
    today = at.astimezone(zone_of(user)).date()
    days = (today - relativedelta(months=MONTHS_BACK), today + relativedelta(months=MONTHS_AHEAD))
    base = absolute("")
    items = [*_ctas(user, days), *_tasks(user, days), *_steps(user, days), *_renewals(user, days)]
    return calendar_of(
        (item._replace(url=base + item.url) for item in items), name=f"Tenure: {user.workspace_settings.name}"
    )


Days = tuple[date, date]


def _ctas(user: User, days: Days) -> Iterator[Item]:
    rows = Cta.objects.visible_to(user).open().filter(owner=user, due_on__range=days, account__archived_at=None)
    for cta in rows.select_related("account").order_by("due_on", "pk")[:MOST_OF_A_KIND]:
        title = f"CTA: {cta.title} ({cta.account.name})"
        yield Item(f"cta-{cta.pk}", title, cta.due_on, None, cta.assigned_at, cta.version, f"/ctas/{cta.pk}/")


def _tasks(user: User, days: Days) -> Iterator[Item]:
    rows = Task.objects.visible_to(user).filter(completed_at=None, due_on__range=days)
    mine = rows.filter(cta__owner=user, cta__status=CtaStatus.OPEN, cta__account__archived_at=None)
    for task in mine.select_related("cta__account").order_by("due_on", "pk")[:MOST_OF_A_KIND]:
        title = f"Task: {task.title} ({task.cta.account.name})"
        yield Item(
            f"task-{task.pk}", title, task.due_on, None, task.cta.assigned_at, task.version, f"/ctas/{task.cta_id}/"
        )


def _steps(user: User, days: Days) -> Iterator[Item]:
    rows = Activity.objects.visible_to(user).with_open_step()
    mine = rows.filter(next_step_owner=user, next_step_on__range=days, account__archived_at=None)
    for entry in mine.select_related("account").order_by("next_step_on", "pk")[:MOST_OF_A_KIND]:
        assert entry.next_step_on is not None
        title = f"{entry.next_step} ({entry.account.name})"
        path = f"/accounts/{entry.account_id}/timeline/"
        yield Item(
            f"step-{entry.pk}", title, entry.next_step_on, entry.next_step_at, entry.edited_at or entry.at, 0, path
        )


def _renewals(user: User, days: Days) -> Iterator[Item]:
    rows = Account.objects.visible_to(user).live().filter(owner=user, renewal_on__range=days)
    for account in rows.order_by("renewal_on", "pk")[:MOST_OF_A_KIND]:
        assert account.renewal_on is not None
        key, title = f"renewal-{account.pk}-{account.renewal_on}", f"Renewal: {account.name}"
        path = f"/accounts/{account.pk}/"
        yield Item(key, title, account.renewal_on, None, account.created_at, account.version, path)
