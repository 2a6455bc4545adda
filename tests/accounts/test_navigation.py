"""What the side bar counts behind its entries."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Account, Workspace
from accounts.navigation import counts_for, forget
from engagement.models import Notification
from health.actions.visits import note_visit
from tests.factories import AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_everything_that_waits_is_counted_in_two_queries_however_much_it_is(django_assert_num_queries):
    me, today = UserFactory(role=Role.VP_CS), timezone.localdate()
    assert me.workspace_settings  # every page has read them for its frame
    assert me.covers == {}  # read once, by whatever asks first whose work is whose
    for more in (1, 2):  # one of each, then three
        for number in range(more):
            CtaFactory(owner=me, due_on=today)
            Notification.objects.create(
                user=me, kind="cta_opened", title="A CTA", dedupe_key=f"{more}-{number}", created_at=timezone.now()
            )
        CtaFactory(due_on=today)
        forget(me)
        with django_assert_num_queries(2):  # the counts, and the views with the accounts opened last
            waiting = {name: count for name, count in counts_for(me).items() if count}
        assert waiting == dict.fromkeys(("playbooks:cta-list", "engagement:inbox"), 2 * more - 1)


def test_a_person_with_nothing_to_do_has_nothing_counted():
    me = UserFactory(role=Role.VP_CS)
    CtaFactory(owner=UserFactory(), due_on=timezone.localdate())
    assert not any(counts_for(me).values())


def test_the_accounts_opened_last_stand_in_the_side_bar_and_go_with_the_right_to_see_them(client):
    me = UserFactory(role=Role.CSM)
    accounts = [AccountFactory(name=f"Opened {number}", owner=me) for number in range(5)]
    client.force_login(me)
    now = timezone.now()
    for minutes, account in enumerate(accounts):
        note_visit(account, user=me, at=now + timedelta(minutes=minutes))
    page = client.get("/accounts/").content.decode()
    side = page[page.index("Accounts I opened") :].split("</ul>")[0]
    assert re.findall(r"Opened \d", side) == ["Opened 4", "Opened 3", "Opened 2"]
    Workspace.objects.update(csm_reads_all_accounts=False)
    Account.objects.filter(pk=accounts[4].pk).update(owner=None)
    Account.objects.filter(pk=accounts[3].pk).update(archived_at=now)
    forget(me)
    page = client.get("/accounts/").content.decode()
    side = page[page.index("Accounts I opened") :].split("</ul>")[0]
    assert re.findall(r"Opened \d", side) == ["Opened 2", "Opened 1", "Opened 0"]
