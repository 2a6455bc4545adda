"""What a person sees follows from their sight and nothing else, so that statements can be kept by it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django_tenants.utils import tenant_context

from accounts.actions.stand_ins import set_stand_in
from accounts.choices import STAFF_ROLES, Role
from accounts.models import StandIn, User, Workspace
from accounts.queries.kept_statements import MOST_KEPT, _statement
from myday.queries import _everything, my_day
from tests.factories import AccountFactory, CtaFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 2, 9, tzinfo=UTC)
TODAY = NOW.date()
# What a condition may read of a person and of their workspace: the parts of a sight.
OF_A_PERSON = {"pk", "id", "role", "is_active", "is_authenticated", "is_portal", "workspace_settings", "covers"}
OF_A_WORKSPACE = {"csm_reads_all_accounts", "day_of", "timezone"}
# What Django asks of anything that is given as a condition's value.
OF_A_VALUE = {"resolve_expression", "get_source_expressions", "get_deferred_fields", "serializable_value"}


@pytest.fixture(autouse=True)
def during():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def csm(db):
    return UserFactory(role=Role.CSM)


def again(person):
    return User.objects.get(pk=person.pk)


class Asked:
    """The attributes that were read of rows of a model."""

    def __init__(self, model, monkeypatch):
        self.names = set()
        plain = model.__getattribute__

        def told(row, name):
            if not name.startswith("_") and name not in OF_A_VALUE:
                self.names.add(name)
            return plain(row, name)

        monkeypatch.setattr(model, "__getattribute__", told)


@pytest.mark.parametrize("role", sorted(STAFF_ROLES - {Role.READ_ONLY}))
@pytest.mark.parametrize("reads_all", [True, False])
def test_the_day_asks_nothing_of_a_person_that_is_not_in_their_sight(role, reads_all, monkeypatch):
    Workspace.objects.update(csm_reads_all_accounts=reads_all)
    absent, person = UserFactory(), UserFactory(role=role)
    StandIn.objects.create(absent=absent, colleague=person, from_on=TODAY, until_on=TODAY, set_at=NOW)
    reader = again(person)
    reader.sight  # noqa: B018  # who stands in for whom is read once
    of_a_person, of_a_workspace = Asked(User, monkeypatch), Asked(Workspace, monkeypatch)

    statement = str(_everything(reader, TODAY).query)

    monkeypatch.undo()
    assert str(absent.pk).replace("-", "") in statement.replace("-", "")
    # The name stands beside lent work and is a part of the sight with the stand-in.
    assert of_a_person.names - {"name", "email"} <= OF_A_PERSON
    assert of_a_workspace.names <= OF_A_WORKSPACE


def test_a_sight_is_another_one_when_any_part_of_it_changes(csm):
    absent = UserFactory(name="Dana Reyes")
    seen = [again(csm).sight]
    Workspace.objects.update(csm_reads_all_accounts=not Workspace.objects.get().csm_reads_all_accounts)
    seen.append(again(csm).sight)
    set_stand_in(absent, csm, from_on=TODAY, until_on=TODAY, actor=absent, at=NOW)
    seen.append(again(csm).sight)
    StandIn.objects.update(until_on=date(2026, 12, 9))
    seen.append(again(csm).sight)
    User.objects.filter(pk=absent.pk).update(name="Dana Reyes-Lund")
    seen.append(again(csm).sight)
    User.objects.filter(pk=csm.pk).update(role=Role.READ_ONLY)
    seen.append(again(csm).sight)
    User.objects.filter(pk=csm.pk).update(is_active=False, deactivated_at=NOW)
    seen.append(again(csm).sight)
    assert len(set(seen)) == len(seen)
    assert again(csm).sight == seen[-1]


def test_what_somebody_may_see_changes_with_the_next_look(csm):
    """Their own CTA on an account that is not theirs is there while they read all accounts, and only then."""
    cta = CtaFactory(account=AccountFactory(), owner=csm, due_on=TODAY)
    for reads_all in (True, False, True):
        Workspace.objects.update(csm_reads_all_accounts=reads_all)
        found = [entry.line.pk for entry in my_day(again(csm), TODAY).entries]
        assert found == ([cta.pk] if reads_all else [])


def test_whoever_may_see_nothing_has_an_empty_day(csm):
    CtaFactory(account=AccountFactory(owner=csm), owner=csm, due_on=TODAY)
    User.objects.filter(pk=csm.pk).update(is_active=False, deactivated_at=NOW)
    assert my_day(again(csm), TODAY).entries == []


def test_the_next_day_has_a_statement_of_its_own(csm):
    CtaFactory(account=AccountFactory(owner=csm), owner=csm, due_on=date(2026, 12, 10), priority="low")
    assert my_day(again(csm), TODAY).entries == []
    assert len(my_day(again(csm), date(2026, 12, 3)).entries) == 1


def test_a_statement_is_built_once_and_the_two_tenants_have_one_each(csm, tenants):
    _statement.cache_clear()
    for _look in range(2):
        my_day(again(csm), TODAY)
    assert _statement.cache_info()[:2] == (1, 1)
    with tenant_context(tenants["globex"]):
        twin = UserFactory(pk=csm.pk, email="twin@globex.test")
        CtaFactory(account=AccountFactory(owner=twin), owner=twin, due_on=TODAY)
        assert len(my_day(twin, TODAY).entries) == 1
    assert my_day(again(csm), TODAY).entries == []
    assert _statement.cache_info().currsize == 2 <= MOST_KEPT
