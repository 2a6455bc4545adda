"""A crossing is alerted once, however often the processes that score and alert are killed."""

import datetime as dt
import email
from collections import Counter

from tests.chaos.cluster import OWNER
from tests.chaos.invariants import settle

NUMBERS = (
    "feature_adoption_rate",
    "workflow_completion_pct",
    "data_quality_pct",
    "integration_usage_pct",
    "qbr_attendance_pct",
    "satisfaction_pct",
    "roi_realization_percentage",
    "renewal_likelihood_pct",
)
GOOD = dict.fromkeys(NUMBERS, "100") | {"executive_engagement": "strong", "expansion_potential": "high"}
BAD = dict.fromkeys(NUMBERS, "0") | {"executive_engagement": "weak", "expansion_potential": "low"}


def state(cluster, source, accounts, values, on):
    """Send one call with every metric of every account."""
    metrics = [
        {"account": account, "metric": metric, "on": on.isoformat(), "value": value}
        for account in accounts
        for metric, value in values.items()
    ]
    answer = cluster.post("usage/metrics/", {"source": source, "metrics": metrics})
    assert answer["rejected"] == []


def of_source(cluster, source, statement):
    """Rows of ``statement``, in which ``mine`` stands for the accounts of ``source``."""
    mine = "(select account_id, external_id from accounts_externalid where source = %s)"
    return cluster.rows(statement.replace("mine", mine), source)


def bands(cluster, source):
    return Counter(
        band
        for (band,) in of_source(
            cluster, source, "select h.band from health_accounthealth h join mine m using (account_id)"
        )
    )


def test_every_crossing_opens_its_ctas_once_and_is_told_once(cluster, accounts_of):
    source, today = "crossing", dt.datetime.now(dt.UTC).date()
    accounts = accounts_of(source, 30, owner=OWNER)
    state(cluster, source, accounts, GOOD, today - dt.timedelta(days=1))
    cluster.until(lambda: bands(cluster, source) == {"green": 30}, 90, "all green")
    settle(cluster)

    with cluster.second_beat():
        state(cluster, source, accounts, BAD, today)
        for _ in range(12):
            cluster.tend(cluster.random.uniform(0.5, 4))
            part = cluster.random.choice(["worker", "worker-2", "worker", "worker-2", "postgres", "queue", "beat"])
            if part == "queue":
                cluster.redis("FLUSHALL")
            else:
                cluster.kill(part)
        cluster.until(lambda: bands(cluster, source) == {"red": 30}, 120, "all red")
        settle(cluster)
        cluster.tend(25)  # a full round of every sweep, which must find nothing more to do
    settle(cluster)

    crossings = of_source(
        cluster,
        source,
        "select m.external_id, b.old_band, b.new_band from health_bandchange b join mine m using (account_id) "
        "where is_worse",
    )
    assert sorted(crossings) == sorted((account, "green", "red") for account in accounts)
    firings = Counter(
        of_source(
            cluster,
            source,
            "select m.external_id, t.key from health_triggerfiring f join mine m using (account_id) "
            "join health_triggerversion v on v.id = f.version_id join health_trigger t on t.id = v.trigger_id",
        )
    )
    assert set(firings.values()) == {1}
    assert {account for account, key in firings if key == "red"} == set(accounts)
    ctas = Counter(
        of_source(
            cluster,
            source,
            "select m.external_id, c.trigger_key from playbooks_cta c join mine m using (account_id) "
            "where c.trigger_key in ('red', 'low-engagement')",
        )
    )
    assert ctas == Counter({(account, key): 1 for account in accounts for key in ("red", "low-engagement")})
    told = of_source(
        cluster,
        source,
        "select n.dedupe_key from engagement_notification n join mine m using (account_id) "
        "where n.dedupe_key like 'band-change-%%'",
    )
    changes = of_source(cluster, source, "select b.id from health_bandchange b join mine m using (account_id)")
    assert sorted(key for (key,) in told) == sorted(f"band-change-{change}" for (change,) in changes)


def test_a_mail_leaves_at_least_once_and_under_one_message_id(cluster):
    settle(cluster)
    for _ in range(3):
        cluster.tend(2)
        cluster.kill("worker")
    unsent = "select 1 from engagement_outboxmessage where {} limit 1".format(
        "sent_at is null and dead_at is null and bundled_in_id is null and lease_until is null and not_before <= now()"
    )
    cluster.until(lambda: not cluster.rows(unsent), 90, "every mail taken")
    sent = {str(key) for (key,) in cluster.rows("select id from engagement_outboxmessage where sent_at is not null")}
    carried = cluster.rows(
        "select 1 from engagement_outboxmessage where sent_at is not null and bundled_in_id is not null"
    )
    assert sent
    assert not carried
    left = Counter()
    for file in (cluster.folder / "mail").glob("*.log"):
        for text in file.read_text().split("-" * 79 + "\n"):
            if text.strip():
                left[email.message_from_string(text)["Message-ID"].strip("<>").partition("@")[0]] += 1
    assert sent <= set(left)
