"""Writes a demonstration workspace through the product's own actions, so that it obeys every rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django_tenants.utils import tenant_context

from accounts.actions import bulk
from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.models import Account, User
from demo import names
from demo.companies import CSMS, Company, companies, monday
from demo.history import replay
from demo.incidents import write_incidents
from demo.knowledge import write_articles
from demo.measures import BY_PACK, Measure, value
from demo.own_fields import custom_of, define
from demo.story import RELATIONSHIP, WEEKS
from demo.tickets import write_tickets
from demo.timeline import activities
from demo.usage import DAYS, activity
from demo.workspaces import PASSWORD, STAFF, Demo
from tenants.actions import create_tenant, discard_tenant, explain_status
from tenants.models import Tenant
from usage import intake
from usage.actions.draining import drain
from usage.actions.events import store_events
from usage.actions.features import define_key_features
from usage.actions.metrics import record_observations

SOURCE = "crm"
# How much each role's word weighs; the others' is low.
INFLUENCE = {
    "executive_sponsor": "high",
    "decision_maker": "high",
    "economic_buyer": "high",
    "champion": "medium",
    "administrator": "medium",
}
BATCH = 50_000
ROWS = 5_000
LOADING = "Loading the demonstration data"


def seed(demo: Demo, *, now: datetime) -> Tenant:
    """Create ``demo``'s workspace with its people, customers, 18 months of use and the scores they gave."""
    today = now.date()
    owner = STAFF[0][0]
    tenant = create_tenant(
        demo.slug,
        name=demo.name,
        pack=demo.pack,
        owner_email=names.email(owner, demo.domain),
        owner_password=PASSWORD,
        owner_name=owner,
        timezone=demo.timezone,
        at=now,
    )
    explain_status(tenant, LOADING)
    customers = companies(demo, today)
    with tenant_context(tenant):
        people = _staff(demo, now)
        _customers(demo, customers, people, now)
        _portal(demo, customers, now)
        write_articles(demo, people, now=now)
        _events(demo, customers, now)
        _reports(demo, customers, now)
        replay(demo, customers, now=now)
        write_tickets(demo, people, now=now)
        write_incidents(people, now=now)
        _enter_as_it_happened()
    return explain_status(tenant, "")


# The rows were written today; a workspace in use would have written each when it came about. Every ninth touch was
# logged a week late, as happens: the time machine tells both.
_ENTERED = (
    "UPDATE accounts_account SET created_at = customer_since_on WHERE customer_since_on IS NOT NULL",
    """UPDATE accounts_contact c SET created_at = a.created_at FROM accounts_account a WHERE a.id = c.account_id""",
    "UPDATE accounts_contract SET created_at = least(created_at, start_on - interval '14 days')",
    """UPDATE accounts_activity SET recorded_at = CASE
        WHEN hashtext(external_id) %% 9 = 0 AND at < now() - interval '8 days' THEN at + interval '7 days' END
        WHERE source = %s""",
)


def _enter_as_it_happened() -> None:
    with connection.cursor() as cursor:
        for statement in _ENTERED:
            cursor.execute(statement, [SOURCE] if "%s" in statement else None)


