"""One installation for the whole suite; its seed is printed and can be given again with CHAOS_SEED."""

import os
import random

import pytest

from tests.chaos.cluster import Cluster


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/chaos" in str(item.path):
            item.add_marker("chaos")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"CHAOS_SEED={seed}")
    made = Cluster(tmp_path_factory.mktemp("cluster") / "data", seed)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def accounts_of(cluster):
    """Makes accounts known under ``source`` by external id; returns the ids."""

    def make(source, count=20, **fields):
        ids = [f"{source}-{number}" for number in range(count)]
        rows = [{"external_id": one, "name": f"Account {one}", **fields} for one in ids]
        cluster.recover()
        cluster.post("accounts/bulk/", {"source": source, "accounts": rows})
        return ids

    return make
