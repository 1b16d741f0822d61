"""Fixtures shared by all tests."""

import os
import sys
import tarfile
from itertools import count
from pathlib import Path

import postgres
import pytest
import reading_room
from archives import Orthanc, need_servers
from sqlalchemy import create_engine, text

from surveillance import cli

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


@pytest.fixture()
def room(store_url):
    """Yield an open store, on either database, with its people signed in."""
    room = reading_room.open_room(store_url)
    yield room
    room.store.close()


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """Return a running Orthanc; each test that stores into it empties it first."""
    need_servers()
    server = Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.kill()


@pytest.fixture()
def sqlite_room(tmp_path):
    """Yield a room on SQLite, for what does not depend on the database."""
    room = reading_room.open_room(f"sqlite:///{tmp_path / 'room.sqlite'}")
    yield room
    room.store.close()


@pytest.fixture(scope="session")
def unpack(real_data, tmp_path_factory):
    """Return a function that unpacks an archive once and gives its folder."""
    folders = {}

    def unpacked(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("real")
            with tarfile.open(real_data / f"{name}.tar.xz") as archive:
                archive.extractall(folders[name], filter="data")
        return folders[name]

    return unpacked


@pytest.fixture
def empty(archive):
    """Return the running Orthanc without any image."""
    archive.empty()
    return archive


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `graftsite` in this process; give what it said on stdout and stderr."""

    def run(*arguments, expect):
        monkeypatch.setattr(sys, "argv", ["graftsite", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        assert (left.value.code or 0) == expect, said.out + said.err
        assert "SIM" not in said.out + said.err, "a patient was named"
        return said

    return run
