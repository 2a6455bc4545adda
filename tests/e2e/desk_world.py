"""What stands on the support desk of the browser's workspace: a ticket, an escalation, incidents, held mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from accounts.actions import create_contact
from accounts.models import Account, Severity, User
from support import actions as desk
from support.lifecycle import review_fields
from support.models import Ladder
from support.queries.ratings import rating_token


def escalation(account: Account, leader: User, now: datetime) -> UUID:
    """A case at the second tier that was acknowledged."""
    raised = desk.escalate(
        account, ladder=Ladder.objects.get(pack="fleet"), path="default", level="T2", reason="GPS feed stops daily",
        actor=leader, at=now - timedelta(hours=5),
    )  # fmt: skip
    return desk.acknowledge(raised, actor=leader, at=now - timedelta(hours=4)).pk


def incidents(account: Account, leader: User, now: datetime) -> dict[str, UUID | str]:
    """One that is worked with somebody told and a ticket, and one that is resolved with its review and a measure."""
    began = now - timedelta(hours=3)
    person = create_contact(account, name="Ida Holm", email="ida@dovetail.example", actor=None, at=began)
    ticket = desk.open_ticket(account, subject="Nobody gets past sign-in", channel="email", actor=None, at=began)
    worst = Severity.objects.order_by("rank").first()
    given = {"severity": worst, "impact": 1, "commander": leader, "accounts": [account], "actor": leader, "at": began}
    open_one = desk.open_incident(
        title="Sign-in is down", summary="Nobody can sign in.", component="sign-in", tickets=[ticket], **given
    )
    values = {"issue": "Nobody can sign in.", "affected service": "sign-in", "severity": "High",
              "acknowledged at": "{acknowledged_at}", "next update": "{next_update}"}  # fmt: skip
    desk.send_letter(
        open_one,
        "incident-alert",
        values=values,
        contacts=[person],
        subject="Sign-in is down",
        actor=leader,
        at=began + timedelta(minutes=20),
    )
    done = desk.open_incident(title="Imports were late", component="import", **given)
    desk.move_incident(
        done, "closure", resolution="More workers", confirmation="Watched for a day", actor=leader, at=began
    )
    parts = dict.fromkeys(review_fields(done.letters), "A queue without a limit filled up.")
    desk.save_review(done, parts, actor=leader, at=now)
    desk.publish_review(done, actor=leader, at=now)
    day = now.date() + timedelta(days=7)
    desk.add_action(done, title="Limit the queue", owner=leader, due_on=day, accounts=[account], actor=leader, at=now)
    return {"incident": open_one.pk, "reviewed incident": done.pk}


def held_mail(now: datetime) -> UUID:
    """A mail from somebody nobody knows."""
    raw = (
        b"From: Dana Flores <dana@unknown.example>\nTo: support@acme.localhost\nSubject: The map does not load\n\n"
        b"Since this morning.\n\nOn Monday, Ann wrote:\n> Try it again\n"
    )
    return desk.work_mail(desk.receive(raw, source="file", at=now).pk, at=now).pk


def rating_link(account: Account, leader: User, now: datetime) -> str:
    """What a customer holds who is asked about a resolution."""
    began = now - timedelta(days=3)
    ticket = desk.open_ticket(account, subject="A label is cut off", channel="email", actor=None, at=began)
    return rating_token(desk.resolve(ticket, actor=leader, at=began + timedelta(hours=5)))


def tickets(account: Account, leader: User, now: datetime) -> UUID:
    """Three tickets that wait, the first of them noted and answered. Returns the first."""
    opened = []
    for number, subject in enumerate(("Import stops at row 400", "Drivers cannot sign in", "Map shows old routes")):
        began = now - timedelta(hours=30 - number)
        given = {"subject": subject, "body": "It worked until yesterday.", "impact": 2, "tags": ["import"]}
        opened.append(desk.open_ticket(account, channel="email", actor=None, at=began, **given))
    desk.note(opened[0], "Same as last month?", actor=leader, at=now - timedelta(hours=3))
    desk.reply(opened[0], "We are looking into it.", actor=leader, at=now - timedelta(hours=2))
    return opened[0].pk
