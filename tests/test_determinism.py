"""The same bytes by any number of workers, here or on a cluster, as often as it is run.

`make crash` runs each three times; here once.
"""

import os

import pytest
from batches import do_all_on, objects_of, save_manifest, save_visit

from imaging.protocol import load_protocol
from surveillance.batching.manifest import load_manifest
from surveillance.batching.pool import cluster_pool, local_pool
from surveillance.batching.unit import Order
from surveillance.results.place import open_place

pytest_plugins = ("dask_cluster",)
RUNS = int(os.environ.get("GRAFTSITE_RUNS", "1"))


@pytest.fixture
def units(tmp_path):
    """A subject with T1W-FS, and one with two visits, which are registered."""
    save_visit(tmp_path / "in" / "P0", t1=True)
    save_visit(tmp_path / "in" / "P1")
    save_visit(tmp_path / "in" / "P1", "D28", seed=9)
    rows = [("A", name, f"in/{name}") for name in ("P0", "P1")]
    return load_manifest(save_manifest(tmp_path / "m.csv", rows), "A")


def test_one_worker_two_and_a_cluster_write_the_same_bytes(units, cluster, tmp_path):
    cluster.scale(2)
    pools = (local_pool(1), local_pool(2), cluster_pool(cluster.scheduler_address, 600.0))
    made = []
    for kind, entered in enumerate(pools):
        with entered as pool:
            for number in range(RUNS):
                order = Order(str(tmp_path / f"{kind}{number}"), load_protocol())
                do_all_on(pool, units, order)
                made.append(objects_of(open_place(order.store)))
    assert len(made[0]["P1"]) == 1 + 2 * 4  # the record; three masks and a picture a visit
    assert len(made) == 3 * RUNS
    assert all(one == made[0] for one in made)
