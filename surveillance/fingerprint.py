"""Fingerprint: what a result was made from, so that a second run knows what is finished."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from imaging.guidance import Guidance
from imaging.protocol import Protocol
from imaging.visit import Subject


def program_version() -> str:
    """Return the installed version of graftsite."""
    return version("graftsite")


def subject_fingerprint(subject: Subject, protocol: Protocol, guidance: Guidance) -> str:
    """Return the SHA-256 of a subject's files, the protocol, the guidance and the program.

    File names do not count: a renamed folder with the same content gives the same fingerprint.
    """
    parts = [f"program {program_version()}", f"protocol {protocol.sha256}", f"subject {subject.id}"]
    for visit in subject.visits:
        parts.append(f"visit {visit.label} {visit.study_date} {visit.days_since_baseline}")
        series = (visit.t2w_fs, visit.t1w_fs, *visit.supporting)
        parts += sorted(f"file {_sha256(on_disk(f))}" for s in series if s for f in s.files)
    parts += sorted(f"seed {visit} {point}" for visit, point in guidance.seeds.items())
    parts += sorted(f"mask {visit} {_sha256(file)}" for visit, file in guidance.masks.items())
    parts += sorted(f"region {visit} {name}" for visit, name in guidance.regions.items())
    return digest(parts)


def listing_fingerprint(subject: str, images: Iterable[str], protocol: Protocol) -> str:
    """Return the SHA-256 of the UIDs of a subject's images, the protocol and the program.

    No byte of an image is needed: one whose pixels change gets another SOP Instance UID (PS3.3
    C.7.6.1). What an archive corrects in a header under the same UID is not seen.
    """
    parts = [f"program {program_version()}", f"protocol {protocol.sha256}", f"subject {subject}"]
    return digest([*parts, *sorted(f"image {uids}" for uids in images)])


def digest(parts: Iterable[str]) -> str:
    """Return the SHA-256 of lines of text."""
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def on_disk(name: str) -> Path:
    """Return the file that holds what a series names as its file."""
    # A member of an archive is written `archive.zip!member`: the archive is what lies on disk.
    path = Path(name)
    return path if path.exists() else Path(name.partition("!")[0])


def _sha256(path: Path) -> str:
    state = path.stat()
    return _sha256_as_of(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _sha256_as_of(path: Path, _size: int, _modified_ns: int) -> str:
    """Hash a file once for all the members of an archive; a worker outlives the files' state."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
