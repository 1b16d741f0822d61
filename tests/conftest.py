"""Fixtures shared by all tests; those of one kind of server stand in a file of their own."""

import os
import sys
import tarfile
from pathlib import Path

import pytest

from surveillance import cli

pytest_plugins = ("browser", "nodes", "rooms")
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


@pytest.fixture(autouse=True)
def _program():
    """Put the main module back: Streamlit's own runner leaves its script in that place.

    A process that is started later would begin by running that script.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


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
