"""The life of a CTA through its actions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Activity, AuditEntry, WorkCalendar, Workspace
from playbooks.actions import (
    NotOpen,
    close_cta,
    create_cta,
    install_playbook,
    open_cta,
    reassign_cta,
    reopen_cta,
    set_trigger_keys,
    snooze_cta,
    update_cta,
    wake_snoozed,
)
from playbooks.models import Cta, Task
from tests.factories import AT, AccountFactory, CtaFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db


def opened(account, **changes):
    values = {"title": "Usage fell", "reason": "31 % in five weeks", "kind": "risk", "priority": "high", "at": AT}
    return open_cta(account, **{**values, **changes})


def test_a_cta_belongs_to_the_accounts_owner_and_is_due_by_its_priority_in_business_days():
    owner = UserFactory()
    account = AccountFactory(owner=owner)
    due = {priority: opened(account, priority=priority).due_on for priority in ("high", "medium", "low")}
    assert due == {"high": date(2026, 11, 26), "medium": date(2026, 12, 1), "low": date(2026, 12, 8)}
    cta = opened(account)
    assert (cta.owner, cta.status, cta.assigned_at) == (owner, "open", AT)


def test_an_owner_who_left_does_not_get_the_cta():
    gone = UserFactory(is_active=False, deactivated_at=AT)
    assert opened(AccountFactory(owner=gone)).owner is None


def test_due_days_follow_the_workspaces_zone_and_calendar():
    Workspace.objects.update(timezone="Pacific/Auckland")
    WorkCalendar.objects.create(
        key="sunday",
        name="Sunday to Thursday",
        definition={"weekly": {day: [["09:00", "17:00"]] for day in ("sun", "mon", "tue", "wed", "thu")}},
    )
    late_tuesday_in_utc = datetime(2026, 11, 24, 20, tzinfo=UTC)  # Wednesday in Auckland
    assert opened(AccountFactory(), at=late_tuesday_in_utc).due_on == date(2026, 11, 29)


def test_one_cta_is_open_for_a_reason_until_it_is_closed():
    account, other = AccountFactory(), AccountFactory()
    first = opened(account, duplicate_key="band")
    assert opened(account, duplicate_key="band") is None
    assert opened(account, duplicate_key="other") is not None
    assert opened(other, duplicate_key="band") is not None
    snooze_cta(first, until_on=date(2026, 12, 1), reason="waits", actor=None, at=AT)
    assert opened(account, duplicate_key="band") is None
    close_cta(first, outcome="resolved", actor=None, at=AT)
    assert opened(account, duplicate_key="band") is not None


@pytest.mark.django_db(transaction=True)
def test_two_rules_at_once_open_one_cta():
    account = AccountFactory()
    results = at_once(*[lambda: opened(account, duplicate_key="band")] * 4)
    assert sum(result is not None for result in results) == 1
    assert Cta.objects.filter(account=account).count() == 1


def test_the_database_itself_refuses_a_second_one_and_half_closed_rows():
    cta = CtaFactory(duplicate_key="band")
    for values in (
        {"duplicate_key": "band", "account": cta.account},
        {"status": "closed"},
        {"status": "closed", "closed_at": AT},
        {"closed_at": AT},
        {"status": "snoozed", "snoozed_until_on": AT.date()},
        {"snooze_reason": "x"},
        {"status": "unknown"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            CtaFactory(**values)


PLAYBOOK = {
    "key": "recovery",
    "name": "Recovery",
    "objective": "get well",
    "entry": "red",
    "steps": [{"name": "Look", "tasks": ["call the sponsor", "read tickets"]}, {"name": "Act", "tasks": ["plan"]}],
}


def test_the_playbooks_tasks_are_copied_with_days_counted_in_business_days():
    install_playbook(PLAYBOOK, pack="fmea", version="1", at=AT)
    cta = opened(AccountFactory(), playbook_key="recovery", actions=["never used"])
    assert list(cta.tasks.values_list("step", "title", "due_on")) == [
        ("Look", "Call the sponsor", date(2026, 11, 26)),
        ("Look", "Read tickets", date(2026, 11, 26)),
        ("Act", "Plan", date(2026, 12, 3)),
    ]


def test_a_playbook_starts_with_the_triggers_it_names():
    admin = UserFactory(role=Role.ADMIN)
    playbook = install_playbook(PLAYBOOK, pack="fmea", version="1", at=AT)
    set_trigger_keys(playbook, ["low-adoption", " low-adoption ", ""], actor=admin, at=AT)
    assert opened(AccountFactory(), trigger_key="low-adoption").playbook == playbook
    assert opened(AccountFactory(), trigger_key="other").playbook is None


def test_a_cta_keeps_its_tasks_when_the_playbook_changes():
    install_playbook(PLAYBOOK, pack="fmea", version="1", at=AT)
    cta = opened(AccountFactory(), playbook_key="recovery")
    changed = {**PLAYBOOK, "steps": [{"name": "New", "tasks": ["something else"]}]}
    install_playbook(changed, pack="fmea", version="2", at=AT)
    assert [task.title for task in cta.tasks.all()] == ["Call the sponsor", "Read tickets", "Plan"]
    assert [task.title for task in opened(AccountFactory(), playbook_key="recovery").tasks.all()] == ["Something else"]


def test_without_a_playbook_each_action_of_the_trigger_is_a_task_due_with_the_cta():
    cta = opened(AccountFactory(), trigger_key="red", actions=["executive escalation", " ", "action plan"])
    assert list(cta.tasks.values_list("position", "title", "due_on")) == [
        (0, "Executive escalation", cta.due_on),
        (1, "Action plan", cta.due_on),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"kind": "vibes"}, "kind"),
        ({"priority": "urgent"}, "priority"),
        ({"playbook_key": "nowhere"}, "playbook"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_nothing_is_opened(changes, field):
    with pytest.raises(RuleViolated) as refused:
        opened(AccountFactory(), **changes)
    assert refused.value.field == field
    assert Cta.objects.count() == 0


def test_opening_leaves_an_audit_row_and_a_timeline_entry():
    account = AccountFactory()
    cta = opened(account)
    entry = AuditEntry.objects.get(action="cta.open")
    assert (entry.object_id, entry.account_id, entry.actor_label) == (str(cta.pk), account.pk, "system")
    activity = Activity.objects.get(account=account)
    assert (activity.kind, activity.title, activity.body) == ("cta", "CTA opened: Usage fell", "31 % in five weeks")


def test_closing_keeps_outcome_note_person_and_moment():
    person = UserFactory()
    cta = close_cta(CtaFactory(), outcome="resolved", note="They renewed.", actor=person, at=AT)
    cta.refresh_from_db()
    assert (cta.status, cta.outcome, cta.close_note, cta.closed_by, cta.closed_at) == (
        "closed", "resolved", "They renewed.", person, AT,
    )  # fmt: skip
    with pytest.raises(NotOpen):
        close_cta(cta, outcome="resolved", actor=person, at=AT)
    with pytest.raises(NotOpen):
        snooze_cta(cta, until_on=date(2026, 12, 1), reason="x", actor=person, at=AT)


def test_a_closed_cta_can_be_reopened_unless_another_took_its_place():
    account = AccountFactory()
    first = opened(account, duplicate_key="band")
    close_cta(first, outcome="invalid", actor=None, at=AT)
    assert reopen_cta(first, actor=None, at=AT).status == "open"
    close_cta(first, outcome="invalid", actor=None, at=AT)
    opened(account, duplicate_key="band")
    with pytest.raises(RuleViolated, match="Another CTA"):
        reopen_cta(first, actor=None, at=AT)


def test_a_snooze_needs_a_reason_and_a_day_ahead():
    cta = CtaFactory()
    for until_on, reason, field in ((AT.date(), "x", "until_on"), (date(2026, 11, 25), "  ", "reason")):
        with pytest.raises(RuleViolated) as refused:
            snooze_cta(cta, until_on=until_on, reason=reason, actor=None, at=AT)
        assert refused.value.field == field


def test_the_timeline_tells_the_day_of_a_snooze_as_people_write_days():
    cta = snooze_cta(CtaFactory(title="Usage fell"), until_on=date(2026, 12, 6), reason="Leave", actor=None, at=AT)
    (entry,) = Activity.objects.filter(account=cta.account)
    assert (entry.title, entry.body) == ("CTA snoozed until 6 Dec 2026: Usage fell", "Leave")


def test_a_snoozed_cta_comes_back_on_its_day_in_the_workspaces_zone():
    Workspace.objects.update(timezone="America/New_York")
    cta = snooze_cta(CtaFactory(), until_on=date(2026, 11, 25), reason="call is on Wednesday", actor=None, at=AT)
    assert wake_snoozed(at=datetime(2026, 11, 25, 4, 59, tzinfo=UTC)) == []
    assert wake_snoozed(at=datetime(2026, 11, 25, 5, tzinfo=UTC)) == [cta]
    cta.refresh_from_db()
    assert (cta.status, cta.snoozed_until_on, cta.snooze_reason) == ("open", None, "")
    assert wake_snoozed(at=datetime(2026, 11, 25, 6, tzinfo=UTC)) == []


def test_handing_over_needs_somebody_who_can_work_the_account():
    cta, successor = CtaFactory(), UserFactory()
    later = AT + timedelta(hours=1)
    reassign_cta(cta, successor, actor=None, at=later)
    cta.refresh_from_db()
    assert (cta.owner, cta.assigned_at) == (successor, later)
    for person in (
        UserFactory(is_active=False, deactivated_at=AT),
        UserFactory(role=Role.PORTAL_USER),
    ):
        with pytest.raises(RuleViolated, match="cannot work"):
            reassign_cta(cta, person, actor=None, at=AT)


def test_a_lost_race_is_told_and_changes_nothing():
    cta, person = CtaFactory(), UserFactory()
    update_cta(cta, title="First", actor=person, at=AT, expected_version=1)
    with pytest.raises(StaleVersion):
        update_cta(cta, title="Second", actor=person, at=AT, expected_version=1)
    cta.refresh_from_db()
    assert (cta.title, cta.version) == ("First", 2)


def test_what_a_person_opens_is_theirs_to_explain():
    person = UserFactory()
    cta = create_cta(AccountFactory(), title="Call them", actor=person, at=AT)
    assert (cta.opened_by, cta.kind, cta.priority, Task.objects.count()) == (person, "activity", "medium", 0)
