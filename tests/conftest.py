"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

pytest_plugins = ("browser",)
REAL_DATA = Path(
    os.environ.get("GRAFTSITE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real scanner data; where it is absent, skip and say so.

    Under CI an absent folder fails instead: a green run must have seen the real data.
    """
    if (REAL_DATA / "MANIFEST.tsv").exists():
        return REAL_DATA
    reason = f"real data not found: set GRAFTSITE_REAL_DATA (looked in {REAL_DATA})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