def is_seeded(slug: str) -> bool:
    """Whether ``slug``'s workspace was seeded to the end. One that a killed run left half-made is taken away."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None and tenant.status_reason == LOADING:
        discard_tenant(tenant)
        return False
    return tenant is not None


def _staff(demo: Demo, now: datetime) -> dict[str, User]:
    owner = User.objects.get(role=Role.OWNER)
    people = {STAFF[0][0]: owner}
    for name, role, title in STAFF[1:]:
        people[name] = create_user_with_password(
            names.email(name, demo.domain), name=name, role=role, password=PASSWORD, at=now, actor=owner, title=title
        )
    return people


def csm_names() -> list[str]:
    """The CSMs in the order in which customers are dealt to them."""
    return [name for name, role, _ in STAFF if role == Role.CSM][:CSMS]


def _checked(results: list[Any]) -> None:
    rejected = [result for result in results if result.outcome == "rejected"]
    if rejected:
        raise ValueError(f"the demonstration data was refused: {rejected[0]}")


def _customers(demo: Demo, customers: list[Company], people: dict[str, User], now: datetime) -> None:
    owners = [people[name].email for name in csm_names()]
    stage = {"fleet": ("onboarding", "ongoing"), "fmea": ("onboarding", "ongoing-success")}
    new, steady = stage.get(demo.pack, ("onboarding", "adoption"))
    rows = [
        {
            "external_id": company.external_id,
            "name": company.name,
            "tier": company.tier.key,
            "segment": company.segment,
            "stage": new if company.trajectory.story == "new" else steady,
            "owner": owners[company.csm],
            "industry": company.industry,
            "country": company.country,
            "website": company.domain,
            "customer_since_on": company.since_on.isoformat(),
            "assigned_users": company.seats,
            "custom": custom_of(demo, company),
        }
        for company in customers
    ]
    define(demo, now)
    _checked(bulk.upsert_accounts(rows, source=SOURCE, actor=None, at=now))
    _contacts(customers, now)
    _contracts(demo, customers, now)
    _timelines(demo, customers, now)


def _contacts(customers: list[Company], now: datetime) -> None:
    contacts = [
        {
            "external_id": f"{company.external_id}-{position}",
            "account": company.external_id,
            "name": person.name,
            "email": person.email,
            "title": person.title,
            "stakeholder_role": person.role,
            "sentiment": person.sentiment,
            "influence": INFLUENCE.get(person.role, "low"),
            "left_on": person.left_on.isoformat() if person.left_on else None,
        }
        for company in customers
        for position, person in enumerate(company.people)
    ]
    _checked(bulk.upsert_contacts(contacts, source=SOURCE, actor=None, at=now))


def _contracts(demo: Demo, customers: list[Company], now: datetime) -> None:
    contracts = [
        {
            "external_id": term.number,
            "account": company.external_id,
            "number": term.number,
            "status": "churned" if term.churned else "ended" if term.end_on < now.date() else "active",
            "start_on": term.start_on.isoformat(),
            "end_on": term.end_on.isoformat(),
            "notice_days": 60,
            "auto_renew": term.auto_renew,
            "billing": "annual",
            "lines": [{"product": demo.product, "seats": term.seats, "arr": str(term.arr)}],
        }
        for company in customers
        for term in company.terms
    ]
    _checked(bulk.upsert_contracts(contracts, source=SOURCE, actor=None, at=now))


def _timelines(demo: Demo, customers: list[Company], now: datetime) -> None:
    entries = [
        entry
        for company in customers
        for entry in activities(demo, company, now.date())
        if datetime.fromisoformat(entry["at"]) <= now
    ]
    for start in range(0, len(entries), ROWS):
        _checked(bulk.record_activities(entries[start : start + ROWS], source=SOURCE, actor=None, at=now))


def _portal(demo: Demo, customers: list[Company], now: datetime) -> None:
    company = customers[-1]
    create_user_with_password(
        f"portal@{demo.domain}",
        name=company.people[0].name,
        role=Role.PORTAL_ADMIN,
        password=PASSWORD,
        at=now,
        actor=None,
        portal_accounts=Account.objects.filter(name=company.name),
    )


def _events(demo: Demo, customers: list[Company], now: datetime) -> None:
    """Every generated visit as events, through the inbox and the drain like anybody's."""
    features = [{"name": key.replace("_", " ").capitalize(), "events": [key]} for key in demo.features]
    define_key_features(features, actor=None, at=now)
    waiting: list[intake.Event] = []
    for company in customers:
        waiting += _events_of(demo, company, now)
        if len(waiting) >= BATCH:
            _store(waiting, now)
            waiting = []
    _store(waiting, now)
    drain(at=now, share=400_000)


def _store(events: list[intake.Event], now: datetime) -> None:
    places = range(len(events))
    batch = intake.Batch(source=SOURCE, received=len(events), items=events, places=places, rejected=[])
    with transaction.atomic():
        store_events(batch, at=now, history=True)


def _events_of(demo: Demo, company: Company, now: datetime) -> Iterator[intake.Event]:
    """One event for each feature a user used on a day; the visit itself where it used none."""
    days = activity(company, demo.features, now.date(), demo.seed)
    midnight = datetime.combine(monday(now.date()), time(9), tzinfo=UTC)
    begins = [midnight + timedelta(days=day) for day in range(DAYS)]
    names_of = [*demo.features, "login"]
    visits = days.active & ~days.used.any(axis=0)
    matrix = np.concatenate([days.used, visits[None]])
    users = [f"user-{number + 1:02d}@{company.domain}" for number in range(company.seats)]
    for feature, user, day in np.argwhere(matrix):
        minutes = (user * 7 + feature * 3) % 480
        at = begins[day] + timedelta(minutes=int(minutes))
        if at > now:
            continue
        yield intake.Event(
            id=f"{company.index}-{user}-{day}-{feature}",
            account=company.external_id,
            event=names_of[feature],
            at=at,
            user=users[user],
            quantity=int(days.sessions[user, day]),
        )


def _reports(demo: Demo, customers: list[Company], now: datetime) -> None:
    """What integrations and CSMs reported, in the rhythm of each measure, each on the day it speaks of.

    Recorded day by day as it would have been, so that a backtest finds what was known when.
    """
    by_day: dict[str, list[dict[str, Any]]] = {}
    for company in customers:
        for row in _reports_of(BY_PACK[demo.pack], company, demo.seed, now.date()):
            by_day.setdefault(row["on"], []).append(row)
    for day in sorted(by_day):
        at = min(now, datetime.combine(date.fromisoformat(day), time(12), tzinfo=UTC))
        recorded = record_observations(by_day[day], source=SOURCE, at=at)
        if recorded.rejected:
            raise ValueError(f"the demonstration data was refused: {recorded.rejected[0]}")


def _reports_of(
    measures: dict[str, Measure], company: Company, seed_number: int, today: date
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng((seed_number, 7, company.index))
    plot = company.trajectory
    last = plot.silent_from if plot.silent_from is not None else plot.churn_week or WEEKS
    never = {"reference", "renewals"} if rng.random() < 0.3 else set()
    for number, (key, measure) in enumerate(measures.items()):
        if key in never or (plot.story == "new" and measure.dimension == RELATIONSHIP):
            continue
        # A kickoff takes stock of everything; afterwards each measure has its own rhythm.
        wait = 0 if plot.story == "new" else (number + company.index) % measure.every
        for week in range(plot.first_week + wait, last, measure.every):
            on = monday(today) + timedelta(weeks=week, days=1)
            if on <= today:
                latent = float(plot.latent[measure.dimension, week])
                yield {
                    "account": company.external_id,
                    "metric": key,
                    "on": on.isoformat(),
                    "value": value(measure, latent, rng),
                }
