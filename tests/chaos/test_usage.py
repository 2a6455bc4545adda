"""Events while processes die: each is counted once, whatever happened between its posting and its counting."""

from tests.chaos.invariants import broken, settle
from tests.chaos.load import Load


def counted(cluster, source):
    """Quantity by external id of the accounts of one source, as the daily rows have it."""
    return dict(
        cluster.rows(
            "select x.external_id, sum(d.quantity)::int from usage_accountday d "
            "join accounts_externalid x using (account_id) where x.source = %s group by 1",
            source,
        )
    )


def storm(cluster, load, fault, *, pause, most):
    """Repeat ``fault`` after random pauses for as long as clients send, at least twice and at most ``most`` times."""
    load.start()
    done = 0
    while done < most and (load.running() or done < 2):
        low, high = pause
        cluster.tend(cluster.random.uniform(low, high))
        fault()
        done += 1
    cluster.until(lambda: not load.running(), 180, "every batch accepted")
    load.finish()
    return done


def assert_counted_once(cluster, load):
    settle(cluster)
    assert counted(cluster, load.source) == dict(load.quantities)
    receipts = cluster.rows(
        "select sum(received)::int, sum(accepted)::int, sum(duplicates)::int, sum(rejected)::int "
        "from usage_ingestreceipt where source = %s",
        load.source,
    )
    received, accepted, duplicates, rejected = receipts[0]
    assert (accepted, rejected) == (load.sent, 0)
    assert received == accepted + duplicates


def test_batches_posted_twice_while_workers_are_killed_count_once(cluster, accounts_of):
    load = Load(cluster, "workers", accounts_of("workers"), batches=6)
    storm(cluster, load, lambda: cluster.kill(cluster.random.choice(["worker", "worker-2"])), pause=(0.3, 1.5), most=8)
    assert_counted_once(cluster, load)


def test_clients_that_send_again_after_the_web_server_was_killed_count_once(cluster, accounts_of):
    load = Load(cluster, "web", accounts_of("web"), batches=4)
    storm(cluster, load, lambda: cluster.kill("web"), pause=(1.0, 3.0), most=3)
    assert_counted_once(cluster, load)


def test_an_emptied_queue_loses_nothing(cluster, accounts_of):
    load = Load(cluster, "flushed", accounts_of("flushed"), batches=4)
    storm(cluster, load, lambda: cluster.redis("FLUSHALL"), pause=(0.2, 0.8), most=8)
    assert_counted_once(cluster, load)


def test_batches_are_accepted_while_the_queue_is_away(cluster, accounts_of):
    load = Load(cluster, "no-queue", accounts_of("no-queue"), batches=3)
    storm(cluster, load, lambda: cluster.kill("redis"), pause=(0.5, 1.5), most=3)
    assert_counted_once(cluster, load)


def test_a_killed_database_loses_no_acknowledged_batch(cluster, accounts_of):
    load = Load(cluster, "database", accounts_of("database"), batches=4)
    storm(cluster, load, lambda: cluster.kill("postgres"), pause=(1.5, 3.0), most=2)
    assert_counted_once(cluster, load)


def test_events_of_an_unknown_account_wait_for_it_through_a_storm(cluster, accounts_of):
    unknown = [f"late-{number}" for number in range(5)]
    load = Load(cluster, "late", unknown, batches=2)
    storm(cluster, load, lambda: cluster.kill("worker"), pause=(0.3, 1.0), most=3)
    settle(cluster)
    assert counted(cluster, "late") == {}
    accounts_of("late", 5)
    cluster.kill("worker")
    cluster.kill("worker-2")
    cluster.until(lambda: counted(cluster, "late") == dict(load.quantities), 60, "parked events counted")
    settle(cluster)
    assert counted(cluster, "late") == dict(load.quantities)


def test_the_invariants_see_a_planted_error(cluster, accounts_of):
    """A harness that cannot fail proves nothing."""
    load = Load(cluster, "planted", accounts_of("planted", 2), batches=1, clients=1)
    storm(cluster, load, lambda: None, pause=(0.1, 0.1), most=2)
    settle(cluster)
    [(account, day, word)] = cluster.rows(
        "update usage_accountday set quantity = quantity + 1 where (account_id, day, word) in "
        "(select account_id, day, word from usage_accountday limit 1) returning account_id, day, word"
    )
    try:
        assert list(broken(cluster)) == ["daily rows hold what the events hold"]
    finally:
        cluster.rows(
            "update usage_accountday set quantity = quantity - 1 "
            "where (account_id, day, word) = (%s, %s, %s) returning 1",
            *(account, day, word),
        )
    assert broken(cluster) == {}
