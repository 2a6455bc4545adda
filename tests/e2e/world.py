"""A committed workspace for the browser: ``acme`` on the fleet pack with scores, and ``globex`` with a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone
from django_tenants.utils import tenant_context

from accounts.actions import (
    create_account,
    create_contact,
    create_contract,
    define_field,
    log_touch,
    update_entry,
)
from accounts.actions.files import add_file, add_version
from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.models import Account, Activity, SavedView, User
from accounts.uploads import Checked
from engagement.actions import notify
from engagement.models import Notification
from health.actions import create_segment
from health.actions.backtests import run, start_backtest
from health.actions.dry_runs import run as run_dry
from health.actions.dry_runs import start_dry_run
from health.actions.recompute import recompute
from health.actions.renewal_sweep import record_signals
from health.actions.reviews import start_review
from health.models import RenewalReview, ScorecardVersion, TriggerRun
from knowledge import actions as knowledge
from packs.actions.install import install_pack
from packs.models import PackItem
from playbooks.actions import install_playbook, open_cta, snooze_cta
from tests.e2e import desk_world
from tests.health.definitions import CARDS, best
from usage.actions import record_observations
from webhooks.actions import create_endpoint
from webhooks.models import Attempt, Delivery, Event

PASSWORD = "correct horse battery staple"
NAMES = (
    "Aldgate Freight",
    "Beacon Logistics",
    "Cinder Lines",
    "Dovetail Couriers",
    "Ember Haulage",
    "Fjord Transport",
    "Garrick Distribution",
    "Halden Logistics",
    "Ibsen Freight",
    "Juniper Cold Chain",
    "Kestrel Energy",
    "Lumen Learning",
)
SECRET = "Globex Secret Account"


@dataclass
class World:
    """What the tests refer to."""

    accounts: dict[str, UUID]
    portal_account: UUID
    others: dict[str, UUID | str]


def build(tenants: dict[str, Any]) -> World:
    """Write the rows and commit them."""
    now = timezone.now()
    with tenant_context(tenants["globex"]):
        create_account(actor=None, at=now, name=SECRET)
        create_user_with_password(
            "vp@globex.test", name="Gina Globex", role=Role.VP_CS, password=PASSWORD, at=now, actor=None
        )
    with tenant_context(tenants["acme"]):
        return _acme(now)


def _own_fields(accounts: list[Account], now: datetime) -> None:
    """A field of each kind that looks its own way, on every third account; one value does not fit."""
    plan = "https://plans.example/halden/a-rather-long-path-to-it"
    held = {"hub": "Riga", "plan": plan, "audited": True, "audit_on": "2026-12-01"}
    for number, account in enumerate(accounts):
        if number % 3 == 1:
            bays = "about ten" if number == 1 else number
            Account.objects.filter(pk=account.pk).update(custom={**held, "bays": bays})
    kinds = {"hub": "choice", "bays": "number", "plan": "link", "audited": "yes_no", "audit_on": "date"}
    for key, kind in kinds.items():
        options = ["Riga", "Oulu"] if kind == "choice" else []
        define_field(label=key.capitalize().replace("_", " "), kind=kind, key=key, options=options, actor=None, at=now)


def _article(people: dict[str, User], now: datetime) -> None:
    shelf = knowledge.create_category(actor=people["vp"], at=now, title="Routes")
    body = (
        "## Before you start\n\n1. Open **Routes**.\n2. Press `New`.\n\n| Key | Does |\n|---|---|\n| N | New route |\n"
    )
    article = knowledge.write_article(
        actor=people["csm"],
        at=now,
        category=shelf,
        title="Plan a route",
        summary="From A to B.",
        body=body,
        audience="public",
    )
    knowledge.submit_article(article, actor=people["csm"], at=now)
    for kind in ("technical", "editorial"):
        knowledge.review_text(article, kind, approve=True, actor=people["vp"], at=now)
    knowledge.publish_article(article, actor=people["vp"], at=now)
    knowledge.note_gap("tachograph", place="base", actor=people["csm"], at=now)


def _acme(now: datetime) -> World:
    today = now.date()
    install_pack("fleet", actor=None, at=now)
    people = {
        key: create_user_with_password(
            f"{key}@acme.test", name=name, role=role, password=PASSWORD, at=now, actor=None, title=title
        )
        for key, name, role, title in (
            ("owner", "Olga Owner", Role.OWNER, "Founder"),
            ("vp", "Vera Paulsen", Role.VP_CS, "VP Customer Success"),
            ("csm", "Mara Lind", Role.CSM, "Senior CSM"),
            ("reader", "Rita Reader", Role.READ_ONLY, "Finance"),
        )
    }
    accounts = [_account(number, name, people, now) for number, name in enumerate(NAMES)]
    portal = accounts[7]
    create_user_with_password(
        "portal@halden.test",
        name="Sanne Bakker",
        role=Role.PORTAL_USER,
        password=PASSWORD,
        at=now,
        actor=None,
        portal_accounts=[portal],
    )
    for weeks in (10, 6, 5, 0):
        day = today - timedelta(weeks=weeks)
        at = now if not weeks else datetime.combine(day, time(6), tzinfo=UTC)
        record_observations(_values(accounts, day, weeks), source="crm", at=at)
        recompute(at=at)
    _article(people, now)
    _own_fields(accounts, now)
    return World({account.name: account.pk for account in accounts}, portal.pk, _work(accounts[3], people["vp"], now))


def _work(account: Account, leader: User, now: datetime) -> dict[str, UUID | str]:
    """A playbook, a CTA with its tasks, another put off, a notice, and an item of the methodology to edit."""
    steps = [{"name": "Look", "tasks": ["call the sponsor", "read the tickets"]}, {"name": "Act", "tasks": ["plan"]}]
    playbook = install_playbook(
        {"key": "recovery", "name": "Recovery", "objective": "get well", "entry": "red", "steps": steps},
        pack="fleet", version="1.0", at=now,
    )  # fmt: skip
    values = {"kind": "risk", "priority": "high", "evidence": {"facts": {"usage_change_pct": "-31"}}, "at": now}
    cta = open_cta(account, title="Usage fell", reason="31 % in five weeks", playbook_key="recovery", **values)
    later = open_cta(account, title="Ask for a reference", reason="", **values)
    assert cta is not None
    assert later is not None
    until_on = now.date() + timedelta(days=9)
    snooze_cta(later, until_on=until_on, reason="After the audit", actor=leader, at=now)
    notify(
        [leader], kind="health_band", title=f"{account.name} fell to Red", body="Logins", url="/ctas/",
        account=account, at=now, dedupe_key="e2e",
    )  # fmt: skip
    tier = PackItem.objects.get(section="tiers", key="enterprise")
    rule = {
        "join": "any",
        "groups": [
            {
                "join": "all",
                "conditions": [
                    {"field": "arr", "op": ">=", "value": "60000"},
                    {"field": "status", "op": "in", "value": ["active"]},
                ],
            },
            {"join": "all", "conditions": [{"field": "renewal_days", "op": "<", "value": "40"}]},
        ],
    }
    segment = create_segment(name="Large or soon", rule=rule, actor=leader, at=now)
    view = SavedView.objects.get(name="At risk")
    return {
        "segment": segment.pk,
        "file": _file(account, leader, now),
        "entry": _entry(account, leader, now),
        "shared view": view.pk,
        "held mail": desk_world.held_mail(now),
        "rating link": desk_world.rating_link(account, leader, now),
        "ticket": desk_world.tickets(account, leader, now),
        "escalation": desk_world.escalation(account, leader, now),
        **desk_world.incidents(account, leader, now),
        "cta": cta.pk,
        "snoozed cta": later.pk,
        "playbook": playbook.pk,
        "tier": tier.pk,
        "backtest": _backtest(leader, now),
        "dry run": _dry_run(leader, now),
        "review": _review(leader, now),
        **_renewals(leader, now),
        **_webhook(account, leader, now),
        "run": TriggerRun.objects.order_by("-fired").values_list("pk", flat=True)[0],
    }


def _webhook(account: Account, leader: User, now: datetime) -> dict[str, UUID | str]:
    """An endpoint for what never happens here, and a delivery that was given up. Nothing is sent: no worker runs."""
    endpoint, _secret = create_endpoint(
        url="https://hooks.example.com/tenure", description="Warehouse", event_types=["import.finished"],
        actor=leader, at=now,
    )  # fmt: skip
    body = json.dumps(
        {"type": "import.finished", "timestamp": now.isoformat(), "data": {"account_id": str(account.pk)}}
    )
    event = Event.objects.create(type="import.finished", occurred_at=now, created_at=now, body=body)
    delivery = Delivery.objects.create(
        event=event, endpoint=endpoint, created_at=now, not_before=now, attempts=10, failed_at=now, last_status=500,
        last_error="Answered 500.",
    )  # fmt: skip
    Attempt.objects.create(
        delivery=delivery, at=now, duration_ms=212, url=endpoint.url, request_headers={"webhook-id": str(event.pk)},
        status=500, error="Answered 500.", response_headers={"Content-Type": "text/plain"},
        response_body="Something went wrong on our side. " * 20,
    )  # fmt: skip
    return {"webhook": endpoint.pk, "delivery": delivery.pk}


def _review(leader: User, now: datetime) -> UUID:
    """This month's review. Nobody is told of it: other tests count what waits for whom."""
    review = start_review("month", actor=leader, at=now)
    Notification.objects.filter(dedupe_key=f"review:{review.pk}").delete()
    return review.pk


