"""Two incidents of the demonstration companies: one resolved with its review written, one that is being worked."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Account, Contact, Severity, User
from support import actions, lifecycle
from support.models import Incident, Ticket
from support.queries import incident_letters as letters

PAST = "Sign-in was refused for everybody"
PRESENT = "Nightly imports come late"
REVIEW = {
    "root cause": "The certificate of the sign-in service ran out at midnight. Its renewal had been ordered and waited "
    "for a confirmation that nobody was asked for.",
    lifecycle.CONTRIBUTING: "The reminder went to an address that nobody reads since the team moved.\nThe check of the "
    "sign-in page follows an old session and noticed nothing.",
    "impact": "Nobody could sign in for 95 minutes on a working morning. Work that was under way went on; nothing was "
    "lost.",
    "lessons": "What runs out needs an owner and two warnings.\nThe check of a page begins where a customer begins.",
}
# What a workspace without severities, or a letter before its time, has no word for.
MISSING = {"severity": "High", "next update": "As soon as there is something new"}
MEASURES = (("Warn of certificates 30 and 7 days ahead", 6), ("Check the sign-in page without a session", 13))


def write_incidents(people: dict[str, User], *, now: datetime) -> None:
    """Open both through the product's own actions, as a support agent and the leader would."""
    agent, leader = people["Owen Hart"], people["Victoria Hale"]
    accounts = _accounts()
    severities = list(Severity.objects.order_by("rank", "key"))
    worst = severities[0] if severities else None
    second = severities[min(1, len(severities) - 1)] if severities else None
    past = _opened(PAST, "sign-in", worst, accounts[:4], leader, agent, at=now - timedelta(days=9, hours=3))
    _resolved(past, leader, agent, now=now)
    present = _opened(PRESENT, "import", second, accounts[2:5], leader, agent, at=now - timedelta(hours=2, minutes=20))
    for ticket in Ticket.objects.active().filter(component="import", incident=None).order_by("number")[:2]:
        actions.link_ticket(present, ticket, actor=agent, at=now - timedelta(hours=2))
    _told(present, "incident-alert", agent, at=now - timedelta(hours=2))
    for stage in present.stages[1 : len(present.stages) // 2]:
        if lifecycle.meaning_of(stage["key"]):
            break
        present = actions.move_incident(present, stage["key"], actor=agent, at=now - timedelta(minutes=100))
    actions.post_incident_update(
        present, "Two of three import machines are back. Files of the night are worked in order.", actor=agent,
        at=now - timedelta(minutes=35),
    )  # fmt: skip


def _accounts() -> list[Account]:
    """Live customers with somebody to write to, by name."""
    reached = Contact.objects.present().exclude(email="").values("account")
    rows = Account.objects.live().filter(pk__in=reached, owner__is_active=True)
    return list(rows.select_related("tier", "owner").order_by("name")[:5])


def _opened(
    title: str, component: str, severity: Severity | None, accounts: list[Account], leader: User, agent: User,
    *, at: datetime,
) -> Incident:  # fmt: skip
    return actions.open_incident(
        title=title, component=component, severity=severity, impact=1, accounts=accounts, commander=leader,
        summary=f"{title}. We are working on it.", update_minutes=60, has_cadence=True, actor=agent, at=at,
    )  # fmt: skip


def _told(incident: Incident, key: str, agent: User, *, at: datetime) -> None:
    template = lifecycle.letter_of(incident.letters, key)
    if template is None:
        return
    affected = [row.account for row in incident.affected.present().select_related("account")]
    people = []
    for audience in letters.audiences(incident, affected):
        people += [contact for contact in audience.contacts if contact.pk in audience.chosen][:2]
    values = {
        name: text or MISSING.get(name, "As told before.") for name, text in letters.filled(incident, template).items()
    }
    actions.send_letter(
        incident,
        key,
        values=values,
        contacts=people,
        subject=letters.subject_of(incident, template),
        actor=agent,
        at=at,
    )


def _resolved(incident: Incident, leader: User, agent: User, *, now: datetime) -> None:
    """Told of, solved in 95 minutes, agreed to, reviewed four days later with measures that are due."""
    began = incident.opened_at
    ahead = lifecycle.place_of(incident.stages, lifecycle.first_meaning(incident.stages, lifecycle.RESOLVE))
    for number, stage in enumerate(incident.stages[1:ahead]):
        incident = actions.move_incident(
            incident, stage["key"], actor=agent, at=began + timedelta(minutes=4 + 3 * number)
        )
    _told(incident, "incident-alert", agent, at=began + timedelta(minutes=12))
    actions.post_incident_update(
        incident, "The cause is found: a certificate ran out.", actor=agent, at=began + timedelta(minutes=40)
    )
    _told(incident, "status-update", agent, at=began + timedelta(minutes=42))
    confirmed = lifecycle.first_meaning(incident.stages, lifecycle.CONFIRM)
    incident = actions.move_incident(
        incident, confirmed, resolution="The certificate was renewed and every server restarted.", confirmed=True,
        confirmation="Two customers wrote that they are in again", actor=agent, at=began + timedelta(minutes=95),
    )  # fmt: skip
    _told(incident, "resolution-notice", agent, at=began + timedelta(minutes=100))
    reviewed = began + timedelta(days=4)
    parts = {name: REVIEW.get(name, "") for name in lifecycle.review_fields(incident.letters)}
    parts["timeline"] = letters.timeline_text(incident)
    actions.save_review(incident, parts, actor=leader, at=reviewed)
    account = incident.affected.present().select_related("account__owner").order_by("account__name")[0].account
    for title, days in MEASURES:
        due_on = (now + timedelta(days=days)).date()
        actions.add_action(
            incident, title=title, owner=leader, due_on=due_on, accounts=[account], actor=leader, at=reviewed
        )
    actions.publish_review(incident, actor=leader, at=reviewed + timedelta(hours=1))
