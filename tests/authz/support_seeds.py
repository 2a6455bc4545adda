"""Tickets, teams, mail, service levels and escalations of one account."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

from accounts.actions import create_contact
from accounts.models import Account, Severity, User, WorkCalendar
from accounts.uploads import Checked
from support.actions import (
    attach,
    bulk_tag,
    create_policy,
    escalate,
    note,
    open_ticket,
    receive,
    reply,
    resolve,
    save_field,
    save_holidays,
    save_macro,
    save_team,
    seat,
    set_routing,
    start_checklist,
)  # fmt: skip
from support.models import ChecklistTemplate, IncomingMail, Ladder, SlaPolicy, SupportChannel, Ticket
from support.queries.ratings import rating_token
from tests.authz.incident_seeds import fill_incidents
from tests.authz.world import canary, plant

if TYPE_CHECKING:
    from tests.authz.world import World

PACK = "fleet"


def fill_support(world: World, letter: str, number: int, account: Account) -> None:
    """What one account asks, and with the first of them what the desk of the workspace is made of."""
    account = Account.objects.select_related("owner", "tier").get(pk=account.pk)
    Severity.objects.get_or_create(key="matrix", defaults={"name": "Matrix", "rank": 2})
    actor = account.owner
    for seed in ("ticket", "ticket_resolved"):
        ticket = open_ticket(
            account, subject=canary(letter, number, "i", seed), body=canary(letter, number, "i", "message"),
            channel="email", actor=actor, at=world.now,
        )  # fmt: skip
        world.keep(letter, seed, number, ticket)
    later = open_ticket(
        account, subject=canary(letter, number, "i", "later"), channel="email", actor=actor, at=world.now
    )
    world.keep(letter, "ticket_other", number, later)
    opened = world.row("ticket", _which(letter, number))
    file = Checked("log.txt", "text/plain; charset=utf-8", canary(letter, number, "i", "file").encode())
    world.keep(letter, "attachment", number, attach(opened.messages.first(), [file], at=world.now)[0])
    if number == 1:
        # Merged with another of its own account: the other account has no part in that.
        world.keep(letter, "ticket_merging", 1, world.row("ticket", _which(letter, 1)))
    reply(world.row("ticket", _which(letter, number)), canary(letter, number, "i", "reply"), actor=actor, at=world.now)
    resolve(ticket, actor=actor, at=world.now)
    if number == 1:
        macro = save_macro(None, name=canary(letter, "w", "i", "macro"), body="x", actor=actor, at=world.now)
        world.keep(letter, "macro", 1, macro)
        _teams(world, letter, actor)
    done = bulk_tag([opened.pk], [canary(letter, number, "i", "tag")[:40]], actor=actor, at=world.now)
    world.keep(letter, "ticket_edit", number, done.edit)
    world.keep(letter, "ladder", 1, Ladder.objects.get(pack=PACK))
    world.keep(letter, "sla_policy", 1, _own_policy(world, actor))
    done = Ticket.objects.get(pk=world.row("ticket_resolved", _which(letter, number)).pk)
    if number == 1:
        world.keep(letter, "rating_link", 1, SimpleNamespace(token=rating_token(done)))
        world.keep(letter, "mail", 1, _mail(letter, world.now))
    escalation = escalate(
        account, ladder=Ladder.objects.get(pack=PACK), path="default", reason=canary(letter, number, "i", "escalation"),
        actor=actor, at=world.now,
    )  # fmt: skip
    world.keep(letter, "escalation", number, escalation)
    fill_incidents(world, letter, number, account)
    _of_the_portal(world, letter, number, account)


def _teams(world: World, letter: str, actor: User) -> None:
    """A team with somebody on it and one without; tickets stay nobody's."""
    set_routing("off", actor=actor, at=world.now)
    team = save_team(None, key="matrix", name=canary(letter, "w", "i", "team"), actor=actor, at=world.now)
    world.keep(letter, "team", 1, team)
    world.keep(letter, "seat", 1, seat(team, actor, actor=actor, at=world.now))
    empty = save_team(
        None, key="matrix-empty", name=canary(letter, "w", "i", "empty"), level=3, actor=actor, at=world.now
    )
    world.keep(letter, "team_empty", 1, empty)
    world.keep(letter, "ticket_field", 1, save_field(
        None, key="matrix", label=canary(letter, "w", "i", "field"), actor=actor, at=world.now
    ))  # fmt: skip
    channel = SupportChannel.objects.filter(pack=PACK).earliest("position")
    world.keep(letter, "support_channel", 1, plant(channel, letter, "w", only=("use",)))
    review = ChecklistTemplate.objects.get(pack=PACK, is_monthly=True)
    opened = start_checklist(review, actor=actor, at=world.now)
    opened.notes = canary(letter, "w", "i", "notes")
    opened.save(update_fields=["notes"])
    world.keep(letter, "checklist", 1, opened)
    world.keep(letter, "habits", 1, ChecklistTemplate.objects.get(pack=PACK, key="escalation-prevention"))
    days_off = save_holidays(None, name=canary(letter, "w", "i", "days"), days=["12-24"], actor=actor, at=world.now)
    world.keep(letter, "holidays", 1, days_off)


def _of_the_portal(world: World, letter: str, number: int, account: Account) -> None:
    """What the portal's person asked: one that is open, with a file, and one that is done."""
    person = create_contact(
        account, name=canary(letter, number, "s", "asker"), email=f"portal{number}@{letter}.example.com", actor=None,
        at=world.now,
    )  # fmt: skip
    for seed in ("portal_ticket", "portal_done"):
        asked = open_ticket(
            account, subject=canary(letter, number, "s", seed), body=canary(letter, number, "s", "asked"),
            channel="portal", requester=person, actor=None, at=world.now,
        )  # fmt: skip
        world.keep(letter, seed, number, asked)
    resolve(asked, actor=account.owner, at=world.now)
    first = world.row("portal_ticket", _which(letter, number))
    note(first, canary(letter, number, "i", "note"), actor=account.owner, at=world.now)
    file = Checked("log.txt", "text/plain; charset=utf-8", canary(letter, number, "s", "file").encode())
    world.keep(letter, "portal_file", number, attach(first.messages.first(), [file], at=world.now)[0])


def _mail(letter: str, at: datetime) -> IncomingMail:
    """A mail in quarantine, which belongs to no account yet."""
    text = canary(letter, "w", "i", "mail")
    raw = f"From: {text}@matrix.example\nSubject: {text}\n\n{text}\n".encode()
    mail = receive(raw, source="file", at=at)
    IncomingMail.objects.filter(pk=mail.pk).update(
        state="quarantined", reason=text, subject=text, from_address="x@matrix.example", worked_at=at
    )
    mail.refresh_from_db()
    return mail


def _which(letter: str, number: int) -> str:
    return "foreign" if letter == "b" else ("own" if number == 1 else "other")


def _own_policy(world: World, actor: User) -> SlaPolicy:
    """A service level of the workspace's own, for nobody, so that the pack's keep holding."""
    found = SlaPolicy.objects.filter(key="matrix").first()
    if found is not None:
        return found
    rules = [{"severity": "*", "response": {"value": 4, "unit": "hours", "op": "<="}}]
    return create_policy(
        key="matrix", name="Matrix", calendar=WorkCalendar.objects.get(key="of-a-service-level"), rules=rules,
        scope="channel", channels=["emergency"], actor=actor, at=world.now,
    )  # fmt: skip
