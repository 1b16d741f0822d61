"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("GRAFTSITE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real scanner data; skip, saying so, where it is absent."""
    if not (REAL_DATA / "MANIFEST.tsv").exists():
        pytest.skip(f"real data not found: set GRAFTSITE_REAL_DATA (looked in {REAL_DATA})")
    return REAL_DATA
