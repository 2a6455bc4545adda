"""Verbs on endpoints and deliveries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from accounts.actions.locking import differences, locked
from accounts.audit import record
from accounts.errors import RuleViolated
from tenants.bell import ring_on_commit
from webhooks.addresses import check_url
from webhooks.catalogue import BY_NAME, EVENT_TYPES
from webhooks.choices import EndpointState
from webhooks.events import last_entry, log_end, written
from webhooks.models import Delivery, Endpoint, Event
from webhooks.signing import new_secret

if TYPE_CHECKING:
    from accounts.models import User

MOST_ENDPOINTS = 20
# The old secret signs as well for so long after a new one was made.
OVERLAP = timedelta(hours=24)
DELIVER, FORGET = "webhooks.deliver", "webhooks.forget_deleted"


@transaction.atomic
def create_endpoint(
    *, url: str, event_types: Iterable[str], description: str = "", actor: User, at: datetime
) -> tuple[Endpoint, str]:
    """A new active endpoint, told of what happens from now on. Returns it and its secret, this once.

    Raises RuleViolated naming the field.
    """
    with connection.cursor() as cursor:
        # RACE: two at once could pass the count together.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('webhooks'), hashtext(current_schema()))")
    if Endpoint.objects.count() >= MOST_ENDPOINTS:
        raise RuleViolated("webhook.too_many", f"A workspace has {MOST_ENDPOINTS} endpoints at most.", "url")
    secret = new_secret()
    endpoint = Endpoint(
        url=check_url(url), description=_described(description), event_types=_types(event_types),
        state_since_at=at, position=log_end(), created_by=actor, created_at=at, updated_at=at,
    )  # fmt: skip
    endpoint.seal(secret)
    endpoint.save(force_insert=True)
    record("webhook.created", endpoint, actor=actor, at=at, after=_plain(endpoint))
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    endpoint: Endpoint, *, actor: User, at: datetime, expected_version: int | None = None, **values: Any
) -> Endpoint:
    """Change url, description or event_types. Raises RuleViolated, StaleVersion.

    What waits goes to the new address. Types that are added are told of from now on; where the endpoint is off and
    catches up later, from where it stopped.
    """
    endpoint = locked(endpoint, expected_version=expected_version)
    readers = {"url": check_url, "description": _described, "event_types": _types}
    values = {name: readers[name](value) for name, value in values.items()}
    before, after = differences(endpoint, values)
    if after:
        _store(endpoint, at, **after)
        record("webhook.changed", endpoint, actor=actor, at=at, before=before, after=after)
    return endpoint


@transaction.atomic
def delete_endpoint(endpoint: Endpoint, *, actor: User, at: datetime, expected_version: int | None = None) -> None:
    """Delete it; nothing is sent to it any more, and its deliveries go in the background."""
    endpoint = locked(endpoint, expected_version=expected_version)
    record("webhook.deleted", endpoint, actor=actor, at=at, before=_plain(endpoint))
    endpoint.delete()
    ring_on_commit(FORGET)


@transaction.atomic
def pause_endpoint(endpoint: Endpoint, *, actor: User, at: datetime, expected_version: int | None = None) -> Endpoint:
    """Send it nothing until it is resumed. What waits keeps waiting, for as long as events are kept."""
    endpoint = locked(endpoint, expected_version=expected_version)
    if endpoint.state == EndpointState.ACTIVE:
        _move(endpoint, EndpointState.PAUSED, "", actor=actor, at=at)
    return endpoint


@transaction.atomic
def resume_endpoint(
    endpoint: Endpoint, *, catch_up: bool, actor: User, at: datetime, expected_version: int | None = None
) -> Endpoint:
    """Send to it again what waits and what happens. With ``catch_up`` also what happened meanwhile, in order."""
    endpoint = locked(endpoint, expected_version=expected_version)
    if endpoint.state != EndpointState.ACTIVE:
        if not catch_up:
            endpoint.position = log_end()
        endpoint.failures, endpoint.failing_since = 0, None
        endpoint.warned_at = endpoint.rests_until = None
        _move(endpoint, EndpointState.ACTIVE, "", actor=actor, at=at)
        ring_on_commit(DELIVER)
    return endpoint


@transaction.atomic
def rotate_secret(
    endpoint: Endpoint, *, actor: User, at: datetime, expected_version: int | None = None
) -> tuple[Endpoint, str]:
    """Sign with a new secret from now on, and with the old one too for 24 hours. Returns the new one, this once.

    A second rotation within that time ends the older secret at once: two sign, never three.
    """
    endpoint = locked(endpoint, expected_version=expected_version)
    secret = new_secret()
    previous = {"previous_sealed": endpoint.sealed, "previous_until": at + OVERLAP}
    endpoint.seal(secret)
    _store(endpoint, at, sealed=endpoint.sealed, **previous)
    record("webhook.secret_rotated", endpoint, actor=actor, at=at, after={"previous_until": at + OVERLAP})
    return endpoint, secret


@transaction.atomic
def send_test(endpoint: Endpoint, event_type: str, *, actor: User, at: datetime) -> Delivery:
    """Send the last real event of ``event_type`` again, by the way every event goes.

    It has a webhook-id of its own, so that a receiver which saw the event does not take it for a repetition. It is
    sent to an endpoint that is paused or switched off as well, and not tried again. Raises RuleViolated where
    nothing of the kind has happened.
    """
    if event_type not in BY_NAME:
        raise RuleViolated("webhook.event_type", f"There is no type of event {event_type[:60]!r}.", "event_type")
    known = BY_NAME[event_type]
    entry = last_entry(known)
    if entry is None:
        raise RuleViolated(
            "webhook.no_event", f"{known.name} has not happened yet, and a test sends what did. Choose another.",
            "event_type",
        )  # fmt: skip
    ((_type, body),) = written([(known, entry)])
    event = Event.objects.create(
        type=known.name, account_id=entry.account_id, occurred_at=entry.at, created_at=at, body=body
    )
    delivery = Delivery.objects.create(event=event, endpoint=endpoint, is_test=True, created_at=at, not_before=at)
    record("webhook.tested", endpoint, actor=actor, at=at, after={"event_type": known.name, "entry": entry.pk})
    ring_on_commit(DELIVER)
    return delivery


@transaction.atomic
def replay(delivery: Delivery, *, actor: User, at: datetime) -> bool:
    """Send a delivered or given-up delivery once more, with its webhook-id and a new round of attempts.

    One that waits for its next attempt is sent now. False where a worker has it at this moment.
    """
    row = Delivery.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=delivery.pk)
    found = row.select_related("endpoint", "event").first()
    if found is None or (found.lease_until is not None and found.lease_until > at):
        return False
    _again(Delivery.objects.filter(pk=found.pk), at)
    record("webhook.replayed", found.endpoint, actor=actor, at=at, after={"delivery": found.pk})
    ring_on_commit(DELIVER)
    return True


@transaction.atomic
def replay_failed(endpoint: Endpoint, *, since: datetime, actor: User, at: datetime) -> int:
    """Send again what was given up for ``endpoint`` since a moment; how many."""
    failed = Delivery.objects.filter(endpoint=endpoint, failed_at__gte=since, is_test=False)
    count = _again(failed, at)
    if count:
        record("webhook.replayed", endpoint, actor=actor, at=at, after={"since": since, "deliveries": count})
        ring_on_commit(DELIVER)
    return count


def switch_off(endpoint: Endpoint, reason: str, *, at: datetime) -> bool:
    """Stop sending to an endpoint that cannot be reached; False where it is not active any more."""
    endpoint = locked(endpoint, expected_version=None)
    if endpoint.state != EndpointState.ACTIVE:
        return False
    _move(endpoint, EndpointState.DISABLED, reason, actor=None, at=at)
    return True


def _again(rows: Any, at: datetime) -> int:
    return rows.update(delivered_at=None, failed_at=None, attempts=0, not_before=at, lease_until=None)


def _move(endpoint: Endpoint, state: str, reason: str, *, actor: User | None, at: datetime) -> None:
    before = {"state": endpoint.state}
    endpoint.state, endpoint.state_reason, endpoint.state_since_at = state, reason, at
    endpoint.version += 1
    endpoint.updated_at = at
    endpoint.save()
    after = {"state": state} | ({"reason": reason} if reason else {})
    record("webhook.state", endpoint, actor=actor, at=at, before=before, after=after)


def _store(endpoint: Endpoint, at: datetime, **values: Any) -> None:
    for name, value in values.items():
        setattr(endpoint, name, value)
    endpoint.version += 1
    endpoint.updated_at = at
    endpoint.save()


def _plain(endpoint: Endpoint) -> dict[str, Any]:
    return {"url": endpoint.url, "description": endpoint.description, "event_types": endpoint.event_types}


def _described(text: str) -> str:
    text = " ".join(text.replace("\x00", "").split())
    if len(text) > 120:
        raise RuleViolated("webhook.description", "At most 120 characters.", "description")
    return text


def _types(names: Iterable[str]) -> list[str]:
    """The types in the catalogue's order. Raises RuleViolated for an unknown one and for none."""
    chosen = set(names)
    unknown = sorted(chosen - set(BY_NAME))
    if unknown:
        raise RuleViolated("webhook.event_type", f"There is no type of event {unknown[0][:60]!r}.", "event_types")
    if not chosen:
        raise RuleViolated("webhook.event_types", "Choose at least one type of event.", "event_types")
    return [known.name for known in EVENT_TYPES if known.name in chosen]
