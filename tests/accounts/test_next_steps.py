"""What was agreed on a call: who was there, what happens next and when; done, put off, handed over, and undone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import (
    complete_next_step,
    hand_over_next_step,
    log_touch,
    put_off_next_step,
    record_activities,
    reopen_next_step,
    restore_next_step,
)
from accounts.actions.activity import agreement
from accounts.actions.next_steps import step_state
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, Activity, AuditEntry, Workspace
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 27)


@pytest.fixture
def csm():
    return UserFactory(name="Mara Lind")


@pytest.fixture
def account(csm):
    return AccountFactory(name="Halden", owner=csm)


@pytest.fixture
def entry(account, csm):
    return log_touch(
        account, kind="call", title="Roll-out", actor=csm, at=AT, attendees=["Pieter Vos"], next_step="Send the plan",
        next_step_on=FRIDAY, next_step_at=datetime(2026, 11, 27, 10, tzinfo=UTC),
    )  # fmt: skip


def test_a_touch_keeps_who_was_there_and_what_was_agreed(entry, csm):
    entry.refresh_from_db()
    assert (entry.attendees, entry.next_step, entry.next_step_on) == (["Pieter Vos"], "Send the plan", FRIDAY)
    assert entry.next_step_owner == csm
    assert list(Activity.objects.with_open_step()) == [entry]
    audited = AuditEntry.objects.get(action="activity.logged")
    assert (audited.after["next_step"], audited.after["next_step_on"]) == ("Send the plan", "2026-11-27")


@pytest.mark.parametrize(
    ("agreed", "field"),
    [
        ({"next_step": "Call"}, "next_step_on"),
        ({"next_step_on": FRIDAY}, "next_step"),
        ({"next_step": "Call", "next_step_on": AT.date() - timedelta(days=1)}, "next_step_on"),
    ],
)
def test_half_a_next_step_or_a_past_one_is_refused_at_its_field(account, csm, agreed, field):
    with pytest.raises(RuleViolated) as refused:
        log_touch(account, kind="call", title="x", actor=csm, at=AT, **agreed)
    assert refused.value.field == field
    assert not Activity.objects.exists()


@given(st.text(max_size=300), st.none() | st.dates(), st.none() | st.datetimes(timezones=st.just(UTC)))
def test_an_agreement_is_whole_or_nothing(step, on, at):
    try:
        stored = agreement(step, on, at)
    except RuleViolated:
        return
    assert bool(stored["next_step"]) == (stored["next_step_on"] is not None)
    assert len(stored["next_step"]) <= 200


def test_the_database_refuses_a_day_without_a_step(account):
    with pytest.raises(IntegrityError), transaction.atomic():
        Activity.objects.create(account=account, kind="note", at=AT, title="x", next_step_on=FRIDAY)


def test_done_and_taken_back(entry, csm):
    complete_next_step(entry, actor=csm, at=AT)
    complete_next_step(entry, actor=csm, at=AT + timedelta(hours=1))
    entry.refresh_from_db()
    assert entry.next_step_done_at == AT
    reopen_next_step(entry, actor=csm, at=AT)
    entry.refresh_from_db()
    assert entry.next_step_done_at is None
    assert AuditEntry.objects.filter(action__startswith="next_step.").count() == 2


def test_put_off_needs_a_reason_and_a_day_ahead_and_keeps_the_hour(entry, csm):
    for until_on, reason in ((AT.date(), "x"), (FRIDAY, " ")):
        with pytest.raises(RuleViolated):
            put_off_next_step(entry, until_on=until_on, reason=reason, actor=csm, at=AT)
    put_off_next_step(entry, until_on=FRIDAY + timedelta(days=3), reason="They are away", actor=csm, at=AT)
    entry.refresh_from_db()
    assert (entry.next_step_on, entry.next_step_at) == (date(2026, 11, 30), datetime(2026, 11, 30, 10, tzinfo=UTC))
    assert AuditEntry.objects.get(action="next_step.put_off").after["reason"] == "They are away"


def test_handed_over_to_a_colleague_who_sees_the_account_and_restored(entry, csm):
    before = step_state(entry)
    heir = UserFactory()
    hand_over_next_step(entry, heir, actor=csm, at=AT)
    put_off_next_step(entry, until_on=FRIDAY + timedelta(days=9), reason="x", actor=csm, at=AT)
    complete_next_step(entry, actor=csm, at=AT)
    restore_next_step(entry, before, actor=csm, at=AT)
    entry.refresh_from_db()
    assert step_state(entry) == before
    Workspace.objects.update(csm_reads_all_accounts=False)
    stranger = UserFactory()
    with pytest.raises(RuleViolated):
        hand_over_next_step(entry, stranger, actor=csm, at=AT)


def test_an_imported_entry_without_a_step_loses_the_one_it_had(account):
    row = {"external_id": "a-1", "account": str(account.pk), "kind": "call", "title": "x", "at": "2026-11-01"}
    agreed = {"next_step": "Call back", "next_step_on": "2026-11-30", "attendees": "Ann, Bo"}
    record_activities([{**row, **agreed}], source="crm", actor=None, at=AT)
    entry = Activity.objects.get()
    assert (entry.next_step_owner_id, entry.attendees) == (account.owner_id, ["Ann", "Bo"])
    results = record_activities([{**row, "next_step": "", "next_step_on": ""}], source="crm", actor=None, at=AT)
    assert not results[0].errors
    assert Activity.objects.get().next_step == ""


class TestPages:
    def test_the_form_logs_people_and_the_next_step_with_its_hour(self, client, account, csm):
        client.force_login(csm)
        account.contacts.create(name="Pieter Vos")
        soon = timezone.localdate() + timedelta(days=2)
        page = f"/accounts/{account.pk}/timeline/log/"
        assert "Pieter Vos" in client.get(page + "?kind=meeting").content.decode()
        sent = {
            "kind": "meeting", "title": "Review", "people": ["Pieter Vos"], "others": "Ilse, Jan",
            "next_step": "Show the figures", "next_step_on": soon.isoformat(), "next_step_time": "09:30",
        }  # fmt: skip
        assert client.post(page, sent).status_code == 302
        entry = Activity.objects.get()
        assert entry.attendees == ["Pieter Vos", "Ilse", "Jan"]
        assert timezone.localtime(entry.next_step_at).strftime("%H:%M") == "09:30"
        shown = client.get(f"/accounts/{account.pk}/timeline/").content.decode()
        assert "With Pieter Vos, Ilse, Jan" in shown
        assert "Next: Show the figures" in shown

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"next_step": "Call"}, "next_step_on"),
            ({"next_step_time": "09:00"}, "next_step_on"),
            ({"next_step_on": "2099-01-01"}, "next_step"),
            ({"others": "x" * 130}, "others"),
            ({"people": ["Nobody of theirs"]}, "people"),
        ],
    )
    def test_what_is_wrong_stands_at_its_field_and_the_input_stays(self, client, account, csm, sent, field):
        client.force_login(csm)
        account.contacts.create(name="Pieter Vos")
        answer = client.post(f"/accounts/{account.pk}/timeline/log/", {"kind": "call", "title": "Kept input", **sent})
        assert answer.status_code == 422
        assert answer.context["form"].errors[field]
        assert "Kept input" in answer.content.decode()

    def test_only_those_who_work_the_account_or_own_the_step_may_move_it(self, entry, csm):
        stranger, leader = UserFactory(), UserFactory(role=Role.VP_CS)
        workable = Activity.objects.step_workable_by
        assert [entry in workable(user) for user in (csm, leader, stranger)] == [True, True, False]
        Activity.objects.update(next_step_owner=stranger)
        assert entry in workable(stranger)
        assert Account.objects.editable_by(stranger).count() == 0