def _renewals(leader: User, now: datetime) -> dict[str, UUID | str]:
    """Renewals in every state: two signals that disagree, agree, and were decided on, and calls to be made.

    Set in place, so that no CTA and no notice comes of it.
    """
    record_signals(at=now)
    mine = RenewalReview.objects.filter(account__owner=leader).order_by("ends_on")
    first, second, third = mine
    said = {"call_reason": "They rolled it out to two more depots.", "called_at": now, "called_by": leader}
    for row, call, signal in ((first, "will_renew", "at_risk"), (second, "at_risk", "at_risk"),
                              (third, "will_renew", "at_risk")):  # fmt: skip
        days_left = (row.ends_on - timezone.localdate(now)).days
        RenewalReview.objects.filter(pk=row.pk).update(call=call, signal=signal, days_left=days_left, **said)
    settled = {"side": "system", "side_reason": "No sponsor is left.", "decided_at": now, "decided_by": leader}
    RenewalReview.objects.filter(pk=third.pk).update(**settled)
    waiting = RenewalReview.objects.filter(call="").order_by("ends_on").values_list("pk", flat=True)[0]
    return {"renewal": first.pk, "waiting renewal": waiting}


def _entry(account: Account, leader: User, now: datetime) -> UUID:
    """The account's call, corrected once."""
    call = Activity.objects.get(account=account, kind="call")
    return update_entry(call, actor=leader, when=now, body=f"{call.body} By May.").pk


