"""Fixtures of the archives: a real Orthanc on loopback."""

import pytest
from archives import Orthanc, need_servers


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """Return a running Orthanc; each test that stores into it empties it first."""
    need_servers()
    server = Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def empty(archive):
    """Return the running Orthanc without any image."""
    archive.empty()
    return archive
