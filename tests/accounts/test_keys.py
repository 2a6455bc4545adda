"""Two who make something of one name at the same moment: both get it, each under a key of its own."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from accounts.errors import RuleViolated
from health.actions import create_trigger, draft_trigger
from health.models import Trigger
from playbooks.actions import write_playbook
from playbooks.models import Playbook
from tests.factories import AT, UserFactory
from tests.racing import second_meanwhile

pytestmark = pytest.mark.django_db(transaction=True)
TASK = {"title": "Call", "step": "", "offset_days": 2, "unit": "business", "optional": False}
RULE = {
    "name": "Win back", "actions": ["Call"], "condition": {"metric": "health_score", "op": "<", "value": 60},
}  # fmt: skip


def test_two_playbooks_of_one_name_get_a_key_each(tenants):
    admin = UserFactory(role=Role.OWNER)

    def write():
        write_playbook(None, name="Win back", tasks=[TASK], actor=admin, at=AT)

    assert second_meanwhile(write, write) is None
    written = Playbook.objects.order_by("key").values_list("key", "name", "tasks__title")
    assert list(written) == [("win-back", "Win back", "Call"), ("win-back-2", "Win back", "Call")]


def test_two_trigger_drafts_of_one_name_get_a_key_each(tenants):
    def draft():
        draft_trigger(None, definition=RULE, actor=None, at=AT)

    assert second_meanwhile(draft, draft) is None
    kept = Trigger.objects.order_by("key").values_list("key", "draft__key", "name", "is_enabled")
    assert list(kept) == [("win-back", "win-back", "Win back", False), ("win-back-2", "win-back-2", "Win back", False)]


@pytest.mark.parametrize("make", [draft_trigger, create_trigger])
def test_the_second_of_two_triggers_of_one_key_is_refused_by_name(tenants, make):
    given = {"definition": {**RULE, "key": "lost"}, "actor": None, "at": AT}
    made = (lambda: make(None, **given)) if make is draft_trigger else (lambda: make(**given))

    error = second_meanwhile(made, made)

    assert isinstance(error, RuleViolated)
    assert (error.rule, str(error), error.field) == ("unique", "there is a trigger lost already", "key")
    assert Trigger.objects.count() == 1
