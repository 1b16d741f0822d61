"""What is installed from the wheel works without the source tree: data files travel along."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from browser_station import answers, free_port, wait_for

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


APP = "import sys; from surveillance.cli import main; sys.argv[0] = 'graftsite'; main()"


def test_the_reading_application_is_served_from_what_was_installed(installed, tmp_path):
    port = free_port()
    environment = {"PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    options = ["app", "--data", str(tmp_path / "data"), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-c", APP, *options], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        wait_for(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/sign-in"))
        assert process.poll() is None, process.communicate()[0].decode()
    finally:
        process.terminate()
        process.communicate(timeout=30)
    for file in ("script.py", "shell.css", "form/form.js", "form/form.css"):
        assert (installed / "surveillance" / "ui" / file).exists()
    assert list((installed / "surveillance" / "ui" / "viewer" / "static").glob("viewer-*.js"))
