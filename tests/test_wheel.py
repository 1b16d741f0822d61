"""What is installed from the wheel works without the source tree: data files travel along."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("imaging", "readers", "surveillance", "pyproject.toml", "README.md", "requirements.in")
BUILD = "from setuptools.build_meta import build_wheel; print(build_wheel('out'))"
PROGRAM = """
import sys
import readers.store
from readers.form import load_form
from readers.paradigm import load_paradigm
assert readers.store.__file__.startswith(sys.argv[1]), readers.store.__file__
readers.store.open_store("sqlite:///reads.sqlite").close()
print(load_paradigm().form, len(list(load_form("1").questions)))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with what the wheel installs, and nothing else."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    run = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=source, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    (wheel,) = (source / "out").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def test_a_store_is_made_and_the_form_is_there(installed, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(installed)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["1", "26"]
    assert (tmp_path / "reads.sqlite").exists()
