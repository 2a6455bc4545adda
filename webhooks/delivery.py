"""Deliveries leave here: claim with a lease, commit, send, note the attempt.

A worker that dies between sending and noting leaves a delivery that is sent again after its lease, with the same
``webhook-id``. Each endpoint is sent to in order, and all of them at once: one that does not answer keeps nobody
waiting, and after five failures in a row it is asked with one delivery at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from time import monotonic
from typing import Any, NamedTuple, TypeAlias

from django.db import transaction
from django.db.models import F

from accounts.choices import ADMIN_ROLES
from accounts.models import User
from engagement.actions import notify
from engagement.choices import Kind
from webhooks.actions import switch_off
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.schedule import BREAKER, MAX_ATTEMPTS, next_try, rest_after, retry_after
from webhooks.sending import Answer, post
from webhooks.signing import headers as signed

log = logging.getLogger(__name__)
# Longer than a batch takes: BATCH_SECONDS, and the answer that is then waited for.
LEASE = timedelta(minutes=2)
PER_ENDPOINT = 100
# A batch that takes longer is gone on with by the next round: a slow receiver must not keep a worker.
BATCH_SECONDS = 30.0
# An endpoint that has done nothing but fail for so long is told of, and switched off.
WARN_AFTER = timedelta(hours=24)
OFF_AFTER = timedelta(days=5)
GONE = 410
SLOW_DOWN = frozenset({429, 503})
AGENT = "Tenure-Webhooks/1.0"


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed delivery, ready to be sent without the database."""

    delivery: Delivery
    url: str
    body: bytes
    secrets: tuple[str, ...]

    def headers(self, at: datetime) -> dict[str, str]:
        """What goes with it when it is sent at ``at``."""
        key = str(self.delivery.event_id)
        sent = {"content-type": "application/json", "user-agent": AGENT, "accept-encoding": "identity"}
        return sent | signed(self.secrets, key, int(at.timestamp()), self.body)


def deliver_due(*, now: datetime) -> dict[str, int]:
    """Claim and send what is due at ``now``: ``{"delivered", "failed", "given_up"}``. Outside a transaction."""
    counts = {"delivered": 0, "failed": 0, "given_up": 0}
    for letter, sent in _sent(claim(at=now), now):
        if sent is None:
            _release(letter.delivery)
        else:
            counts[note(letter, sent, at=now)] += 1
    return counts


@transaction.atomic
def claim(*, at: datetime) -> list[list[Letter]]:
    """Due deliveries by endpoint, oldest first, leased to the caller with their attempt counted.

    One worker at a time sends to an endpoint, in order: one that others are claiming for, or that a delivery is on its
    way to, is left out. A delivery whose attempts are used up without an answer, because its workers died, is given up
    here. One query, and three for each endpoint that has some.
    """
    due = Delivery.objects.due(at)
    wanted = due.order_by().values("endpoint").distinct()
    busy = Delivery.objects.pending().filter(lease_until__gt=at).values("endpoint")
    endpoints = Endpoint.objects.select_for_update(of=("self",), skip_locked=True)
    found = [_claim_for(endpoint, due, at) for endpoint in endpoints.filter(pk__in=wanted).exclude(pk__in=busy)]
    return [batch for batch in found if batch]


def _claim_for(endpoint: Endpoint, due: Any, at: datetime) -> list[Letter]:
    most = 1 if endpoint.failures >= BREAKER else PER_ENDPOINT
    rows = due.filter(endpoint=endpoint).select_for_update(of=("self",), skip_locked=True)
    taken = list(rows.select_related("event").order_by("not_before", "id")[:most])
    lost = [row.pk for row in taken if row.attempts >= MAX_ATTEMPTS]
    Delivery.objects.filter(pk__in=lost).update(
        failed_at=at, lease_until=None, last_error="The worker stopped at every attempt."
    )
    taken = [row for row in taken if row.attempts < MAX_ATTEMPTS]
    for row in taken:
        row.attempts += 1
        row.lease_until = at + LEASE
    Delivery.objects.bulk_update(taken, ["attempts", "lease_until"])
    secrets = tuple(endpoint.secrets(at))
    return [Letter(row, endpoint.url, row.event.body.encode(), secrets) for row in taken]


class Sent(NamedTuple):
    """What was sent with a letter, and what the receiver did."""

    headers: Mapping[str, str]
    answer: Answer


_Done: TypeAlias = "SimpleQueue[tuple[Letter, Sent | None]]"


def _sent(batches: list[list[Letter]], at: datetime) -> Iterator[tuple[Letter, Sent | None]]:
    """Every letter with what came of it, as answers come in; None for those that were not sent after all.

    The threads only speak HTTP: rows are written by the caller, over its own connection.
    """
    if not batches:
        return
    done: _Done = SimpleQueue()
    with ThreadPoolExecutor(max_workers=len(batches)) as pool:  # no more than actions.MOST_ENDPOINTS
        for batch in batches:
            pool.submit(_send_in_order, batch, at, done)
        for _letter in range(sum(map(len, batches))):
            yield done.get()


