"""Who is due to hear from us, and what is wrong with the people we know."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.actions import create_contact, log_touch
from accounts.choices import Role, StakeholderRole
from accounts.models import Contact
from accounts.queries.people import people_of
from accounts.stakeholders import CADENCE, findings, standing
from tests.factories import AccountFactory, UserFactory

TODAY = date(2026, 11, 24)


def ago(days):
    return TODAY - timedelta(days=days)


def person(name="Ilse", role="champion", *, left=None, touched=None, known=400):
    return standing(name, role, left and ago(left), None if touched is None else ago(touched), ago(known))


@pytest.mark.parametrize(
    ("who", "late"),
    [
        (person(touched=30), 0),
        (person(touched=31), 1),
        (person(known=29), 0),
        (person(known=40), 10),
        (person(role="executive_sponsor", touched=90), 0),
        (person(role="executive_sponsor", touched=95), 5),
        (person(role="end_user"), 0),
        (person(left=3, touched=300), 0),
    ],
)
def test_somebody_is_late_when_their_roles_days_have_passed(who, late):
    assert who.days_late(TODAY) == late


def test_every_seat_of_the_map_has_a_cadence():
    assert set(CADENCE) == set(StakeholderRole) - {StakeholderRole.END_USER, StakeholderRole.OTHER}


@pytest.mark.parametrize(
    ("people", "found"),
    [
        ([], ["nobody"]),
        ([person()], ["single"]),
        ([person("A", touched=5), person("B", "decision_maker")], ["single"]),
        ([person("A", touched=90), person("B", touched=5)], []),
        ([person("A", touched=91), person("B", touched=5)], ["single"]),
        ([person("A"), person("B")], []),
        ([person("S", "executive_sponsor", left=9), person("A"), person("B")], ["left-executive_sponsor"]),
        ([person("S", "executive_sponsor", left=9), person("T", "executive_sponsor"), person("B")], []),
        ([person("E", "end_user", left=9), person("A"), person("B")], []),
    ],
)
def test_what_is_wrong_with_the_people(people, found):
    assert [finding.key for finding in findings(people, TODAY)] == found


def test_the_one_who_left_last_is_named():
    people = [person("Old", left=200), person("New", left=9), person("A", "other"), person("B", "other")]
    assert findings(people, TODAY)[0].text == "New left on 15 Nov 2026, and nobody has taken the seat."


@pytest.mark.django_db
def test_a_touch_counts_for_everybody_it_names_and_the_later_one_wins():
    now, who, account = timezone.now(), UserFactory(role=Role.VP_CS), AccountFactory()
    for name in ("Pieter Vos", "Ilse Boer", "Sanne Bakker"):
        create_contact(account, actor=None, at=now, name=name, stakeholder_role="champion")
    Contact.objects.update(created_at=now - timedelta(days=100))
    Contact.objects.filter(name="Sanne Bakker").update(last_touch_at=now - timedelta(days=2))
    for days, names in ((50, ["pieter vos", "Ilse Boer"]), (9, ["Pieter Vos"]), (20, ["Sanne Bakker"])):
        log_touch(
            account, kind="call", title="x", actor=who, at=now, happened_at=now - timedelta(days=days), attendees=names
        )
    log_touch(account, kind="note", title="no touch", actor=who, at=now, attendees=["Ilse Boer"])

    known = people_of(account, timezone.localdate())

    days = {one.contact.name: (now - one.last_touch_at).days for one in known.present}
    assert days == {"Pieter Vos": 9, "Ilse Boer": 50, "Sanne Bakker": 2}
    assert (known.present[0].contact.name, known.present[0].late) == ("Ilse Boer", 20)
