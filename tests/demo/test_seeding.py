"""A whole demonstration workspace, smaller than the real ones, through the product's own actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django_tenants.utils import tenant_context

from accounts.models import Account, AuditEntry, Contact, Contract, User
from demo.load import LOADING, is_seeded, seed
from demo.workspaces import DEMOS
from health.models import AccountHealth
from playbooks.models import Cta
from support.models import Escalation, Incident, IncidentAction, Macro, Ticket
from tenants.actions import discard_tenant, explain_status
from tenants.models import Tenant

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SMALL = replace(DEMOS[0], slug="smalldemo", accounts=40)


@pytest.fixture
def tenant(transactional_db):
    tenant = seed(SMALL, now=NOW)
    yield tenant
    if Tenant.objects.filter(pk=tenant.pk).exists():
        discard_tenant(tenant)


def test_a_seeded_workspace_holds_a_scored_portfolio_and_a_half_made_one_is_made_again(tenant):
    with tenant_context(tenant):
        assert Account.objects.count() == 40
        assert Contact.objects.count() > 80
        assert Contract.objects.count() > 40
        assert User.objects.filter(role="csm").count() == 8
        assert AccountHealth.objects.exclude(score=None).count() >= 30
        assert Cta.objects.filter(status="open").exists()
        assert Cta.objects.filter(status="closed").exists()
        assert AuditEntry.objects.exists()
        assert Ticket.objects.done().exclude(csat_score=None).count() > 15
        assert Ticket.objects.overdue(NOW).exists()
        assert Ticket.objects.filter(status="new").exists()
        assert Escalation.objects.open().count() == 3
        assert Macro.objects.count() == 3
        reviewed = dict(Incident.objects.values_list("status", "review__published_at"))
        assert {status: at is not None for status, at in reviewed.items()} == {"resolved": True, "open": False}
        assert IncidentAction.objects.filter(cta__status="open").count() == 2
    assert is_seeded("smalldemo")

    explain_status(tenant, LOADING)

    assert not is_seeded("smalldemo")
    assert not Tenant.objects.filter(slug="smalldemo").exists()