def _send_in_order(batch: list[Letter], at: datetime, done: _Done) -> None:
    """Send until one does not get through or the time is up. Signed at the moment of sending: receivers refuse old."""
    began, stopped = monotonic(), False
    for letter in batch:
        passed = monotonic() - began
        stopped = stopped or passed > BATCH_SECONDS
        if stopped:
            done.put((letter, None))
            continue
        headers = letter.headers(at + timedelta(seconds=passed))
        answer = _posted(letter, headers)
        stopped = answer.unreachable or answer.status in SLOW_DOWN | {GONE}
        done.put((letter, Sent(headers, answer)))


def _posted(letter: Letter, headers: Mapping[str, str]) -> Answer:
    """The answer; a fault of ours is one too, so that a thread never ends without a word."""
    try:
        return post(letter.url, letter.body, headers)
    except Exception as error:
        log.exception("a webhook could not be sent")
        return Answer(None, 0, "It could not be sent, for a fault of ours.", f"{type(error).__name__}: {error}"[:300])


def _release(delivery: Delivery) -> None:
    """Give back what was not sent after all; its attempt does not count."""
    Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts).update(
        attempts=F("attempts") - 1, lease_until=None
    )


@transaction.atomic
def note(letter: Letter, sent: Sent, *, at: datetime) -> str:
    """Keep the attempt and what follows from it: ``delivered``, ``failed`` (tried again) or ``given_up``.

    Of one whose endpoint was deleted while it was on its way, nothing is kept.
    """
    delivery, answer = letter.delivery, sent.answer
    # RACE: the endpoint first, as whoever deletes it or claims for it.
    endpoint = Endpoint.objects.select_for_update(of=("self",)).filter(pk=delivery.endpoint_id).first()
    now = Delivery.objects.filter(pk=delivery.pk).first()
    if endpoint is None or now is None:
        return "given_up"
    Attempt.objects.create(
        delivery=delivery, at=at, duration_ms=answer.duration_ms, url=letter.url,
        request_headers=dict(sent.headers), status=answer.status, error=answer.error,
        error_detail=answer.detail, response_headers=dict(answer.headers), response_body=answer.body,
    )  # fmt: skip
    if answer.succeeded:
        # Delivered, whoever delivered it last: a worker whose lease ran out has done it as well.
        _update(delivery, answer, delivered_at=at, failed_at=None)
        _recovered(delivery, at)
        return "delivered"
    wish = retry_after(answer.retry_after, at=at) if answer.status in SLOW_DOWN else None
    again = None if delivery.is_test else next_try(str(delivery.pk), delivery.attempts, at=at, wish=wish)
    is_ours = now.delivered_at is None and now.failed_at is None and now.attempts == delivery.attempts
    if is_ours:  # and not sent by another worker meanwhile, or begun anew by a replay
        _update(delivery, answer, failed_at=None if again else at, not_before=again or at)
    if not delivery.is_test:
        _failed(endpoint, answer, wish, at=at)
    return "failed" if again else "given_up"


def _update(delivery: Delivery, answer: Answer, **values: Any) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        lease_until=None, last_status=answer.status, last_error=answer.error, **values
    )


def _recovered(delivery: Delivery, at: datetime) -> None:
    """The endpoint answers: whatever was held against it is forgotten."""
    Endpoint.objects.filter(pk=delivery.endpoint_id).update(
        failures=0, failing_since=None, warned_at=None, rests_until=None, last_success_at=at
    )


def _failed(endpoint: Endpoint, answer: Answer, wish: timedelta | None, *, at: datetime) -> None:
    """Count the failure of a locked endpoint; rest, warn or switch off as the rules say."""
    since = endpoint.failing_since or at
    rest = max(filter(None, (rest_after(endpoint.failures + 1), wish)), default=None)
    Endpoint.objects.filter(pk=endpoint.pk).update(
        failures=F("failures") + 1, failing_since=since, rests_until=at + rest if rest else endpoint.rests_until
    )
    if answer.status == GONE:
        _switch_off(endpoint, "It answered 410 Gone: it wants no more events.", at)
    elif at - since >= OFF_AFTER:
        _switch_off(endpoint, f"Every attempt failed for {OFF_AFTER.days} days.", at)
    elif at - since >= WARN_AFTER and endpoint.warned_at is None:
        Endpoint.objects.filter(pk=endpoint.pk).update(warned_at=at)
        _tell(endpoint, "fails", f"Every attempt since {since:%Y-%m-%d %H:%M} UTC failed. {answer.error}", at)


def _switch_off(endpoint: Endpoint, reason: str, at: datetime) -> None:
    if switch_off(endpoint, reason, at=at):
        _tell(
            endpoint, "was switched off", f"{reason} What waits is kept for 30 days, and sent when it is resumed.", at
        )


def _tell(endpoint: Endpoint, what: str, body: str, at: datetime) -> None:
    notify(
        User.objects.active().filter(role__in=ADMIN_ROLES),
        kind=Kind.SYSTEM,
        title=f"Webhook {what}: {endpoint}",
        body=body,
        url=f"/settings/webhooks/{endpoint.pk}/",
        at=at,
        dedupe_key=f"webhook:{endpoint.pk}:{what}:{at:%Y%m%d%H%M%S}",
    )
