from datetime import UTC, datetime
from decimal import Decimal
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.audit import MANY, START, Change, acting_via, head, record, record_many, verify_chain
from accounts.models import AuditEntry
from tests.factories import AccountFactory, UserFactory

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def tamper(sql):
    """Change the log behind the trigger's back, as somebody with the server's password could."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute(sql)
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER USER")


def test_an_entry_says_who_changed_what_through_which_door():
    user, account = UserFactory(email="olga@acme.example"), AccountFactory(name="Northwind")
    with acting_via("import"):
        entry = record(
            "account.updated", account, actor=user, at=AT, before={"arr": Decimal("1.50")}, after={"arr": Decimal(2)}
        )
    entry.refresh_from_db()
    assert (entry.at, entry.actor, entry.actor_label, entry.via) == (AT, user, "olga@acme.example", "import")
    assert (entry.object_type, entry.object_id, entry.object_label) == ("account", str(account.pk), "Northwind")
    assert (entry.account_id, entry.before, entry.after) == (account.pk, {"arr": "1.50"}, {"arr": "2"})
    assert record("x", account, actor=None, at=AT).actor_label == "system"


def test_entries_are_chained_and_the_chain_verifies():
    account = AccountFactory()
    assert (verify_chain().intact, head()) == (True, START)
    first = record("one", account, actor=None, at=AT, after={"text": "Grüße 🚚", "n": [1, None, True]})
    second, third = record_many([Change("two", account), Change("three", account)], actor=None, at=AT)
    assert [first.prev_hash, second.prev_hash, third.prev_hash] == [START, first.hash, second.hash]
    state = verify_chain()
    assert (state.entries, state.broken_at, head()) == (3, None, third.hash)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts_auditentry SET after = '{\"n\": 9}' WHERE action = 'two'",
        "UPDATE accounts_auditentry SET actor_label = 'somebody' WHERE action = 'two'",
        "UPDATE accounts_auditentry SET at = at + interval '1 microsecond' WHERE action = 'two'",
        "DELETE FROM accounts_auditentry WHERE action = 'two'",
    ],
)
def test_an_alteration_shows(sql):
    account = AccountFactory()
    for action in ("one", "two", "three"):
        record(action, account, actor=None, at=AT, after={"n": 1})
    tamper(sql)
    assert verify_chain().entries == 2
    assert not verify_chain().intact


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts_auditentry SET action = 'x'",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
    ],
)
def test_the_database_refuses_to_alter_the_log(sql):
    record("one", AccountFactory(), actor=None, at=AT)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_keep_one_chain(tenants):
    account = AccountFactory()

    def write():
        connection.set_tenant(tenants["acme"])
        for _entry in range(10):
            record("x", account, actor=None, at=AT)
        connection.close()

    threads = [Thread(target=write) for _thread in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = verify_chain()
    assert (state.entries, state.intact) == (30, True)


def test_very_many_entries_at_once_continue_the_chain_in_their_order():
    account = AccountFactory()
    record("account.viewed", account, actor=None, at=AT)

    entries = record_many([Change(f"step.{n}", account, after={"n": n}) for n in range(MANY + 20)], actor=None, at=AT)

    record("account.viewed", account, actor=None, at=AT)
    kept = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in kept] == ["account.viewed", *(f"step.{n}" for n in range(120)), "account.viewed"]
    assert [entry.pk for entry in kept][1:-1] == [entry.pk for entry in entries]
    assert (verify_chain().entries, verify_chain().intact) == (122, True)


def test_one_entry_or_many_take_three_queries(django_assert_num_queries):
    account = AccountFactory()
    # And two savepoints, set and released.
    with django_assert_num_queries(3 + 4), transaction.atomic():
        record_many([Change("x", account)] * 50, actor=None, at=AT)
