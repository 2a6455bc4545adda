"""A workspace's own playbooks: written, changed, copied from a methodology's, retired and brought back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import AuditEntry
from playbooks.actions import (
    install_playbook,
    open_cta,
    restore_playbook,
    retire_playbook,
    set_trigger_keys,
    write_playbook,
)
from playbooks.actions.own import MAX_DAYS
from playbooks.models import Playbook
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
TASK = {"title": "Call", "step": "", "offset_days": 2, "unit": "business", "optional": False}


@pytest.fixture
def admin():
    return UserFactory(role=Role.OWNER)


@pytest.fixture
def desk(client, admin):
    client.force_login(admin)
    return client


def sent(*rows, **texts):
    """What the form posts."""
    data = {"name": "Recovery", "tasks-TOTAL_FORMS": str(len(rows)), "tasks-INITIAL_FORMS": "0", **texts}
    for number, row in enumerate(rows):
        values = {"unit": "business", **row}
        data |= {f"tasks-{number}-{name}": value for name, value in values.items()}
    return data


def shipped():
    definition = {"key": "save", "name": "Save", "steps": [{"name": "Look", "tasks": ["call", "read"]}]}
    return install_playbook(definition, pack="fleet", version="1.0", at=AT)


def test_tasks_stand_by_their_days_and_a_cta_gets_them_with_its_own_days(admin):
    tasks = [{**TASK, "title": "Late", "offset_days": 9, "unit": "calendar"}, TASK, {**TASK, "optional": True}]
    playbook = write_playbook(None, name="  Win   back ", tasks=tasks, actor=admin, at=AT)
    assert (playbook.name, playbook.key, playbook.pack) == ("Win back", "win-back", "")
    assert list(playbook.tasks.values_list("title", "optional")) == [("Call", False), ("Call", True), ("Late", False)]
    cta = open_cta(
        AccountFactory(), title="x", reason="", kind="risk", priority="high", playbook_key=playbook.key, at=AT
    )
    late = cta.tasks.get(title="Late")
    assert late.due_on == AT.date() + timedelta(days=9)


def test_a_change_is_in_the_audit_once_and_leaves_ctas_at_work_alone(admin):
    playbook = write_playbook(None, name="Win back", tasks=[TASK], actor=admin, at=AT)
    values = {"title": "x", "reason": "", "kind": "risk", "priority": "high", "playbook_key": playbook.key, "at": AT}
    cta = open_cta(AccountFactory(), **values)
    for _ in range(2):
        write_playbook(playbook, name="Win back", tasks=[{**TASK, "title": "Write"}], actor=admin, at=AT)
    assert [task.title for task in cta.tasks.all()] == ["Call"]
    assert AuditEntry.objects.filter(action="playbook.update").count() == 1
    entry = AuditEntry.objects.get(action="playbook.update")
    assert entry.before["tasks"][0][1] == "Call"
    assert entry.after["tasks"][0][1] == "Write"


def test_what_others_changed_since_it_was_read_stays(admin):
    playbook = write_playbook(None, name="Win back", tasks=[TASK], actor=admin, at=AT)
    read = Playbook.objects.get(pk=playbook.pk)
    set_trigger_keys(playbook, ["low-adoption"], actor=admin, at=AT)
    write_playbook(read, name="Won back", tasks=[TASK], actor=admin, at=AT)
    playbook.refresh_from_db()
    assert (playbook.name, playbook.trigger_keys) == ("Won back", ["low-adoption"])
    for _ in range(2):
        retire_playbook(read, actor=admin, at=AT)
    assert AuditEntry.objects.filter(action="playbook.retire").count() == 1


def test_the_audit_tells_the_triggers_as_they_were_not_as_they_were_read(admin):
    playbook = write_playbook(None, name="Win back", tasks=[TASK], actor=admin, at=AT)
    read = Playbook.objects.get(pk=playbook.pk)
    set_trigger_keys(playbook, ["low-adoption"], actor=admin, at=AT)
    for _ in range(2):
        changed = set_trigger_keys(read, ["quiet"], actor=admin, at=AT)
        assert changed.trigger_keys == ["quiet"]
    told = AuditEntry.objects.filter(action="playbook.triggers").order_by("id").values_list("before", "after")
    assert list(told) == [
        ({"triggers": []}, {"triggers": ["low-adoption"]}),
        ({"triggers": ["low-adoption"]}, {"triggers": ["quiet"]}),
    ]


def test_two_of_a_name_have_two_keys(admin):
    keys = {write_playbook(None, name="Win back", tasks=[TASK], actor=admin, at=AT).key for _ in range(3)}
    assert keys == {"win-back", "win-back-2", "win-back-3"}
    assert write_playbook(None, name="Дело", tasks=[TASK], actor=admin, at=AT).key == "playbook"


@pytest.mark.parametrize(
    ("texts", "tasks", "field"),
    [
        ({"name": " "}, [TASK], "name"),
        ({"name": "x" * 121}, [TASK], "name"),
        ({"name": "x", "objective": "x" * 301}, [TASK], "objective"),
        ({"name": "x"}, [], "tasks"),
        ({"name": "x"}, [TASK] * 61, "tasks"),
        ({"name": "x"}, [{**TASK, "title": " "}], "tasks"),
        ({"name": "x"}, [{**TASK, "offset_days": MAX_DAYS + 1}], "tasks"),
        ({"name": "x"}, [{**TASK, "unit": "moons"}], "tasks"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_nothing_is_written(admin, texts, tasks, field):
    with pytest.raises(RuleViolated) as refused:
        write_playbook(None, tasks=tasks, actor=admin, at=AT, **texts)
    assert refused.value.field == field
    assert not Playbook.objects.exists()


def test_a_methodologys_own_stays_as_it_came_and_can_be_copied(desk, admin):
    playbook = shipped()
    with pytest.raises(RuleViolated):
        write_playbook(playbook, name="Mine", tasks=[TASK], actor=admin, at=AT)
    for verb in (retire_playbook, restore_playbook):
        with pytest.raises(RuleViolated):
            verb(playbook, actor=admin, at=AT)
    page = desk.get(f"/playbooks/new/?copy={playbook.pk}").content.decode()
    assert 'value="Save (copy)"' in page
    assert 'value="Call"' in page
    assert desk.get("/playbooks/new/?copy=nonsense").status_code == 200


def test_the_page_writes_one_and_says_what_is_wrong_without_losing_anything(desk):
    assert desk.post("/playbooks/new/", sent({"title": "Call", "offset_days": "2"})).status_code == 302
    playbook = Playbook.objects.get()
    assert [task.title for task in playbook.tasks.all()] == ["Call"]
    refused = desk.post("/playbooks/new/", sent({"title": "Call them", "offset_days": "-1"}))
    assert refused.status_code == 422
    assert 'value="Call them"' in refused.content.decode()
    none = desk.post("/playbooks/new/", sent({"title": ""}))
    assert none.status_code == 422
    assert "A playbook has 1 to 60 tasks." in none.content.decode()
    assert Playbook.objects.count() == 1


def test_a_retired_one_is_not_offered_and_comes_back(desk, admin):
    playbook = write_playbook(None, name="Win back", tasks=[TASK], actor=admin, at=AT)
    desk.post(f"/playbooks/{playbook.pk}/retire/", follow=True)
    assert "Win back" not in desk.get("/playbooks/").content.decode()
    assert "Win back" in desk.get("/playbooks/?retired=1").content.decode()
    assert "Win back" not in desk.get("/ctas/new/").content.decode()
    desk.post(f"/playbooks/{playbook.pk}/restore/", follow=True)
    assert "Win back" in desk.get("/playbooks/").content.decode()
    entries = AuditEntry.objects.filter(action__startswith="playbook.").order_by("id")
    assert [entry.action for entry in entries] == ["playbook.create", "playbook.retire", "playbook.restore"]


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=130))
def test_no_name_breaks_it(name):
    admin = UserFactory(role=Role.OWNER)
    try:
        playbook = write_playbook(None, name=name, tasks=[TASK], actor=admin, at=AT)
    except RuleViolated:
        return
    assert playbook.key
    assert len(playbook.key) <= 80
