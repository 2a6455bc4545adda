"""What the account record itself knows that scorecards and triggers may ask for: the metric provider.

Everything is as of a day: contracts in force then, touches until then. Values have the day itself as their
moment, since the record is always current; a metric nobody can know for an account has no entry there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from django.db import connection

from accounts.choices import ActivityKind, ContractStatus, StakeholderRole
from accounts.observations import Observation

SOURCE = "account record"
Columns = dict[str, dict[UUID, Observation]]

# Contracts decide; the day entered on the account counts while it has none. Below zero: overdue.
_DAYS_TO_RENEWAL = f"""
SELECT a.id, coalesce(min(c.end_on) FILTER (WHERE c.start_on <= %(on)s AND c.end_on >= %(on)s),
                      CASE WHEN count(c.id) = 0 AND %(known_at)s::timestamptz IS NULL THEN a.renewal_on END) - %(on)s
FROM accounts_account a
LEFT JOIN accounts_contract c ON c.account_id = a.id AND c.status <> '{ContractStatus.DRAFT.value}'
  AND (%(known_at)s::timestamptz IS NULL OR c.created_at <= %(known_at)s)
WHERE {{which}} GROUP BY a.id
"""
_ASSIGNED_USERS = "SELECT a.id, a.assigned_users FROM accounts_account a WHERE {which}"
_SEATS = f"""
SELECT c.account_id, sum(l.seats) FROM accounts_contractline l
JOIN accounts_contract c ON c.id = l.contract_id JOIN accounts_account a ON a.id = c.account_id
WHERE c.status <> '{ContractStatus.DRAFT.value}' AND c.start_on <= %(on)s AND coalesce(c.end_on, %(on)s) >= %(on)s
  AND (%(known_at)s::timestamptz IS NULL OR c.created_at <= %(known_at)s)
  AND {{which}} GROUP BY c.account_id
"""
# Only where somebody was ever in touch: silence is not the same as nothing recorded.
_DAYS_SINCE_TOUCH = f"""
SELECT t.account_id, %(on)s - max(t.at::date) FROM accounts_activity t JOIN accounts_account a ON a.id = t.account_id
WHERE t.kind IN ('{ActivityKind.CALL.value}', '{ActivityKind.MEETING.value}', '{ActivityKind.EMAIL.value}')
  AND t.at < %(end)s AND {{which}} GROUP BY t.account_id
"""
_MEETINGS = f"""
SELECT t.account_id, count(*) FILTER (WHERE t.at::date > %(on)s - 90) FROM accounts_activity t
JOIN accounts_account a ON a.id = t.account_id
WHERE t.kind = '{ActivityKind.MEETING.value}' AND t.at < %(end)s AND {{which}} GROUP BY t.account_id
"""
# Only where people are recorded at all.
_SPONSORS = f"""
SELECT p.account_id, count(*) FILTER (WHERE p.stakeholder_role = '{StakeholderRole.EXECUTIVE_SPONSOR.value}'
                                      AND coalesce(p.left_on, %(on)s + 1) > %(on)s)
FROM accounts_contact p JOIN accounts_account a ON a.id = p.account_id
WHERE p.created_at < %(end)s AND {{which}} GROUP BY p.account_id
"""
METRICS: dict[str, str] = {
    "days_to_renewal": _DAYS_TO_RENEWAL,
    "assigned_users": _ASSIGNED_USERS,
    "seats": _SEATS,
    "days_since_touch": _DAYS_SINCE_TOUCH,
    "meetings_per_quarter": _MEETINGS,
    "executive_sponsors": _SPONSORS,
}


def provide(account_ids: list[UUID] | None, metrics: set[str], on: date, known_at: datetime | None = None) -> Columns:
    """Metric to account to observation as of ``on``, for these accounts (None: all not archived).

    One query for whatever of it the record knows, whatever the number of accounts; none for nothing. ``known_at``
    leaves out contracts that were entered later.
    """
    wanted = [name for name in METRICS if name in metrics]
    if not wanted:
        return {}
    observed_at = datetime.combine(on, time.min, UTC)
    which = "a.archived_at IS NULL" if account_ids is None else "a.id = ANY(%(ids)s)"
    values = {"on": on, "end": datetime.combine(on, time.max, UTC), "ids": account_ids, "known_at": known_at}
    parts = (f"SELECT '{name}', f.* FROM ({METRICS[name].format(which=which)}) AS f" for name in wanted)
    found: Columns = {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for name, account, value in cursor.fetchall():
            if value is not None:
                found.setdefault(name, {})[account] = Observation(Decimal(value), observed_at, SOURCE)
    return found
