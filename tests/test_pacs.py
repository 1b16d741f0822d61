"""Images from and to a real archive, as a user moves them: the command, its exit code, the files."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from archives import PASSWORD, configuration, copy_images, images_of
from pydicom import dcmread

GRAFTSITE = Path(sys.executable).with_name("graftsite")
SAMPLE = Path(__file__).parents[1] / "sample_dicom/subjects/C08"


def graftsite(*arguments, expect):
    done = subprocess.run(
        [GRAFTSITE, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "SIM" not in done.stdout + done.stderr, "a patient was named"
    return done


def datasets(folder):
    """SOP Instance UID -> all that is in the file but its own meta information."""
    read = [dcmread(path) for path in images_of(folder) if path.suffix == ".dcm"]
    return {ds.SOPInstanceUID: ds for ds in read}


@pytest.fixture(scope="module")
def sample():
    found = {str(ds.SOPInstanceUID): ds for ds in map(dcmread, images_of(SAMPLE))}
    assert len(found) > 100
    return found


@pytest.fixture
def filled(archive):
    archive.empty()
    return archive


@pytest.mark.parametrize(("out", "back"), [("get", "move"), ("web", "get"), ("get", "web")])
def test_what_is_pushed_comes_back_identical(filled, sample, tmp_path, out, back):
    config = configuration(tmp_path, filled)
    said = graftsite("push", out, SAMPLE, "--config", config, expect=0).stdout
    assert f"{len(sample)} files sent" in said
    graftsite(
        "pull", back, "--subject", "C08", "--config", config, "--to", tmp_path / "in", expect=0
    )
    assert datasets(tmp_path / "in") == sample
    syntaxes = {ds.file_meta.TransferSyntaxUID for ds in datasets(tmp_path / "in").values()}
    assert syntaxes == {ds.file_meta.TransferSyntaxUID for ds in sample.values()}
