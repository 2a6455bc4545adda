"""Many new rows at once: the same rows as one by one, the same rules of the table, the same tenant."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django_tenants.utils import tenant_context

from accounts.models import Account, Contract, ContractLine
from tenants.copying import copy_in
from tenants.guard import WrongTenant

pytestmark = pytest.mark.django_db
ODD = "tab\there, back\\slash, line\nbreak, \\N and ünïcode"


def contracts(account, count=3):
    return [
        Contract(
            account=account, start_on=date(2026, 1, 1 + n), arr=Decimal(n), external_id=f"C-{n}", source="crm",
            number=ODD, custom={"text": ODD, "nested": [1, None, {"a": True}]},
        )
        for n in range(count)
    ]  # fmt: skip


@pytest.fixture
def account(db):
    return Account.objects.create(name="Umbrella")


def test_rows_read_as_they_were_written(account):
    rows = contracts(account)

    copy_in(rows)
    copy_in([ContractLine(contract=row, product="Seat", seats=None, arr=Decimal("1.50")) for row in rows])

    kept = Contract.objects.order_by("start_on")
    fields = [field.attname for field in Contract._meta.concrete_fields]
    assert list(kept.values(*fields)) == [{name: getattr(row, name) for name in fields} for row in rows]
    assert [row.number for row in kept] == [ODD] * 3
    assert rows[0].created_at is not None
    assert set(ContractLine.objects.values_list("seats", "arr")) == {(None, Decimal("1.50"))}
    rows[0].arr = Decimal(9)
    rows[0].save(update_fields=["arr"])
    assert Contract.objects.get(pk=rows[0].pk).arr == 9


@pytest.mark.parametrize("broken", [{"external_id": "C-0"}, {"arr": Decimal(-1)}])
def test_one_row_that_breaks_a_rule_of_the_table_fails_all(account, broken):
    rows = contracts(account)
    for name, value in broken.items():
        setattr(rows[2], name, value)

    with pytest.raises(IntegrityError), transaction.atomic():
        copy_in(rows)

    assert not Contract.objects.exists()


def test_a_row_of_another_tenant_is_refused(account, tenants):
    rows = contracts(account)
    rows[1]._schema = "t_other"
    with pytest.raises(WrongTenant):
        copy_in(rows)

    with tenant_context(tenants["globex"]):
        theirs = Account.objects.create(name="Theirs")
        copy_in(contracts(theirs))
        assert Contract.objects.count() == 3
    assert not Contract.objects.exists()


def test_nothing_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        copy_in([])
