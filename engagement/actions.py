"""Telling people: notices and mail written with the fact, preferences, reading and retrying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from accounts.audit import record
from accounts.models import StandIn, User
from accounts.queries.stand_ins import covering
from accounts.queries.workspace import workspace_day
from engagement.choices import LENT, Kind, default_channels
from engagement.models import Notification, NotificationPreference, OutboxMessage
from ui import formats

if TYPE_CHECKING:
    from accounts.models import Account

# Mail beyond this many at once, or within an hour, is gathered into one message (see ``bundle_excess``).
MAIL_BURST = 5
BURST_WINDOW = timedelta(hours=1)


@transaction.atomic
def notify(
    users: Iterable[User],
    *,
    kind: str,
    title: str,
    body: str = "",
    url: str = "",
    account: Account | None = None,
    at: datetime,
    dedupe_key: str,
    files: Iterable[list[str]] = (),
) -> int:
    """Tell ``users`` in the app and by mail, as each of them prefers; how many notices were new.

    ``files`` (name, type, path in the storage) go along with the mail.

    Rows are written in the caller's transaction and delivered later; the same ``dedupe_key`` tells a person
    once. Inactive people and, for an account, people who may not see it are left out. What an account's work asks of
    somebody who is away is told to whoever stands in for them, too. Four statements however many people, and up to
    two a person where an account is named; two more to see who is away, and up to six for each who stands in.
    """
    if kind not in Kind.values:
        raise ValueError(f"{kind!r} is not a kind of notification")
    people = {user.pk: user for user in users if user.is_active and _may_see(user, account)}
    told: dict[str, Any] = {
        "kind": kind,
        "title": title[:200],
        "body": body,
        "url": url[:300],
        "dedupe_key": dedupe_key[:200],
        "created_at": at,
    }
    new = _write(people, told, account, list(files))
    if account is None or kind not in LENT or not people:
        return new
    for period, words in _lent(people, body, at):
        colleague, key = period.colleague, f"{dedupe_key[:150]}:for:{period.absent_id}"
        if colleague.pk not in people and colleague.is_active and _may_see(colleague, account):
            new += _write({colleague.pk: colleague}, {**told, "body": words, "dedupe_key": key}, account, [])
    return new


def _write(people: Mapping[Any, User], told: dict[str, Any], account: Account | None, files: list[list[str]]) -> int:
    """Write the notices and the mail that ``people`` want of ``told``. How many notices were new."""
    channels = channels_of(people, told["kind"])
    notices = [Notification(user_id=pk, account=account, **told) for pk in people if channels[pk][0]]
    mails = [
        OutboxMessage(user_id=pk, to=user.email, not_before=told["created_at"], files=files, **told)
        for pk, user in people.items()
        if channels[pk][1]
    ]
    already = set(
        Notification.objects.filter(user__in=people, dedupe_key=told["dedupe_key"]).values_list("user_id", flat=True)
    )
    Notification.objects.bulk_create(notices, ignore_conflicts=True)
    OutboxMessage.objects.bulk_create(mails, ignore_conflicts=True)
    return sum(notice.user_id not in already for notice in notices)


def _lent(people: Iterable[Any], body: str, at: datetime) -> list[tuple[StandIn, str]]:
    """Who stands in for any of ``people`` at ``at``, each with ``body`` that says for whom. One query."""
    today = workspace_day(at)
    found = covering(people, today)
    return [(one, f"For {one.absent} until {formats.day(one.until_on, today=today)}. {body}".strip()) for one in found]


class Letter(NamedTuple):
    """A letter to somebody outside: once for each address and ``dedupe_key``."""

    to: str
    subject: str
    body: str
    sender: str
    reply_to: str
    headers: dict[str, str]
    dedupe_key: str


def post_letter(*, at: datetime, **letter: Any) -> None:
    """``post_letters`` of one; its fields as of ``Letter``. One query."""
    post_letters([Letter(**letter)], at=at)


def post_letters(letters: Iterable[Letter], *, at: datetime) -> None:
    """Put letters to people outside into the outbox, in the caller's transaction. One query for a thousand.

    Each goes out in its own words and with its own headers, and is not gathered with other mail.
    """
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                to=letter.to, kind=Kind.TICKET, title=" ".join(letter.subject.split())[:200], body=letter.body,
                is_letter=True, sender=letter.sender[:320], reply_to=letter.reply_to, headers=letter.headers,
                dedupe_key=letter.dedupe_key[:200], created_at=at, not_before=at,
            )
            for letter in letters
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )  # fmt: skip


def add_letter_files(dedupe_key: str, files: list[list[str]]) -> None:
    """Send ``files`` (name, type, path in the storage) along with a letter that waits, and its copies. One query."""
    keys = [dedupe_key[:200], f"{dedupe_key}:copy"[:200]]
    OutboxMessage.objects.pending().filter(is_letter=True, dedupe_key__in=keys).update(files=files)


def channels_of(users: Iterable[Any], kind: str) -> dict[Any, tuple[bool, bool]]:
    """(in the app, by mail) for each user key, from their preferences or the defaults. One query."""
    chosen = {
        preference.user_id: (preference.in_app, preference.by_mail)
        for preference in NotificationPreference.objects.filter(user__in=list(users), kind=kind)
    }
    return {pk: chosen.get(pk, default_channels(kind)) for pk in users}


def _may_see(user: User, account: Account | None) -> bool:
    """SECURITY: a notice names its account, so only people who may open it get one."""
    if account is None:
        return True
    return type(account).objects.visible_to(user).filter(pk=account.pk).exists()


@transaction.atomic
def mark_read(user: User, *, at: datetime, notice: Any | None = None) -> int:
    """Mark one notice of ``user`` read, or all when ``notice`` is None; how many changed."""
    unread = Notification.objects.of(user).unread()
    if notice is not None:
        unread = unread.filter(pk=notice)
    return unread.update(read_at=at)


@transaction.atomic
def mark_unread(user: User, *, notice: Any) -> int:
    """Take the reading of one notice of ``user`` back; how many changed."""
    return Notification.objects.of(user).filter(pk=notice).exclude(read_at=None).update(read_at=None)


@transaction.atomic
def set_preferences(user: User, wishes: dict[str, tuple[bool, bool]], *, at: datetime) -> None:
    """Keep ``user``'s wish (in the app, by mail) for each kind given."""
    unknown = set(wishes) - set(Kind.values)
    if unknown:
        raise ValueError(f"unknown kinds of notification: {', '.join(sorted(unknown))}")
    before = {kind: channels_of([user.pk], kind)[user.pk] for kind in wishes}
    changed = {kind: wish for kind, wish in wishes.items() if before[kind] != wish}
    if not changed:
        return
    NotificationPreference.objects.bulk_create(
        [
            NotificationPreference(user=user, kind=kind, in_app=in_app, by_mail=by_mail)
            for kind, (in_app, by_mail) in changed.items()
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["in_app", "by_mail"],
    )
    record(
        "notifications.preferences",
        user,
        actor=user,
        at=at,
        before={kind: list(before[kind]) for kind in changed},
        after={kind: list(wish) for kind, wish in changed.items()},
    )


@transaction.atomic
def bundle_excess(*, at: datetime) -> int:
    """Gather a person's surplus of waiting mail into one message; how many messages were taken into one.

    A person who has more than ``MAIL_BURST`` messages waiting, counting those sent within the last hour,
    gets the rest as one list. The originals stay, marked with the message that carries them. Mail with files is
    never gathered: a list cannot carry them.
    """
    gathered = 0
    waiting = OutboxMessage.objects.due(at).filter(attempts=0, files=[]).exclude(user=None)
    rows = waiting.select_for_update(skip_locked=True).order_by("created_at", "id")
    by_user: dict[Any, list[OutboxMessage]] = {}
    for row in rows:
        by_user.setdefault(row.user_id, []).append(row)
    for user_id, messages in by_user.items():
        if len(messages) < 2:
            continue
        recent = OutboxMessage.objects.filter(user=user_id, sent_at__gt=at - BURST_WINDOW).count()
        surplus = messages[max(MAIL_BURST - recent, 0) :]
        if len(surplus) > 1:
            _bundle(surplus, at=at)
            gathered += len(surplus)
    return gathered


def _bundle(messages: list[OutboxMessage], *, at: datetime) -> None:
    first = messages[0]
    digest = OutboxMessage.objects.create(
        user=first.user,
        to=first.to,
        kind=Kind.SYSTEM,
        title=f"{len(messages)} notices from Tenure",
        body="\n".join(f"• {message.title}" for message in messages),
        url="/notifications/",
        dedupe_key=f"bundle:{first.pk}",
        created_at=at,
        not_before=at,
    )
    OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(bundled_in=digest)


@transaction.atomic
def retry_message(message: OutboxMessage, *, actor: User, at: datetime) -> bool:
    """Give a dead or waiting message another round of attempts; False when it was sent meanwhile."""
    changed = OutboxMessage.objects.filter(pk=message.pk, sent_at=None, bundled_in=None).update(
        dead_at=None, attempts=0, not_before=at, lease_until=None
    )
    if changed:
        record(
            "outbox.retry", message, actor=actor, at=at, before={"attempts": message.attempts}, after={"attempts": 0}
        )
    return bool(changed)
