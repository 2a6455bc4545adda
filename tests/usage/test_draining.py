"""Events are counted once, on their day, whatever arrives twice, late, early or for nobody."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, AuditEntry, ChangedAccount, ExternalId, Workspace
from tests.usage.world import NOW, TODAY, counts, days, event, make_account, post, settle, stored_days
from usage.actions import discard_parked, drain, keep_within_window, rebuild_account_days
from usage.models import AccountDay, AppUser, FeatureSlot, HistoryMonth, IngestReceipt, ParkedEvent, Signal, UsageEvent
from usage.partitions import existing_months, window_floor

pytestmark = pytest.mark.django_db


def test_a_batch_is_pending_until_drained_then_accounted_for():
    make_account(external_id="A-1")
    answer, receipt = post([event(0), event(1), event(1), event(2, account="nobody"), {"id": "bad"}])

    assert answer["received"] == 5
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(4, "missing")]
    assert counts(receipt) == {
        "state": "pending", "received": 5, "accepted": 0, "duplicates": 0, "parked": 0, "rejected": 1,
    }  # fmt: skip
    assert settle(receipt) == {
        "state": "done", "received": 5, "accepted": 2, "duplicates": 1, "parked": 1, "rejected": 1,
    }  # fmt: skip


def test_the_daily_row_says_who_did_what():
    account = make_account(external_id="A-1")
    post([
        event(0, user="ada"),
        event(1, user="ben", name="Work-Orders.created", quantity=3, properties={"platform": "ios"}),
        event(2, user="ada", name="session", properties={"minutes": 12.5}), event(3, user=None, name="work_orders"),
    ])  # fmt: skip
    drain(at=NOW)

    slot = FeatureSlot.objects.get()
    assert (slot.key, slot.slot, slot.origin) == ("work_orders", 1, "automatic")
    assert stored_days() == {
        (account.pk, TODAY): {
            "act": 0b11, "login": 0b01, "mobile": 0b10, "k1": 0b10, "features": 1,
            "quantity": 6, "logins": 1, "sessions": 1, "session_seconds": 750,
        }
    }  # fmt: skip
    assert AccountDay.objects.get().last_at == NOW
    assert set(Signal.objects.values_list("kind", flat=True)) == {"login", "mobile"}


def test_the_same_batch_again_changes_nothing():
    make_account(external_id="A-1")
    batch = [event(n, user=f"u{n % 7}") for n in range(50)]
    _, first = post(batch)
    drain(at=NOW)
    before, stored = days(), UsageEvent.objects.count()
    _, second = post(batch)

    assert settle(second) == {
        "state": "done", "received": 50, "accepted": 0, "duplicates": 50, "parked": 0, "rejected": 0,
    }  # fmt: skip
    assert counts(first)["accepted"] == 50
    assert (days(), UsageEvent.objects.count()) == (before, stored)


def test_both_batches_before_one_drain_count_once_and_the_first_gets_the_credit():
    make_account(external_id="A-1")
    _, first = post([event(1)])
    _, second = post([event(1)])

    assert settle(first)["accepted"] == 1
    assert counts(second)["duplicates"] == 1


def test_an_id_is_one_event_per_source_and_moment():
    account = make_account(external_id="A-1", source="crm")
    ExternalId.objects.create(account=account, source="app", external_id="A-1")
    post([event(1), event(1, at=NOW - dt.timedelta(seconds=1))])
    post([event(1)], source="app")
    drain(at=NOW)

    assert UsageEvent.objects.count() == 3


def test_the_same_moment_in_another_offset_is_the_same_event():
    make_account(external_id="A-1")
    post([event(1, at=NOW), event(1, at=NOW.astimezone(dt.timezone(dt.timedelta(hours=5))))])
    drain(at=NOW)

    assert UsageEvent.objects.count() == 1


def test_every_way_to_write_a_moment_is_stored_as_that_moment():
    make_account(external_id="A-1")
    moments = ["2026-11-24t11:00:00z", "2026-11-24 11:00:01+00:00", "2026-11-24T16:30:02+05:30",
               "2026-11-24T11:00:03.1Z", "2026-11-24T11:00:04.1234567Z", "2026-11-24T01:00:05-10:00"]  # fmt: skip
    _, receipt = post([{**event(n), "at": at} for n, at in enumerate(moments)])

    assert settle(receipt)["accepted"] == len(moments)
    base = dt.datetime(2026, 11, 24, 11, tzinfo=dt.UTC)
    micros = [0, 1_000_000, 2_000_000, 3_100_000, 4_123_457, 5_000_000]
    stored = sorted(UsageEvent.objects.values_list("at", flat=True))
    assert stored == [base + dt.timedelta(microseconds=m) for m in micros]


def test_an_account_is_found_by_its_sender_then_by_any_then_by_key():
    ours = make_account("Ours", external_id="7", source="crm")
    theirs = make_account("Theirs", external_id="7", source="billing")
    only = make_account("Only", external_id="9", source="billing")
    post([event(0, account="7"), event(1, account="9"), event(2, account=str(theirs.pk)),
          event(3, account=str(theirs.pk).upper()), event(4, account="7x")])  # fmt: skip
    drain(at=NOW)

    assert sorted(UsageEvent.objects.values_list("account_id", flat=True)) == sorted(
        [ours.pk, only.pk, theirs.pk, theirs.pk]
    )
    assert ParkedEvent.objects.get().account == "7x"


def test_a_name_that_two_other_senders_use_for_two_accounts_is_parked():
    make_account("One", external_id="7", source="billing")
    make_account("Two", external_id="7", source="desk")
    _, receipt = post([event(0, account="7")], source="app")

    assert settle(receipt)["parked"] == 1


def test_a_parked_event_counts_once_its_account_appears():
    _, receipt = post([event(0, account="late"), event(1, account="later")])
    assert settle(receipt)["parked"] == 2
    account = make_account(external_id="late")

    assert settle(receipt) == {
        "state": "done", "received": 2, "accepted": 1, "duplicates": 0, "parked": 1, "rejected": 0,
    }  # fmt: skip
    assert [row["account_id"] for row in days()] == [account.pk]
    assert settle(receipt)["accepted"] == 1


def test_a_parked_event_posted_again_still_counts_once():
    _, first = post([event(0, account="late")])
    drain(at=NOW)
    _, second = post([event(0, account="late")])
    drain(at=NOW)
    make_account(external_id="late")
    drain(at=NOW)

    assert UsageEvent.objects.count() == 1
    assert {counts(first)["accepted"], counts(second)["accepted"]} == {0, 1}
    assert {counts(first)["duplicates"], counts(second)["duplicates"]} == {0, 1}


def test_parked_events_thrown_away_are_counted_rejected():
    _, receipt = post([event(0, account="never"), event(1, account="other")])
    drain(at=NOW)

    assert discard_parked(source="crm", account="never", actor=None, at=NOW) == 1
    assert counts(receipt) == {
        "state": "done", "received": 2, "accepted": 0, "duplicates": 0, "parked": 1, "rejected": 1,
    }  # fmt: skip


def test_a_late_event_lands_on_its_own_day():
    make_account(external_id="A-1")
    post([event(0)])
    drain(at=NOW)
    post([event(1, user="ben", at=NOW - dt.timedelta(days=9))])
    drain(at=NOW)

    assert [(row["day"], row["quantity"]) for row in days()] == [(TODAY - dt.timedelta(days=9), 1), (TODAY, 1)]


def test_days_are_the_workspaces():
    Workspace.objects.update(timezone="America/New_York")
    make_account(external_id="A-1")
    post(
        [
            event(0, at=dt.datetime(2026, 11, 24, 4, 59, tzinfo=dt.UTC)),
            event(1, at=dt.datetime(2026, 11, 24, 5, 0, tzinfo=dt.UTC)),
        ]
    )
    drain(at=NOW)

    assert [row["day"] for row in days()] == [dt.date(2026, 11, 23), dt.date(2026, 11, 24)]


def test_the_edges_of_the_window():
    make_account(external_id="A-1")
    floor = window_floor(NOW)
    answer, receipt = post([event(0, at=floor), event(1, at=floor - dt.timedelta(microseconds=1)),
                            event(2, at=NOW + dt.timedelta(days=1)),
                            event(3, at=NOW + dt.timedelta(days=1, seconds=1))])  # fmt: skip

    assert floor == dt.datetime(2025, 10, 1, tzinfo=dt.UTC)
    assert [(one["index"], one["code"], one["field"]) for one in answer["rejected"]] == [
        (1, "too_old", "at"), (3, "in_future", "at"),
    ]  # fmt: skip
    assert settle(receipt)["accepted"] == 2


def test_users_are_numbered_from_zero_in_each_account_and_keep_their_number():
    one, two = make_account("One", external_id="A-1"), make_account("Two", external_id="A-2")
    post([event(n, user=f"u{n}", at=NOW + dt.timedelta(seconds=n)) for n in range(70)])
    post([event("x", account="A-2", user="u5")])
    drain(at=NOW)
    post([event("y", user="u3"), event("z", user="new")])
    drain(at=NOW)

    numbers = dict(AppUser.objects.filter(account_id=one.pk).values_list("external_id", "ordinal"))
    assert numbers == {**{f"u{n}": n for n in range(70)}, "new": 70}
    assert AppUser.objects.get(account_id=two.pk).ordinal == 0
    assert [(row["word"], row["quantity"]) for row in days() if row["account_id"] == one.pk] == [(0, 65), (1, 7)]
    assert stored_days()[one.pk, TODAY]["act"] == 2**71 - 1


def test_the_drain_marks_the_accounts_it_touched_and_only_those():
    touched, _ = make_account(external_id="A-1"), make_account("Quiet", external_id="A-2")
    post([event(0)])
    drain(at=NOW)
    assert list(ChangedAccount.objects.values_list("account_id", flat=True)) == [touched.pk]

    ChangedAccount.objects.all().delete()
    post([event(0)])
    drain(at=NOW)
    assert not ChangedAccount.objects.exists()


def test_an_empty_batch_is_done_at_once():
    answer, receipt = post([])

    assert answer["received"] == 0
    assert counts(receipt)["state"] == "done"


def test_text_that_copy_and_sql_could_take_for_their_own_arrives_as_it_is():
    make_account(external_id="A\\1")
    user = "DOMAIN\\ada'; drop table usage_event; --"
    post(
        [event("\\N", account="A\\1", user=user, name="a\\tb {0} %s", properties={"t": 'tab\there \\ "q" \n line <b>'})]
    )
    drain(at=NOW)

    one = UsageEvent.objects.get()
    assert one.event == "a\\tb {0} %s"
    assert one.properties == {"t": 'tab\there \\ "q" \n line <b>'}
    assert AppUser.objects.get().external_id == user


def test_properties_that_are_no_numbers_cannot_stop_the_drain():
    make_account(external_id="A-1")
    odd = [{"minutes": "ten"}, {"minutes": None}, {"minutes": -5}, {"minutes": 1e300}, {"seconds": [1]},
           {"platform": 7}, {"mobile": "yes"}, {"platform": None}]  # fmt: skip
    _, receipt = post([event(n, name="session", properties=one) for n, one in enumerate(odd)])

    assert settle(receipt)["accepted"] == len(odd)
    assert days()[0]["session_seconds"] == 86400
    assert days()[0]["mobile"] == 0


def test_small_shares_give_the_same_rows():
    make_account(external_id="A-1")
    batch = [event(n, user=f"u{n % 70}", at=NOW - dt.timedelta(hours=n)) for n in range(120)]
    post(batch)
    done = drain(at=NOW, share=7)

    assert (done.taken, done.accepted) == (120, 120)
    assert IngestReceipt.objects.get().state == "done"
    incremental = days()
    assert rebuild_account_days(TODAY - dt.timedelta(days=30), TODAY) == len(incremental)
    assert days() == incremental


def test_history_before_the_window_counts_once_and_is_kept_thirteen_months_from_loading():
    make_account(external_id="A-1")
    old = [event(n, at=dt.datetime(2023, 3, 5, n, tzinfo=dt.UTC)) for n in range(3)]
    _, first = post(old, history=True)
    assert settle(first)["accepted"] == 3
    _, second = post(old, history=True)
    assert settle(second)["duplicates"] == 3
    assert HistoryMonth.objects.get().month == dt.date(2023, 3, 1)

    keep_within_window(at=NOW + dt.timedelta(days=390))
    assert UsageEvent.objects.count() == 3
    keep_within_window(at=NOW + dt.timedelta(days=404))
    assert (UsageEvent.objects.count(), AccountDay.objects.count()) == (0, 0)


def test_what_leaves_the_window_goes_by_the_month_and_the_daily_row_stays_longer():
    make_account(external_id="A-1")
    post([event(0, at=window_floor(NOW)), event(1)])
    drain(at=NOW)
    assert existing_months() == [dt.date(2025, 10, 1), dt.date(2026, 11, 1)]

    keep_within_window(at=NOW)
    assert UsageEvent.objects.count() == 2
    gone = keep_within_window(at=NOW + dt.timedelta(days=7))
    assert (gone["partitions"], UsageEvent.objects.count(), AccountDay.objects.count()) == (1, 1, 2)
    assert existing_months() == [dt.date(2026, 11, 1), dt.date(2026, 12, 1), dt.date(2027, 1, 1)]
    keep_within_window(at=dt.datetime(2027, 12, 1, tzinfo=dt.UTC))
    assert AccountDay.objects.count() == 1


def test_receipts_go_after_ninety_days_unless_something_is_still_parked():
    make_account(external_id="A-1")
    post([event(0)])
    _, waiting = post([event(1, account="nobody")])
    drain(at=NOW)

    keep_within_window(at=NOW + dt.timedelta(days=90))
    assert IngestReceipt.objects.count() == 2
    keep_within_window(at=NOW + dt.timedelta(days=90, seconds=1))
    assert IngestReceipt.objects.get() == waiting


def test_events_of_one_workspace_are_not_in_another(tenants):
    from django_tenants.utils import tenant_context

    make_account(external_id="A-1")
    post([event(0)])
    with tenant_context(tenants["globex"]):
        make_account("Other", external_id="A-1")
        assert drain(at=NOW).taken == 0
        assert not UsageEvent.objects.exists()
    assert drain(at=NOW).accepted == 1
    with tenant_context(tenants["globex"]):
        assert not AccountDay.objects.exists()


def test_the_statements_of_a_batch_and_a_drain_do_not_grow_with_it():
    make_account(external_id="A-1")
    post([event(0)])
    drain(at=NOW)  # partitions and features are there
    seen = set()
    for size in (1, 300):
        with CaptureQueriesContext(connection) as stored:
            post([event(f"{size}-{n}", user=f"u{n}") for n in range(size)])
        with CaptureQueriesContext(connection) as drained:
            drain(at=NOW)
        seen.add((len(stored), len(drained)))
    assert seen == {(4, 18)}


def test_an_archived_account_still_takes_its_events():
    account = make_account(external_id="A-1")
    Account.objects.filter(pk=account.pk).update(archived_at=NOW)
    _, receipt = post([event(0)])

    assert settle(receipt)["accepted"] == 1
    assert not AuditEntry.objects.exists()
