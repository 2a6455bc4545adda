"""Mail held while its reader's quiet hours last."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.middleware import zone_of
from engagement.choices import URGENT
from engagement.models import OutboxMessage, QuietHours
from engagement.quiet import quiet_until

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def set_quiet_hours(
    user: User, *, begins: time | None, ends: time | None, urgent_passes: bool, at: datetime
) -> QuietHours | None:
    """Keep ``user``'s quiet hours in their own zone, or none when both times are None. Returns them.

    Raises RuleViolated naming the field: one of the times is missing, or they are equal.
    """
    if (begins is None) != (ends is None):
        raise RuleViolated("quiet.both", "Give both times, or neither.", "ends" if ends is None else "begins")
    if begins is not None and begins == ends:
        raise RuleViolated("quiet.all_day", "They begin and end at the same time.", "ends")
    old = QuietHours.objects.select_for_update(of=("self",)).filter(user=user).first()
    before = old.plain() if old else None
    if begins is None or ends is None:
        QuietHours.objects.filter(user=user).delete()
        kept = None
    else:
        values = {"begins": begins, "ends": ends, "urgent_passes": urgent_passes}
        kept, _made = QuietHours.objects.update_or_create(user=user, defaults=values)
    after = kept.plain() if kept else None
    if before != after:
        # Held mail is looked at again: it may be due now, or is put off anew.
        OutboxMessage.objects.pending().filter(user=user, attempts=0, not_before__gt=at).update(not_before=at)
        record("notifications.quiet_hours", user, actor=user, at=at, before=before, after=after)
    return kept


@transaction.atomic
def hold_in_quiet_hours(*, at: datetime) -> int:
    """Put off what is due for people whose quiet hours last, until they end; how many messages were.

    Urgent kinds pass for those who let them. One query while nobody is quiet, and one a person to be put off.
    """
    due = OutboxMessage.objects.due(at).filter(user__quiet_hours__isnull=False)
    rows = due.select_related("user__quiet_hours").select_for_update(of=("self",), skip_locked=True)
    held: dict[datetime, list[OutboxMessage]] = {}
    for message in rows:
        assert message.user is not None
        hours = message.user.quiet_hours
        if hours.urgent_passes and message.kind in URGENT:
            continue
        until = quiet_until(at, zone_of(message.user), hours.begins, hours.ends)
        if until is not None:
            held.setdefault(until, []).append(message)
    for until, messages in held.items():
        OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(not_before=until)
    return sum(map(len, held.values()))
