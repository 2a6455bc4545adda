"""Ticking tasks, and many CTAs at once with the way back."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import AuditEntry
from playbooks.actions import (
    NotOpen,
    add_task,
    bulk_close,
    bulk_reassign,
    bulk_snooze,
    close_cta,
    complete_task,
    reopen_task,
    undo_bulk,
    update_cta,
    update_task,
)
from playbooks.models import Cta
from tests.factories import AT, AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_tick_keeps_who_and_when_and_can_be_taken_back():
    person, cta = UserFactory(), CtaFactory()
    task = add_task(cta, title="Call", actor=person, at=AT)
    assert task.due_on == cta.due_on
    done = complete_task(task, actor=person, at=AT)
    assert (done.completed_at, done.completed_by) == (AT, person)
    complete_task(task, actor=UserFactory(), at=AT)
    task.refresh_from_db()
    assert task.completed_by == person
    assert AuditEntry.objects.filter(action="task.complete").count() == 1
    assert reopen_task(task, actor=person, at=AT).completed_at is None


def test_tasks_of_a_closed_cta_stay_as_they_are():
    person, cta = UserFactory(), CtaFactory()
    task = add_task(cta, title="Call", actor=person, at=AT)
    close_cta(cta, outcome="no_action", actor=person, at=AT)
    for change in (
        lambda: complete_task(task, actor=person, at=AT),
        lambda: add_task(cta, title="More", actor=person, at=AT),
        lambda: update_task(task, title="Other", actor=person, at=AT),
    ):
        with pytest.raises(NotOpen):
            change()


def test_bulk_changes_what_it_may_counts_the_rest_and_can_be_undone():
    leader, colleague = UserFactory(role=Role.VP_CS), UserFactory()
    mine, snoozed, closed = CtaFactory(owner=leader), CtaFactory(), CtaFactory()
    bulk_snooze([snoozed.pk], until_on=date(2026, 12, 1), reason="waits", actor=leader, at=AT)
    close_cta(closed, outcome="resolved", actor=leader, at=AT)
    result = bulk_close([mine.pk, snoozed.pk, closed.pk], outcome="no_action", actor=leader, at=AT)
    assert (set(result.changed), result.refused) == ({mine.pk, snoozed.pk}, [closed.pk])
    undone = undo_bulk(result.undo, actor=leader, at=AT)
    assert set(undone.changed) == {mine.pk, snoozed.pk}
    states = {cta.pk: (cta.status, cta.snooze_reason, cta.outcome) for cta in Cta.objects.all()}
    assert states == {
        mine.pk: ("open", "", ""), snoozed.pk: ("snoozed", "waits", ""), closed.pk: ("closed", "", "resolved"),
    }  # fmt: skip
    handed = bulk_reassign([mine.pk], colleague, actor=leader, at=AT)
    undo_bulk(handed.undo, actor=leader, at=AT)
    assert Cta.objects.get(pk=mine.pk).owner == leader


def test_undo_leaves_alone_what_somebody_changed_since():
    leader = UserFactory(role=Role.VP_CS)
    cta = CtaFactory()
    result = bulk_snooze([cta.pk], until_on=date(2026, 12, 1), reason="waits", actor=leader, at=AT)
    update_cta(cta, title="New title", actor=leader, at=AT)
    assert undo_bulk(result.undo, actor=leader, at=AT).refused == [cta.pk]
    assert Cta.objects.get().status == "snoozed"


def test_bulk_leaves_other_peoples_accounts_alone():
    csm = UserFactory()
    own, other = CtaFactory(account=AccountFactory(owner=csm)), CtaFactory()
    result = bulk_close([own.pk, other.pk], outcome="resolved", actor=csm, at=AT)
    assert (result.changed, result.refused) == ([own.pk], [other.pk])


def test_bulk_has_a_limit():
    with pytest.raises(RuleViolated, match="500"):
        bulk_close([CtaFactory.build().pk for _ in range(501)], outcome="resolved", actor=UserFactory(), at=AT)
