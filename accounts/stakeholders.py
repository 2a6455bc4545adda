"""Who ought to hear from us how often, and what is wrong with the people we know. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from accounts.choices import StakeholderRole

# Days between two touches. End users and others hear from the product, not from us.
CADENCE: dict[str, int] = {
    StakeholderRole.CHAMPION: 30,
    StakeholderRole.DETRACTOR: 30,
    StakeholderRole.ADMINISTRATOR: 60,
    StakeholderRole.EXECUTIVE_SPONSOR: 90,
    StakeholderRole.DECISION_MAKER: 90,
    StakeholderRole.ECONOMIC_BUYER: 90,
    StakeholderRole.POWER_USER: 90,
}
# The map shows these seats even when nobody sits in them: an empty one is the finding.
SEATS = (
    StakeholderRole.EXECUTIVE_SPONSOR,
    StakeholderRole.DECISION_MAKER,
    StakeholderRole.CHAMPION,
    StakeholderRole.ECONOMIC_BUYER,
    StakeholderRole.ADMINISTRATOR,
)
# Whose leaving is a warning until somebody sits there again.
PILLARS = (StakeholderRole.EXECUTIVE_SPONSOR, StakeholderRole.CHAMPION, StakeholderRole.DECISION_MAKER)
THREAD_DAYS = 90


@dataclass(frozen=True, slots=True)
class Standing:
    """A person against the cadence of their role. ``due_on`` is None where the role has none."""

    name: str
    role: str
    left_on: date | None
    last_touch_on: date | None
    due_on: date | None

    def days_late(self, today: date) -> int:
        """Days past the day they were due to hear from us; 0 when not late, or when the role has no cadence."""
        return max((today - self.due_on).days, 0) if self.due_on is not None else 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in a few words and in a sentence."""

    key: str
    title: str
    text: str


def standing(name: str, role: str, left_on: date | None, last_touch_on: date | None, known_since: date) -> Standing:
    """Where a person stands. Somebody never touched is due a cadence after ``known_since``."""
    days = CADENCE.get(role)
    due = None if days is None or left_on else (last_touch_on or known_since) + timedelta(days=days)
    return Standing(name, role, left_on, last_touch_on, due)


def findings(people: Sequence[Standing], today: date) -> list[Finding]:
    """What is wrong with the people of an account, the worst first: a pillar gone, one thread, nobody known."""
    present = [person for person in people if person.left_on is None]
    found = [finding for role in PILLARS if (finding := _gone(role, people, present))]
    if not people:
        return [*found, Finding("nobody", "Nobody is known.", "Add the people who decide and those who use it.")]
    touched = [
        person for person in present
        if person.last_touch_on is not None and (today - person.last_touch_on).days <= THREAD_DAYS
    ]  # fmt: skip
    if len(present) == 1:
        found.append(Finding("single", "Single-threaded.", "Only one person here is known to us."))
    elif len(touched) == 1:
        text = f"Of {len(present)} people only {touched[0].name} heard from us in the last {THREAD_DAYS} days."
        found.append(Finding("single", "Single-threaded.", text))
    return found


def _gone(role: str, people: Sequence[Standing], present: Sequence[Standing]) -> Finding | None:
    """The latest holder of a seat that nobody has taken since."""
    if any(person.role == role for person in present):
        return None
    gone = [person for person in people if person.role == role and person.left_on is not None]
    if not gone:
        return None
    last = max(gone, key=lambda person: person.left_on or date.min)
    label = StakeholderRole(role).label
    day = f"{last.left_on:%-d %b %Y}" if last.left_on else ""
    return Finding(f"left-{role}", f"{label} left.", f"{last.name} left on {day}, and nobody has taken the seat.")
