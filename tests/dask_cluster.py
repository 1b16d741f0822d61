"""Fixture of a Dask cluster: a real scheduler, and workers that come and go at once."""

import pytest
from distributed import LocalCluster


@pytest.fixture
def cluster():
    """Return a cluster whose one worker is a thread of this process."""
    options = {"threads_per_worker": 1, "processes": False, "protocol": "tcp://"}
    with LocalCluster(n_workers=1, dashboard_address=":0", **options) as made:
        yield made
