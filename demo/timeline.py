"""What a CSM would find on an account's timeline: calls, meetings, notes and the turns of the story."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from demo.companies import Company, monday
from demo.story import CLIFF_WEEK, RELATIONSHIP, SILENT_WEEK, SPONSOR_LEFT_WEEK, WEEKS
from demo.workspaces import Demo

Entry = dict[str, Any]

GOOD = (
    (
        "call",
        "Monthly call with {champion}",
        "On plan. {champion} wants to roll out to the next site after the quarter.",
    ),
    ("meeting", "Business review", "Showed the saved hours; {sponsor} asked for the same figures by site."),
    ("email", "{champion} shared a result", "Their team closed the month two days earlier than last year."),
    ("note", "Reference possible", "{champion} offered to talk to a prospect of ours."),
)
FAIR = (
    ("call", "Check-in with {champion}", "Busy with a reorganisation; next call in three weeks."),
    ("meeting", "Training session", "Nine people came; reporting is still new to most."),
    ("email", "Question about exports", "Sent the guide, asked whether it answers the point."),
    ("note", "Budget round begins", "{sponsor} decides about extra seats in the next quarter."),
)
POOR = (
    ("call", "Difficult call with {champion}", "Two open problems, no date for either. They are comparing prices."),
    ("meeting", "Meeting moved again", "Third time in a row; asked for a date with {sponsor}."),
    ("email", "Complaint about response times", "Forwarded to support with the ticket numbers."),
    ("note", "No sponsor in the room", "Nobody above {champion} joined since summer."),
)


def activities(demo: Demo, company: Company, today: date) -> list[Entry]:
    """The account's timeline as rows for ``record_activities``, oldest first."""
    rng = np.random.default_rng((demo.seed, 9, company.index))
    entries = _rhythm(company, rng, today)
    for number, (weeks_ago, kind, title, body) in enumerate(_turns(demo, company)):
        entries.append(_entry(company, f"turn-{number}", kind, title, body, today - timedelta(weeks=weeks_ago), 10))
    return sorted(entries, key=lambda entry: entry["at"])


def _rhythm(company: Company, rng: np.random.Generator, today: date) -> list[Entry]:
    plot = company.trajectory
    last = plot.silent_from or plot.churn_week or WEEKS
    entries = []
    week = plot.first_week + int(rng.integers(0, 6))
    while week < last:
        mood = plot.latent[RELATIONSHIP, week]
        lines = GOOD if mood > 0.7 else FAIR if mood > 0.45 else POOR
        kind, title, body = lines[int(rng.integers(len(lines)))]
        day = monday(today) + timedelta(weeks=week, days=int(rng.integers(0, 5)))
        if day <= today:
            entries.append(_entry(company, f"touch-{week}", kind, title, body, day, int(rng.integers(8, 16))))
        week += int(rng.integers(3, 9))
    return entries


def _entry(company: Company, key: str, kind: str, title: str, body: str, day: date, hour: int) -> Entry:
    names = {
        "sponsor": company.people[0].name,
        "champion": company.people[min(1, len(company.people) - 1)].name,
    }
    return {
        "external_id": f"{company.external_id}-{key}",
        "account": company.external_id,
        "kind": kind,
        "title": title.format(**names),
        "body": body.format(**names),
        "at": datetime.combine(day, time(hour), tzinfo=UTC).isoformat(),
    }


def _turns(demo: Demo, company: Company) -> list[tuple[int, str, str, str]]:
    """The turns of the account's story: (weeks ago, kind, title, body)."""
    sponsor = company.people[0]
    match company.trajectory.story:
        case "sponsor left":
            return [
                (SPONSOR_LEFT_WEEK - 1, "people", f"{sponsor.name} left", f"{sponsor.title}. No successor named yet."),
                (
                    SPONSOR_LEFT_WEEK - 3,
                    "note",
                    "Looking for a new sponsor",
                    "{champion} does not know who will decide.",
                ),
            ]
        case "usage cliff":
            return [
                (CLIFF_WEEK, "release", f"{demo.release} released", "Went live for this account over the weekend."),
                (
                    CLIFF_WEEK - 1,
                    "email",
                    "Log-in trouble after the release",
                    "Several people are asked to log in again.",
                ),
                (
                    CLIFF_WEEK - 3,
                    "call",
                    "Call about the release",
                    f"Many {demo.vocabulary} went back to spreadsheets.",
                ),
            ]
        case "silent":
            return [(SILENT_WEEK - 4, "email", "No answer to the second invitation", "Neither mail nor call answered.")]
        case "recovery":
            return [
                (42, "meeting", "Escalation meeting", "Agreed a twelve-week plan with weekly calls."),
                (28, "call", "Plan under way", "Training done at two sites; data import repaired."),
                (9, "meeting", "Recovery review", "{sponsor} signed off the last point of the plan."),
            ]
        case "green and lost":
            return [
                (14, "meeting", "Business review", "Best figures so far; renewal expected without discussion."),
                (9, "contract", "Not renewed", "Taken over in spring; the new owner's product is used group-wide."),
            ]
        case "slow decline":
            return [(5, "contract", "Not renewed", "Price and open problems; decided by procurement.")]
        case "growth":
            return [(3, "call", "Wants more seats", "{champion} asked for an offer for a second department.")]
        case "new":
            return [(4, "meeting", "Kickoff", "Goals, people and dates agreed.")]
    return []
