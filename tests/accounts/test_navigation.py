"""What the side bar counts behind its entries."""

import pytest
from django.utils import timezone

from accounts.choices import Role
from accounts.navigation import counts_for, forget
from engagement.models import Notification
from tests.factories import CtaFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_everything_that_waits_is_counted_in_two_queries_however_much_it_is(django_assert_num_queries):
    me, today = UserFactory(role=Role.VP_CS), timezone.localdate()
    for more in (1, 2):  # one of each, then three
        for number in range(more):
            CtaFactory(owner=me, due_on=today)
            Notification.objects.create(
                user=me, kind="cta_opened", title="A CTA", dedupe_key=f"{more}-{number}", created_at=timezone.now()
            )
        CtaFactory(due_on=today)
        forget(me)
        with django_assert_num_queries(2):  # the counts, and the views of lists
            waiting = {name: count for name, count in counts_for(me).items() if count}
        assert waiting == dict.fromkeys(("playbooks:cta-list", "engagement:inbox"), 2 * more - 1)


def test_a_person_with_nothing_to_do_has_nothing_counted():
    me = UserFactory(role=Role.VP_CS)
    CtaFactory(owner=UserFactory(), due_on=timezone.localdate())
    assert not any(counts_for(me).values())
