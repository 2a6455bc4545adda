"""Accounts, cards and figures for tests of the engine, made through the actions that make them in real life."""

from datetime import UTC, date, datetime
from uuid import UUID

from accounts.models import Account, User
from health.actions import install_kpi, install_scorecard, install_trigger, recompute
from health.models import AccountHealth
from packs.metrics import input_metrics
from tests.health.definitions import CARDS, PACKS, TRIGGERS
from usage.actions import define_metric, record_observations

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FLEET_BEST = {
    "login_pct": "90",
    "users_3plus_features_pct": "90",
    "users_2plus_features_pct": "95",
    "data_accuracy_pct": "99",
    "data_error_rate_pct": "1",
    "mobile_pct": "80",
    "objectives": "on_track",
    "roi_multiple": "3",
    "reference": "active",
    "executive_engagement": "strong",
    "response_pct": "90",
    "renewals": "proactive",
    "tickets_month": "2",
    "resolution_hours": "5",
}
# Product usage gone: 60 of 100, Red.
FLEET_RED = {**FLEET_BEST, "login_pct": "10", "users_2plus_features_pct": "10", "users_3plus_features_pct": "5",
             "data_accuracy_pct": "50", "mobile_pct": "5"}  # fmt: skip


def account(name="Acme Rail", **fields):
    fields.setdefault("customer_since_on", date(2024, 1, 1))
    return Account.objects.create(name=name, **fields)


def person(email="ann@acme.test", role="csm", **fields):
    return User.objects.create_user(email, role=role, **fields)


def card(key="fleet-health", *, at=NOON):
    pack = next(name for name, data in PACKS.items() if CARDS[key] in data["scorecards"])
    _define({"scorecards": [CARDS[key]], "triggers": []}, at=at)
    return install_scorecard(CARDS[key], pack=pack, version="1.0", at=at)


def trigger(key, *, at=NOON, **changes):
    """A pack's trigger by ``pack:key``, or a definition of our own built on it."""
    definition = {**TRIGGERS[key], **changes}
    _define({"scorecards": [], "triggers": [definition]}, at=at)
    return install_trigger(definition, pack=key.split(":")[0], version="1.0", at=at).trigger


def _define(definition, *, at):
    for metric in input_metrics(definition):
        kind = "choice" if metric.options else "number"
        define_metric(metric.key, name=metric.name, kind=kind, options=metric.options, at=at)


def kpis(pack, *, at=NOON):
    for definition in PACKS[pack]["kpis"]:
        install_kpi(definition, pack=pack, version="1.0", at=at)


def measure(who, values, *, on=None, at=NOON, source="test"):
    """State metric values of an account (or of several) on a day."""
    targets = [who] if isinstance(who, Account) else who
    rows = [
        {"account": str(target.pk), "metric": metric, "on": on or at.date(), "value": value}
        for target in targets
        for metric, value in values.items()
    ]
    recorded = record_observations(rows, source=source, at=at)
    assert recorded.rejected == []
    return recorded


def score(who, *, at=NOON):
    recompute([who.pk], at=at)
    return AccountHealth.objects.get(account=who)


def ids(*accounts) -> list[UUID]:
    return [item.pk for item in accounts]
