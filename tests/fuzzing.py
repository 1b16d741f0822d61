"""Fuzzing: what a damaged file may do to the program, and the files that are damaged.

A file may be read or refused. It may not raise anything but our own errors, be lost without a
word, take more than `HANG_S` of the processor, wait for longer than `WAIT_S`, or take more memory
than `MEMORY_GB`.
"""

import gzip
import io
import resource
import signal
import tarfile
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path

import nibabel as nib
import numpy as np
from dicom_files import image, series, write_dicomdir
from pydicom.uid import RLELossless

from imaging.errors import GraftsiteError
from imaging.loaders import check_pixels, find_series
from imaging.protocol import load_protocol

HANG_S = 10
"""Of the processor: a busy machine, where a file waits for its turn, is no fault of the file's."""
WAIT_S = 60
MEMORY_GB = 4
PROTOCOL = load_protocol()


class HungError(BaseException):
    """Too long; no program's `except Exception` may swallow it."""


@dataclass(frozen=True)
class Original:
    """A sound file: what is damaged, and how a damaged one is called."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Found:
    """A file that did what no file may."""

    case: str
    what: str
    content: bytes


def originals(folder, real_data=None):
    """Return sound files of every kind that the loaders and the protocol's reader take."""
    plain = series(folder / "PLAIN")
    compressed = image(0)
    compressed.compress(RLELossless)
    compressed.save_as(folder / "rle.dcm", enforce_file_format=True)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in plain:
            archive.write(path, path.name)
    write_dicomdir(folder / "DICOMDIR", [("PLAIN", path.name) for path in plain])
    volume = nib.Nifti1Image(np.arange(480, dtype=np.int16).reshape(8, 6, 10), np.eye(4)).to_bytes()
    made = [
        Original("slice.dcm", plain[0].read_bytes()),
        Original("rle.dcm", (folder / "rle.dcm").read_bytes()),
        Original("series.zip", zipped.getvalue()),
        Original("DICOMDIR", (folder / "DICOMDIR").read_bytes()),
        Original("t2w_fs.nii", volume),
        Original("t2w_fs.nii.gz", gzip.compress(volume, mtime=0)),
        Original("trial.toml", _trial_protocol()),
    ]
    return (*made, *(() if real_data is None else _real(real_data)))


def _trial_protocol():
    return resources("imaging").joinpath("protocols/nct07276568.toml").read_bytes()


def _real(real_data, most_bytes=400_000):
    """Real scanners' files, the smallest of each archive."""
    for archive in sorted(real_data.rglob("*.tar.xz")):
        if archive.name.startswith("fuzz"):
            continue
        with tarfile.open(archive) as opened:
            members = [m for m in opened if m.isfile() and 2_000 < m.size < most_bytes]
            dicom = [m for m in members if m.name.lower().endswith((".dcm", ".ima"))]
            for member in sorted(dicom or members, key=lambda m: (m.size, m.name))[:2]:
                content = opened.extractfile(member).read()
                if content[128:132] == b"DICM":
                    yield Original("real.dcm", content)


@contextmanager
def bounded():
    """Interrupt what takes too long; memory is bounded once for the process."""

    def hung(_signal, _frame):
        raise HungError

    bounds = (
        (signal.SIGPROF, signal.ITIMER_PROF, HANG_S),
        (signal.SIGALRM, signal.ITIMER_REAL, WAIT_S),
    )
    before = [signal.signal(number, hung) for number, _, _ in bounds]
    for _, timer, seconds in bounds:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(bounds, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def bound_memory():
    """Let this process have no more than `MEMORY_GB` of addresses."""
    limit = MEMORY_GB * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def fault_of(name, content, folder):
    """Return what is wrong with how the program takes a file, None when nothing is."""
    path = Path(folder) / name
    path.write_bytes(content)
    try:
        with bounded(), warnings.catch_warnings():
            warnings.simplefilter("error")
            return _taken(path)
    except GraftsiteError as error:
        return None if str(error).isprintable() else "an error with control characters"
    except HungError:
        return f"more than {HANG_S} s of the processor, or {WAIT_S} s in all"
    except BaseException as error:  # noqa: BLE001  # that none gets out is what is asked
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        path.unlink()


def _taken(path):
    if path.suffix == ".toml":
        load_protocol(path)
        return None
    inventory = check_pixels(find_series([path], PROTOCOL))
    told = [name for s in inventory.series for name in s.files]
    told += [name for r in inventory.refusals for name in r.files]
    if not any(name.startswith(str(path)) for name in told):
        return "neither read nor refused"
    if not all(r.message.isprintable() for r in inventory.refusals):
        return "a refusal with control characters"
    return None
