"""`make fuzz`: damaged files that libFuzzer makes, guided by what of the loaders they reach.

    python tests/fuzz_guided.py CORPUS -max_total_time=300

The first byte of an input chooses the kind of file. A file that does what none may ends the run;
libFuzzer keeps it in the working folder.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imaging.loaders", "imaging.protocol"]):
    from fuzzing import fault_of, originals

NAMES = (
    "slice.dcm",
    "rle.dcm",
    "series.zip",
    "DICOMDIR",
    "t2w_fs.nii",
    "t2w_fs.nii.gz",
    "trial.toml",
)
_FOLDER = tempfile.mkdtemp()


class FaultError(Exception):
    """A file did what none may."""


def seed_corpus(corpus):
    """Write sound files to begin with, each behind the byte of its kind."""
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for original in originals(Path(folder)):
            kind = bytes([NAMES.index(original.name)])
            (corpus / original.name).write_bytes(kind + original.content)


def try_one(data):
    """Take one input of libFuzzer."""
    if not data:
        return
    what = fault_of(NAMES[data[0] % len(NAMES)], data[1:], _FOLDER)
    if what is not None:
        raise FaultError(what)


if __name__ == "__main__":
    seed_corpus(Path(sys.argv[1]))
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
