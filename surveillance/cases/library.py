"""Library: all cases of a station in one folder, every version kept.

DATA/arrays/<2>/<sha256>.z      voxels, masks (arrays.py)
DATA/cases/<version>.json       manifests (manifest.py)
DATA/subjects/<subject>.json    the versions of one subject, the newest last
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from imaging.loaders import find_series
from imaging.protocol import Protocol
from imaging.visit import Subject
from imaging.visits import arrange
from surveillance.cases.arrays import Arrays
from surveillance.cases.case import Case, CaseVisit, Shelf
from surveillance.cases.importing import case_of
from surveillance.cases.manifest import CaseManifest
from surveillance.cases.memory import Memory
from surveillance.errors import CaseFilesError, CaseImportError
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.subject_folder import RECORD
from surveillance.exports.writing import make_folder, write_text, write_with


class _Versions(BaseModel):
    """One subject's versions in the order they were imported."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    versions: tuple[str, ...]
    fingerprints: tuple[str, ...]


class Library:
    """The cases in one data folder."""

    def __init__(self, folder: Path, memory: Memory) -> None:
        """Open a folder, made when it is new.

        Raises
        ------
        OutputError
            It cannot be made.
        """
        make_folder(folder)
        self._folder = folder
        self._arrays = Arrays(folder / "arrays")
        self._shelf = Shelf(self._arrays, memory)

    @property
    def subjects(self) -> tuple[str, ...]:
        """All subjects with a case, sorted."""
        files = (self._folder / "subjects").glob("*.json")
        return tuple(sorted(file.name.removesuffix(".json") for file in files))

    def versions(self, subject: str) -> tuple[str, ...]:
        """Return the versions of a subject, the newest last; () for an unknown one."""
        return self._known(subject).versions

    def newest(self, subject: str) -> Case:
        """Return a subject's case as imported last.

        Raises
        ------
        CaseFilesError
            There is no such subject, or its files are not as they were written.
        """
        versions = self.versions(subject)
        if not versions:
            raise CaseFilesError("case_no_subject", subject=subject[:64])
        return self.open(versions[-1])

    def open(self, version: str) -> Case:
        """Return one version of a case.

        Raises
        ------
        CaseFilesError
            It is not there, or not as it was written.
        """
        return self._shelf.memory.get(
            ("case", version),
            lambda: self._read(version),
            lambda case: len(case.manifest.content()),
        )

    def showing(self, subject: str, visit: str, images: Mapping[str, str]) -> CaseVisit:
        """Return a visit in the newest version of the case that has exactly these images.

        A reassessment of the same images is another version that looks the same.

        Raises
        ------
        CaseFilesError
            No version has them.
        """
        for version in reversed(self.versions(subject)):
            found = [v for v in self.open(version).visits if v.label == visit]
            if found and found[0].stored.images == dict(images):
                return found[0]
        raise CaseFilesError("case_images_gone", subject=subject[:64], visit=visit[:40])

    def _read(self, version: str) -> Case:
        try:
            content = self._manifest(version).read_bytes()
        except OSError as error:
            raise CaseFilesError("case_unreadable", version=version[:12]) from error
        if hashlib.sha256(content).hexdigest() != version:
            raise CaseFilesError("case_changed", version=version[:12])
        return Case(version, CaseManifest.model_validate_json(content), self._shelf)

    def add(
        self, subject: Subject, record: AssessmentRecord, masks: Path, protocol: Protocol
    ) -> Case:
        """Import one assessed subject; the same results and images again change nothing.

        Raises
        ------
        CaseImportError, MaskError
            See `case_of`.
        OutputError
            The data folder cannot be written.
        """
        known = self._known(record.subject)
        if known.fingerprints and known.fingerprints[-1] == record.fingerprint:
            return self.open(known.versions[-1])
        manifest = case_of(subject, record, masks, protocol, self._arrays)
        content, version = manifest.content(), manifest.version
        write_with(self._manifest(version), lambda temporary: temporary.write_bytes(content))
        added = known.model_copy(
            update={
                "versions": (*known.versions, version),
                "fingerprints": (*known.fingerprints, record.fingerprint),
            }
        )
        write_text(self._subject(record.subject), added.model_dump_json(indent=1) + "\n")
        return self.open(version)

    def _known(self, subject: str) -> _Versions:
        try:
            return _Versions.model_validate_json(self._subject(subject).read_bytes())
        except FileNotFoundError:
            return _Versions(subject=subject, versions=(), fingerprints=())
        except (OSError, ValidationError) as error:
            raise CaseFilesError("case_subject_unreadable", subject=subject) from error

    def _manifest(self, version: str) -> Path:
        return self._folder / "cases" / f"{Path(version).name}.json"

    def _subject(self, subject: str) -> Path:
        return self._folder / "subjects" / f"{Path(subject).name}.json"


def assessed_subjects(results: Path) -> dict[str, AssessmentRecord]:
    """Return the records of all subjects in a folder of results, by subject; empty for none.

    Raises
    ------
    CaseImportError
        A record is not one of this program's.
    """
    found = {}
    for file in sorted(results.glob(f"subjects/*/{RECORD}")):
        try:
            record = AssessmentRecord.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise CaseImportError("case_no_record", subject=file.parent.name) from error
        found[record.subject] = record
    return found


def imaged_subjects(images: tuple[Path, ...], protocol: Protocol) -> dict[str, Subject]:
    """Return all subjects found in images, by subject."""
    arrangement = arrange(find_series(images, protocol).series, protocol)
    return {subject.id: subject for subject in arrangement.subjects}
