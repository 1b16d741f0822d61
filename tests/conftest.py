"""Fixtures shared by all tests."""

import os
import shutil
from itertools import count
from pathlib import Path

import postgres
import pytest
import reading_room
from sqlalchemy import create_engine, text

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


@pytest.fixture(scope="session")
def postgresql():
    """Yield a function that makes an empty place on a real PostgreSQL and returns its URL."""
    if postgres.programs() is None:
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with postgres.running() as url_of:
        engine = create_engine(url_of("postgres"), isolation_level="AUTOCOMMIT")
        numbers = count()

        def database():
            # A schema is as empty as a database and a hundred files cheaper.
            name = f"t{next(numbers)}"
            with engine.connect() as connection:
                connection.execute(text(f"CREATE SCHEMA {name}"))
            return f"{url_of('postgres')}&options=-csearch_path%3D{name}"

        yield database
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """Return the address of an empty store, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'reads.sqlite'}"
    return request.getfixturevalue("postgresql")()


@pytest.fixture(scope="session")
def furnished(tmp_path_factory):
    """Return a closed SQLite store with its people in it, and who they are: tests take a copy."""
    file = tmp_path_factory.mktemp("furnished") / "room.sqlite"
    room = reading_room.open_room(f"sqlite:///{file}")
    room.store.close()
    return file, room


@pytest.fixture()
def room(request, store_url):
    """Yield an open store, on either database, with its people signed in."""
    if store_url.startswith("sqlite"):
        yield from _copied(request.getfixturevalue("furnished"), store_url)
        return
    room = reading_room.open_room(store_url)
    yield room
    room.store.close()


def _copied(furnished, url):
    file, first = furnished
    shutil.copy(file, url.removeprefix("sqlite:///"))
    room = reading_room.enter(url, first)
    yield room
    room.store.close()


@pytest.fixture()
def sqlite_room(furnished, tmp_path):
    """Yield a room on SQLite, for what does not depend on the database."""
    yield from _copied(furnished, f"sqlite:///{tmp_path / 'room.sqlite'}")
