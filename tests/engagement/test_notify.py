"""Telling people: once, as they wish, and only those who may know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.choices import Role
from accounts.models import Workspace
from engagement.actions import bundle_excess, mark_read, notify, set_preferences
from engagement.announcements import announce_ctas, announce_woken, remind_of_tasks
from engagement.choices import Kind
from engagement.delivery import deliver_due
from engagement.models import Notification, OutboxMessage
from engagement.queries import mails_of
from playbooks.actions import add_task, create_cta, open_cta, reassign_cta, snooze_cta, wake_snoozed
from tests.factories import AT, AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db


def tell(users, **changes):
    values = {"kind": Kind.HEALTH_BAND, "title": "Halden fell to Red", "at": AT, "dedupe_key": "band-1"}
    return notify(users, **{**values, **changes})


def test_a_fact_is_told_once_in_the_app_and_once_by_mail():
    person = UserFactory()
    assert tell([person], body="Usage", url="/accounts/1/") == 1
    assert tell([person]) == 0
    notice, mail = Notification.objects.get(), OutboxMessage.objects.get()
    assert (notice.user, notice.kind, notice.title, notice.body, notice.url, notice.read_at) == (
        person, "health_band", "Halden fell to Red", "Usage", "/accounts/1/", None,
    )  # fmt: skip
    assert (mail.to, mail.title, mail.not_before, mail.attempts, mail.state) == (
        person.email, "Halden fell to Red", AT, 0, "waiting",
    )  # fmt: skip
    assert tell([person], dedupe_key="band-2") == 1


def test_nothing_is_told_of_what_was_rolled_back():
    person = UserFactory()
    with pytest.raises(RuntimeError), transaction.atomic():
        tell([person])
        raise RuntimeError
    assert (Notification.objects.count(), OutboxMessage.objects.count()) == (0, 0)


def test_people_choose_their_channels_kind_by_kind():
    quiet, loud = UserFactory(), UserFactory()
    set_preferences(quiet, {Kind.HEALTH_BAND: (True, False), Kind.CTA_OPENED: (False, False)}, at=AT)
    assert tell([quiet, loud]) == 2
    tell([quiet, loud], kind=Kind.CTA_OPENED, dedupe_key="cta")
    assert set(OutboxMessage.objects.values_list("to", "kind")) == {
        (loud.email, "health_band"), (loud.email, "cta_opened"),
    }  # fmt: skip
    assert Notification.objects.of(quiet).count() == 1


def test_kinds_that_come_often_send_no_mail_until_asked():
    person = UserFactory()
    tell([person], kind=Kind.IMPORT_DONE)
    assert OutboxMessage.objects.count() == 0
    set_preferences(person, {Kind.IMPORT_DONE: (True, True)}, at=AT)
    tell([person], kind=Kind.IMPORT_DONE, dedupe_key="again")
    assert OutboxMessage.objects.count() == 1


def test_only_people_who_may_see_the_account_are_told_about_it():
    Workspace.objects.update(csm_reads_all_accounts=False)
    owner, stranger = UserFactory(), UserFactory()
    gone = UserFactory(role=Role.ADMIN, is_active=False, deactivated_at=AT)
    customer = UserFactory(role=Role.PORTAL_USER)
    account = AccountFactory(owner=owner)
    assert tell([owner, stranger, gone, customer], account=account) == 1
    assert set(Notification.objects.values_list("user", flat=True)) == {owner.pk}


def test_an_unknown_kind_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="vibes"):
        tell([UserFactory()], kind="vibes")


def test_telling_many_people_takes_no_more_queries(django_assert_num_queries):
    # Preferences, what is told already, two inserts; and the savepoint of the transaction.
    few, many = [UserFactory()], [UserFactory() for _ in range(3)]
    with django_assert_num_queries(6):
        tell(few, dedupe_key="few")
    with django_assert_num_queries(6):
        tell(many, dedupe_key="many")


def test_reading_one_or_all_touches_ones_own_only():
    me, other = UserFactory(), UserFactory()
    for key in "abc":
        tell([me, other], dedupe_key=key)
    first = Notification.objects.of(me).first()
    assert mark_read(me, at=AT, notice=first.pk) == 1
    assert mark_read(me, at=AT, notice=Notification.objects.of(other).first().pk) == 0
    assert mark_read(me, at=AT) == 2
    assert Notification.objects.of(other).unread().count() == 3


def test_a_cta_that_is_handed_over_is_announced_to_each_owner_once():
    boss, first, second = UserFactory(role=Role.VP_CS), UserFactory(), UserFactory()
    account = AccountFactory(name="Halden", owner=first)
    cta = create_cta(account, title="Call", owner=first, actor=boss, at=AT)
    assert announce_ctas(at=AT) == 1
    assert announce_ctas(at=AT) == 0
    reassign_cta(cta, second, actor=boss, at=AT + timedelta(minutes=5))
    assert announce_ctas(at=AT + timedelta(minutes=6)) == 1
    told = Notification.objects.order_by("created_at").values_list("user", "kind", "title", "url")
    assert list(told) == [
        (first.pk, "cta_opened", "Halden: Call", f"/ctas/{cta.pk}/"),
        (second.pk, "cta_assigned", "Halden: Call", f"/ctas/{cta.pk}/"),
    ]


def test_what_a_rule_opens_or_a_person_opens_for_themselves_is_not_announced_here():
    person = UserFactory()
    account = AccountFactory(owner=person)
    open_cta(account, title="Rule", reason="", kind="risk", priority="low", at=AT)
    create_cta(account, title="Mine", owner=person, actor=person, at=AT)
    assert announce_ctas(at=AT) == 0


def test_a_cta_back_from_its_snooze_is_announced_once_in_the_app():
    owner = UserFactory()
    cta = CtaFactory(owner=owner, account=AccountFactory(name="Halden"), title="Call")
    snooze_cta(cta, until_on=AT.date() + timedelta(days=1), reason="x", actor=owner, at=AT)
    assert announce_woken(at=AT) == 0
    morning = AT + timedelta(days=1)
    wake_snoozed(at=morning)
    assert announce_woken(at=morning) == 1
    assert announce_woken(at=morning + timedelta(minutes=5)) == 0
    notice = Notification.objects.get()
    assert (notice.user, notice.kind, notice.title) == (owner, "cta_woke", "Halden: Call")
    assert OutboxMessage.objects.count() == 0


def test_due_tasks_are_told_once_a_day_from_seven_in_the_morning():
    Workspace.objects.update(timezone="America/New_York")
    owner, other = UserFactory(), UserFactory()
    account = AccountFactory(name="Halden")
    cta = CtaFactory(owner=owner, account=account)
    for number, days in enumerate((-3, 0, 1)):
        add_task(cta, title=f"Task {number}", due_on=AT.date() + timedelta(days=days), actor=owner, at=AT)
    snoozed = CtaFactory(owner=other)
    add_task(snoozed, title="Later", due_on=AT.date(), actor=other, at=AT)
    snooze_cta(snoozed, until_on=AT.date() + timedelta(days=9), reason="x", actor=other, at=AT)
    assert remind_of_tasks(at=AT.replace(hour=11, minute=59)) == 0
    assert remind_of_tasks(at=AT.replace(hour=12)) == 1
    assert remind_of_tasks(at=AT.replace(hour=20)) == 0
    notice = Notification.objects.get()
    assert (notice.user, notice.title, notice.body) == (owner, "2 tasks due", "Halden: Task 0\nHalden: Task 1")
    assert remind_of_tasks(at=AT.replace(hour=13) + timedelta(days=1)) == 1


def test_a_flood_of_mail_becomes_five_messages_and_a_list():
    person, other = UserFactory(), UserFactory()
    for number in range(9):
        tell([person], dedupe_key=str(number), title=f"Notice {number}", at=AT + timedelta(seconds=number))
    tell([other])
    later = AT + timedelta(minutes=1)
    assert bundle_excess(at=later) == 4
    bundle = OutboxMessage.objects.get(dedupe_key__startswith="bundle:")
    assert (bundle.to, bundle.title) == (person.email, "4 notices from Tenure")
    assert bundle.body.splitlines() == ["• Notice 5", "• Notice 6", "• Notice 7", "• Notice 8"]
    assert OutboxMessage.objects.filter(bundled_in=bundle).count() == 4
    assert OutboxMessage.objects.due(later).filter(user=person).count() == 6
    assert bundle_excess(at=later) == 0


def test_a_file_goes_along_with_the_mail_and_such_mail_is_never_gathered():
    person = UserFactory()
    path = default_storage.save("documents/x.pdf", ContentFile(b"%PDF-1"))
    tell([person], kind=Kind.BOARD_PACK, dedupe_key="pack", files=[["pack.pdf", "application/pdf", path]])
    for number in range(9):
        tell([person], dedupe_key=str(number), at=AT + timedelta(minutes=1))
    later = AT + timedelta(minutes=2)
    assert bundle_excess(at=later) == 4
    assert mails_of("pack") == {person.pk: "waiting"}
    deliver_due(now=later)
    assert mails_of("pack") == {person.pk: "sent"}
    assert [len(message.attachments) for message in mail.outbox] == [1, 0, 0, 0, 0, 0, 0]
    [(name, content, kind)] = mail.outbox[0].attachments
    assert (name, content, kind) == ("pack.pdf", b"%PDF-1", "application/pdf")
