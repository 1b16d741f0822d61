"""Fixtures shared by all tests."""

import os
from itertools import count
from pathlib import Path

import postgres
import pytest
import reading_room
from sqlalchemy import create_engine, text

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


@pytest.fixture(scope="session")
def postgresql():
    """Yield a function that makes an empty database on a real PostgreSQL and returns its URL."""
    if postgres.programs() is None:
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.running() as url_of:
        engine = create_engine(url_of("postgres"), isolation_level="AUTOCOMMIT")
        numbers = count()

        def database():
            name = f"t{next(numbers)}"
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
            return url_of(name)

        yield database
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """Return the address of an empty store, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'reads.sqlite'}"
    return request.getfixturevalue("postgresql")()


@pytest.fixture()
def room(store_url):
    """Yield an open store, on either database, with its people signed in."""
    room = reading_room.open_room(store_url)
    yield room
    room.store.close()