def _file(account: Account, leader: User, now: datetime) -> UUID:
    """A file with two versions and a tag."""
    text = "text/plain; charset=utf-8"
    document = add_file(
        account, Checked("plan.txt", text, b"First."), actor=leader, at=now, title="Rollout plan",
        description="Sites and dates", tags="plan, rollout",
    )  # fmt: skip
    add_version(document, Checked("plan-2.txt", text, b"Second."), actor=leader, at=now)
    return document.pk


def _dry_run(leader: User, now: datetime) -> UUID:
    """A dry run of a month that has run."""
    asked = start_dry_run(days=30, actor=leader, at=now)
    run_dry(asked.pk)
    return asked.pk


def _backtest(leader: User, now: datetime) -> UUID:
    """A backtest that has run."""
    version = ScorecardVersion.objects.get(scorecard__key="fleet-health", state="active")
    backtest = start_backtest(version, challenger=None, months=3, step="week", actor=leader, at=now)
    run(backtest.pk)
    return backtest.pk


def _account(number: int, name: str, people: dict[str, User], now: datetime) -> Account:
    today = now.date()
    owner = people["csm" if number % 2 else "vp"]
    account = create_account(
        actor=None,
        at=now - timedelta(days=500),
        name=name,
        owner=owner,
        segment="National carrier" if number % 3 else "Regional carrier",
        industry="Logistics",
        country="DE",
        customer_since_on=today - timedelta(days=500),
    )
    create_contract(
        account,
        actor=None,
        at=now,
        number=f"K-{100 + number}",
        start_on=today - timedelta(days=500),
        end_on=today + timedelta(days=20 + 25 * number),
        currency="USD",
        lines=[{"product": "Fleet", "seats": 40 + number, "arr": Decimal(20_000 + 9_500 * number)}],
    )
    create_contact(
        account, actor=None, at=now, name=f"Pieter Vos {number}", stakeholder_role="champion", sentiment="warm"
    )
    create_contact(account, actor=None, at=now, name=f"Ilse Boer {number}", stakeholder_role="executive_sponsor")
    # Entered when it began, so that past days have something to show.
    for rows in (Account.objects.filter(pk=account.pk), account.contacts, account.contracts):
        rows.update(created_at=now - timedelta(days=500))
    log_touch(
        account,
        kind="call",
        title=f"Call about the {name} roll-out",
        body="They want a fix date.",
        actor=owner,
        at=now,
        happened_at=now - timedelta(days=2),
        visibility="shared" if number == 7 else "internal",
        next_step=f"Send {name} the fix date" if number in {1, 5} else "",
        next_step_on=today if number in {1, 5} else None,
    )
    if number == 7:
        log_touch(account, kind="note", title="INTERNAL-NOTE about the renewal", actor=owner, at=now)
    return account


def _values(accounts: list[Account], day: Any, weeks: int) -> list[dict[str, str]]:
    """Everything at its best, except that some accounts fall in the last weeks and one never reports."""
    values = best(CARDS["fleet-health"])
    rows = []
    for number, account in enumerate(accounts[:-1]):
        falling = number % 4 == 3 and weeks < 6
        for place, (metric, value) in enumerate(values.items()):
            poor = (falling and place % 2) or (number % 5 == 4 and place % 3 == 0)
            number = value.replace(".", "").isdigit()
            told = "20" if poor and number and Decimal(value) > 50 else value
            rows.append({"account": str(account.pk), "metric": metric, "on": day.isoformat(), "value": told})
    return rows
