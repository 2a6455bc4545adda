"""What must hold after every storm, each as one query that returns no row."""

from __future__ import annotations

from tests.chaos.cluster import Cluster

INVARIANTS = {
    "daily rows hold what the events hold": """
        select * from (
            select account_id, sum(quantity) raw from usage_event group by 1) e
        full join (select account_id, sum(quantity) daily from usage_accountday group by 1) d using (account_id)
        where raw is distinct from daily
    """,
    "a settled receipt accounts for every item": """
        select id from usage_ingestreceipt
        where done_at is not null and received <> accepted + duplicates + parked + rejected
    """,
    "an event is accepted by one receipt": """
        select 1 from (select coalesce(sum(accepted), 0) accepted from usage_ingestreceipt where kind = 'events') r,
            (select count(*) stored from usage_event) e
        where r.accepted > e.stored
    """,
    "no CTA of one cause is open twice": """
        select account_id, duplicate_key from playbooks_cta
        where duplicate_key <> '' and status <> 'closed' group by 1, 2 having count(*) > 1
    """,
    "a firing opened at most one CTA, and a CTA has one firing": """
        select cta_id from health_triggerfiring where cta_id is not null and outcome = 'opened'
        group by 1 having count(*) > 1
    """,
    "every firing that is handled says what came of it": """
        select id from health_triggerfiring where handled_at is not null and outcome = ''
    """,
    "a band change is told to a person once": """
        select user_id, dedupe_key from engagement_notification group by 1, 2 having count(*) > 1
    """,
    "an alert stands once for its clock and threshold": """
        select clock_id, threshold from support_slaalert where rearmed_at is null
        group by 1, 2 having count(*) > 1
    """,
    "a person is told of an alert once, and of none that is not there": """
        select n.user_id, n.dedupe_key from engagement_notification n
        left join support_slaalert a on n.dedupe_key = 'sla:' || a.id
        where n.dedupe_key like 'sla:%%' group by 1, 2 having count(*) > 1 or count(a.id) = 0
    """,
    "an alert that was told reached somebody": """
        select a.id from support_slaalert a where a.told_at is not null and a.rearmed_at is null
            and not exists (select from engagement_notification n where n.dedupe_key = 'sla:' || a.id)
    """,
    "an alert that came late says so": """
        select a.id from support_slaalert a join support_slaclock c on c.id = a.clock_id
        where a.is_late <> (a.sent_at - greatest(a.fell_due_at, c.armed_at) > interval '5 minutes')
    """,
    "no score without its evidence": """
        select account_id from health_accounthealth where score is not null and states = ''
    """,
}

# What is still to be done; all empty when a storm has passed.
BACKLOG = {
    "batches to drain": "select 1 from usage_inbox limit 1",
    "open receipts": "select 1 from usage_ingestreceipt where done_at is null limit 1",
    "accounts to score": "select 1 from accounts_changedaccount limit 1",
    "crossings to handle": "select 1 from health_bandchange where handled_at is null limit 1",
    "alerts to note": "select 1 from support_slaclock where next_alert_at <= now() limit 1",
    "alerts to tell": "select 1 from support_slaalert where told_at is null limit 1",
    "firings to handle": "select 1 from health_triggerfiring where handled_at is null limit 1",
}


def broken(cluster: Cluster) -> dict[str, list[tuple[object, ...]]]:
    """The invariants that do not hold, with the rows that show it."""
    found = {name: cluster.rows(query) for name, query in INVARIANTS.items()}
    return {name: rows for name, rows in found.items() if rows}


def backlog(cluster: Cluster) -> list[str]:
    """What is still waiting."""
    return [name for name, query in BACKLOG.items() if cluster.rows(query)]


def settle(cluster: Cluster, seconds: float = 120) -> None:
    """Wait for the backlog to empty, then for every invariant to hold."""
    cluster.until(lambda: not backlog(cluster), seconds, "an empty backlog")
    assert broken(cluster) == {}
