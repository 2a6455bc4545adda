"""What came of the CTAs that triggers opened: how they ended, and how the scores moved where somebody acted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from health.book.uplift import Group, Uplift, uplift
from playbooks.queries import fired_ctas

if TYPE_CHECKING:
    from accounts.models import User

FOLLOWED_DAYS = 30
WINDOW_DAYS = 365
MOST = 5000

# Worked: within the days that are followed somebody ticked a task, or closed it as dealt with or not to be dealt
# with. A score counts on both days only by one version of one card: another version is no change of the account.
# Several CTAs of one account are not several samples: an account's moves count once, as their mean.
_OUTCOMES = """
WITH c AS (
    SELECT f.*, (f.opened_at AT TIME ZONE %s)::date AS day,
        f.outcome IN ('resolved', 'unresolved') AND f.closed_at < f.opened_at + %s
        OR EXISTS (SELECT 1 FROM playbooks_task t WHERE t.cta_id = f.id AND t.completed_at < f.opened_at + %s)
            AS worked
    FROM ({ctas}) AS f(id, trigger_key, account_id, opened_at, closed_at, outcome, playbook)
), s AS (
    SELECT c.*, CASE WHEN a.version_id = b.version_id THEN a.score - b.score END AS moved
    FROM c
    LEFT JOIN LATERAL (SELECT h.score, h.version_id FROM health_healthscore h
        WHERE h.account_id = c.account_id AND h.computed_on <= c.day
        ORDER BY h.computed_on DESC LIMIT 1) b ON c.day <= %s
    LEFT JOIN LATERAL (SELECT h.score, h.version_id FROM health_healthscore h
        WHERE h.account_id = c.account_id AND h.computed_on <= c.day + %s
        ORDER BY h.computed_on DESC LIMIT 1) a ON c.day <= %s
), o AS (
    SELECT trigger_key, coalesce(playbook, '') AS playbook, worked, account_id, count(*) AS opened,
        count(*) FILTER (WHERE outcome = 'resolved') AS resolved,
        count(*) FILTER (WHERE outcome = 'unresolved') AS unresolved,
        count(*) FILTER (WHERE outcome = 'no_action') AS no_action,
        count(*) FILTER (WHERE outcome = 'invalid') AS invalid,
        sum(extract(epoch FROM closed_at - opened_at) / 86400) AS closing_days, avg(moved) AS moved
    FROM s GROUP BY 1, 2, 3, 4
)
SELECT trigger_key, playbook, worked, sum(opened)::int, sum(resolved)::int, sum(unresolved)::int,
    sum(no_action)::int, sum(invalid)::int, sum(closing_days), count(moved), avg(moved), coalesce(var_samp(moved), 0)
FROM o GROUP BY 1, 2, 3"""


@dataclass(slots=True)
class Outcomes:
    """What came of one trigger's CTAs (by one playbook): how many, how they ended, and both sides' moves.

    ``closing_days`` adds up the days from opening to closing of the closed ones.
    """

    trigger: str
    playbook: str
    opened: int = 0
    resolved: int = 0
    unresolved: int = 0
    no_action: int = 0
    invalid: int = 0
    closing_days: float = 0.0
    worked: Group = field(default_factory=Group)
    others: Group = field(default_factory=Group)

    @property
    def closed(self) -> int:
        return self.resolved + self.unresolved + self.no_action + self.invalid

    @property
    def days_to_close(self) -> float | None:
        return self.closing_days / self.closed if self.closed else None

    @property
    def uplift(self) -> Uplift | None:
        return uplift(self.worked, self.others)


def outcomes(user: User, today: date, zone: str) -> list[Outcomes]:
    """Every trigger's CTAs of the last WINDOW_DAYS that ``user`` may see, the most frequent first. One query.

    Scores are followed for FOLLOWED_DAYS from the day of opening; younger CTAs count among the endings alone. Of
    more than MOST the newest are looked at.
    """
    followed = timedelta(days=FOLLOWED_DAYS)
    ctas = fired_ctas(user, since=today - timedelta(days=WINDOW_DAYS))[:MOST]
    try:
        text, parameters = ctas.query.sql_with_params()
    except EmptyResultSet:  # a reader who sees no account
        return []
    until = today - followed
    with connection.cursor() as cursor:
        values = [zone, followed, followed, *parameters, until, FOLLOWED_DAYS, until]
        cursor.execute(_OUTCOMES.format(ctas=text), values)
        rows = cursor.fetchall()
    found: dict[tuple[str, str], Outcomes] = {}
    for row in rows:
        _add(found.setdefault(row[:2], Outcomes(*row[:2])), *row[2:])
    return sorted(found.values(), key=lambda one: (-one.opened, one.trigger, one.playbook))


def _add(one: Outcomes, worked: bool | None, opened: int, *rest: Any) -> None:
    resolved, unresolved, no_action, invalid, days, count, mean, variance = rest
    one.opened += opened
    one.resolved += resolved
    one.unresolved += unresolved
    one.no_action += no_action
    one.invalid += invalid
    one.closing_days += float(days or 0)
    group = Group(count, float(mean or 0), float(variance or 0))
    if worked:
        one.worked = group
    else:
        one.others = group
