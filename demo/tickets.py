"""What customers of the demonstration companies asked lately, how it was answered, and what still waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from accounts.models import Account, Contact, Severity, User
from demo.workspaces import Demo
from support import actions
from support.choices import Channel, Delivery, Status, TicketType
from support.models import Ladder, Team, TeamSeat, Ticket
from support.queries.escalations import Offer, offers

TICKETS = 54
DAYS = 45
CHANNELS = (Channel.EMAIL, Channel.EMAIL, Channel.PORTAL, Channel.PHONE, Channel.CHAT)


@dataclass(frozen=True, slots=True)
class Case:
    """Something that goes wrong everywhere: ``rank`` is how bad (1 worst), ``answer`` what helps."""

    subject: str
    body: str
    answer: str
    component: str
    rank: int
    impact: int
    type: str = TicketType.PROBLEM
    tags: tuple[str, ...] = ()


CASES = (
    Case(
        "Nobody can sign in since this morning",
        "All of us get \u201caccess refused\u201d after single sign-on. We cannot work.",
        "The certificate of your identity provider ran out last night. Please renew it there; we have switched the "
        "password sign-in on for your owners meanwhile.",
        "sign-in", 1, 1, tags=("sso",),
    ),
    Case(
        "Figures of yesterday are missing",
        "The dashboard stops on the day before yesterday. Our weekly meeting is at two.",
        "The nightly import waited for a file that came late. It has run now, and the figures are complete.",
        "dashboard", 2, 2, tags=("data",),
    ),
    Case(
        "Import stops at row 400",
        "The file is the same as last month's. It says \u201cunknown column\u201d and nothing is imported.",
        "Row 400 has one comma too many, so every later cell moved one column on. Put the name in quotes and it goes "
        "through.",
        "import", 3, 3, TicketType.HOW_TO, ("import",),
    ),
    Case(
        "Export to a spreadsheet shows everything in one column",
        "When I open the file, all of it stands in column A.",
        "Open it with Data, From text, and choose the comma. Or choose the semicolon under Settings, Export.",
        "export", 4, 3, TicketType.HOW_TO, ("export",),
    ),
    Case(
        "Please add three colleagues",
        "They start on Monday and need to read only.",
        "Done: each of them has an invitation in their inbox.",
        "people", 4, 3, TicketType.ACCESS, ("access",),
    ),
    Case(
        "The mobile app closes when I take a picture",
        "On two phones, since the update. Older phones are fine.",
        "That is a fault in the new version. The next one comes on Thursday; until then use the gallery.",
        "mobile", 3, 2, TicketType.BUG, ("mobile", "release"),
    ),
    Case(
        "Saving takes half a minute",
        "Every save makes us wait. Twelve people sit here and watch the circle turn.",
        "One report was rebuilt on each save. We have moved it to the night; please tell us whether it is quick again.",
        "performance", 2, 1, tags=("performance",),
    ),
    Case(
        "Can we have a report by site?",
        "Our board wants it by site and quarter.",
        "You can: choose Site under Group by and save it as a view. I attached none, since it holds your figures.",
        "reports", 4, 3, TicketType.QUESTION, ("reports",),
    ),
    Case(
        "The interface answers with 401",
        "Our nightly job fails since the token was changed.",
        "The new token has no write scope. Make one with it, and the job goes through.",
        "api", 3, 2, TicketType.PROBLEM, ("api",),
    ),
)  # fmt: skip
ASK = (
    "Dear {first_name},\n\ncould you send us a picture of the whole page and the time at which it happened? Then we "
    "can find it in the log.\n\n{agent}"
)
SOLVED = "Dear {first_name},\n\nthis is solved. If it comes back, answer here and it is open again.\n\n{agent}"
PASSED = "Passed to engineering with the steps and the log."
MACROS = (
    ("Ask for a picture", ASK, {"status": Status.WAITING_CUSTOMER}),
    ("Solved, please confirm", SOLVED, {"status": Status.RESOLVED}),
    ("Passed to engineering", PASSED, {"is_internal": True, "tags": "engineering"}),
)


def write_tickets(demo: Demo, people: dict[str, User], *, now: datetime) -> None:
    """Open, answer, escalate and close tickets of the last weeks; the newest still wait, some of them too long."""
    agent, leader = people["Owen Hart"], people["Victoria Hale"]
    rng = np.random.default_rng((demo.seed, 13))
    team = Team.objects.create(key="first-line", name="First line")
    TeamSeat.objects.create(team=team, user=agent)
    for name, body, extra in MACROS:
        actions.save_macro(None, name=name, body=body, actor=agent, at=now, **extra)
    severities = list(Severity.objects.all())
    asked = _askers(demo, rng)
    for number in range(TICKETS):
        case = CASES[number % len(CASES)]
        # The later ones are younger: the last dozen came within two days.
        age = timedelta(days=DAYS * (1 - number / TICKETS) ** 2, hours=1 + float(rng.uniform(0, 20)))
        ticket = _opened(case, *asked[number % len(asked)], severities, team, rng, at=now - age)
        _live(ticket, case, number, agent, rng, now=now)
    _escalate(leader, agent, now)


def _askers(demo: Demo, rng: np.random.Generator) -> list[tuple[Account, Contact]]:
    """Customers with somebody to write: first the one whose people have the portal."""
    rows = Contact.objects.filter(left_on=None, account__status="active").exclude(email="")
    by_account: dict[object, tuple[Account, Contact]] = {}
    for contact in rows.select_related("account__tier", "account__owner").order_by("account__created_at", "pk"):
        by_account.setdefault(contact.account_id, (contact.account, contact))
    everybody = list(by_account.values())
    portal = [pair for pair in everybody if pair[0].portal_users.exists()][:1]
    chosen = rng.choice(len(everybody), size=min(18, len(everybody)), replace=False)
    return [*portal, *(everybody[index] for index in chosen)]


def _opened(
    case: Case, account: Account, contact: Contact, severities: list[Severity], team: Team, rng: np.random.Generator,
    *, at: datetime,
) -> Ticket:  # fmt: skip
    severity = severities[min(case.rank, len(severities)) - 1] if severities else None
    return actions.open_ticket(
        account, subject=case.subject, body=case.body, channel=str(rng.choice([str(each) for each in CHANNELS])),
        severity=severity, impact=case.impact, type=case.type, component=case.component, tags=case.tags,
        requester=contact, team=team, actor=None, at=at,
    )  # fmt: skip


def _live(ticket: Ticket, case: Case, number: int, agent: User, rng: np.random.Generator, *, now: datetime) -> None:
    """Old ones are solved and mostly rated; of the last dozen some are answered, some noted, some untouched."""
    began = ticket.created_at
    young = number >= TICKETS - 14
    if young and number % 3 == 0:
        return
    answered = min(now, began + timedelta(minutes=float(rng.uniform(20, 500))))
    if number % 4 == 0:
        actions.note(ticket, f"Same as last time in {case.component}.", actor=agent, at=answered)
    status = Status.OPEN if not young else (Status.WAITING_CUSTOMER if number % 3 == 1 else Status.OPEN)
    actions.reply(ticket, case.answer, actor=agent, at=answered, status=status, delivery=Delivery.SENT)
    if young:
        return
    ended = min(now, answered + timedelta(hours=float(rng.uniform(2, 60))))
    actions.resolve(ticket, actor=agent, at=ended)
    if rng.random() < 0.7:
        score = int(rng.choice([5, 4, 3, 2], p=[0.5, 0.3, 0.14, 0.06]))
        actions.rate(ticket, score, comment="Quick and clear." if score == 5 else "", at=min(now, ended))
    if number % 2:
        actions.close(ticket, actor=None, at=min(now, ended), confirmed=True)


def _escalate(leader: User, agent: User, now: datetime) -> None:
    """The three worst that are open: one told of, one worked on, one nobody has seen yet."""
    ladders = list(Ladder.objects.all())
    open_ones = Ticket.objects.active().select_related("account__tier", "account__owner", "severity")
    for number, ticket in enumerate(open_ones.order_by("priority", "created_at")[:3]):
        step: Offer | None = next(iter(offers(ladders, ticket, executive=False)), None)
        if step is None:
            continue
        fields = step.ladder.definition.get("template", {}).get("fields", [])
        raised = actions.escalate(
            ticket.account, ladder=step.ladder, path=step.path, level=step.step.key, reason=ticket.subject,
            ticket=ticket, message=dict.fromkeys(fields, "As told in the ticket"), owner=leader, actor=agent,
            at=now - timedelta(hours=5 - number),
        )  # fmt: skip
        if number == 0:
            actions.acknowledge(raised, actor=leader, at=now - timedelta(hours=4))
            actions.begin(
                raised, "Called them; engineering looks at the log.", actor=leader, at=now - timedelta(hours=3)
            )
        if number == 1:
            actions.acknowledge(raised, actor=leader, at=now - timedelta(hours=1))
