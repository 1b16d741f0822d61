"""Stock: a folder of DICOM files that came from elsewhere, and their SHA-256 beside them.

`SHA256SUMS` is what `sha256sum --check` reads. A file is written under a temporary name, put in
place whole, and only then entered; so an entry always stands for a whole file, whenever the
program was killed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from threading import Lock

from imaging.errors import OutputError
from imaging.loaders.files import InputFile
from surveillance.exports.writing import PARTIAL, make_folder, write_with
from surveillance.pacs.node import Instance
from surveillance.pacs.whole import is_whole

SUMS = "SHA256SUMS"


class Stock:
    """Files as `<study>/<series>/<instance>.dcm`, named by UID; may be fed by several threads."""

    def __init__(self, folder: Path, sums: RawIOBase, *, durable: bool = False) -> None:
        self.folder = folder
        self._sums = sums
        self._durable = durable
        self._torn = False
        self._lock = Lock()
        self._known = dict(_entries(folder / SUMS))
        self._checked: set[Path] = set()

    def path_of(self, instance: Instance) -> Path:
        """Return where an instance lies, or would."""
        return self.folder / instance.study / instance.series / f"{instance.sop}.dcm"

    def holds(self, instance: Instance) -> bool:
        """Whether the instance is here with the content that came; each file is read once."""
        path = self.path_of(instance)
        if path not in self._checked:
            wanted = self._known.get(self._name(path))
            if wanted is None or not path.is_file() or wanted != _sha256(path):
                return False
            self._checked.add(path)
        return True

    def keep(self, instance: Instance, content: bytes) -> bool:
        """Put a file in its place; False when it lacks bytes, and nothing is kept then.

        Raises
        ------
        OutputError
            It cannot be written (full disk, no permission).
        """
        path = self.path_of(instance)

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                file.write(content)
                if self._durable:
                    file.flush()
                    os.fsync(file.fileno())
            if not is_whole(InputFile(str(temporary))):
                raise _NotWholeError

        with self._lock:
            try:
                write_with(path, write)
            except _NotWholeError:
                return False
            self._enter(path, hashlib.sha256(content).hexdigest())
        return True

    def studies(self) -> set[str]:
        """Return the Study Instance UIDs of all that is here."""
        return {name.partition("/")[0] for name in list(self._known)}

    def files_of(self, study: str) -> dict[str, str]:
        """Return the files of a study, relative to the folder, with the SHA-256 of each."""
        known = list(self._known.items())
        return {name: digest for name, digest in known if name.startswith(f"{study}/")}

    def _enter(self, path: Path, digest: str) -> None:
        name = self._name(path)
        line = f"{digest}  {name}\n".encode()
        try:
            _write_all(self._sums, b"\n" + line if self._torn else line)
        except OSError as error:
            self._torn = True
            detail = error.strerror or error
            raise OutputError("not_written", file=self.folder / SUMS, detail=detail) from error
        self._torn = False
        self._known[name] = digest
        self._checked.add(path)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def _write_all(file: RawIOBase, content: bytes) -> None:
    if file.write(content) != len(content):  # how a disk that has just become full says so
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _NotWholeError(Exception):
    """Leaves `write_with`, which then removes the temporary file."""


@contextmanager
def opened(folder: Path, *, durable: bool = False) -> Iterator[Stock]:
    """Open a stock, empty or as an earlier run left it, for one process at a time.

    A durable one has each file on the disk itself before it says that it is kept: who sent it
    may forget it then.

    Raises
    ------
    OutputError
        The folder cannot be written, or another process is filling it.
    """
    make_folder(folder)
    try:
        sums = (folder / SUMS).open("ab", buffering=0)  # nothing waits in memory to be written
    except OSError as error:
        detail = error.strerror or error
        raise OutputError("not_written", file=folder / SUMS, detail=detail) from error
    with sums:
        try:
            fcntl.flock(sums, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError("folder_in_use", folder=folder) from error
        _remove_partial(folder)
        _end_line(folder / SUMS, sums)
        yield Stock(folder, sums, durable=durable)


def _remove_partial(folder: Path) -> None:
    """Remove what a killed run left half-written."""
    for path in folder.rglob(f"{PARTIAL}*"):
        path.unlink(missing_ok=True)


def _end_line(path: Path, sums: RawIOBase) -> None:
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        sums.write(b"\n")


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, digest), later entries last; a line cut short by a crash is none."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        if len(digest) == hashlib.sha256().digest_size * 2 and name.endswith(".dcm"):
            yield name, digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
