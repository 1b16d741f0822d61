"""Node: what every archive can be asked, whichever protocol it speaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydicom import Dataset

from imaging.errors import NodeError
from imaging.loaders.files import InputFile

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """One image or other object in an archive; all four are UIDs."""

    study: str
    series: str
    sop: str
    sop_class: str


@dataclass(frozen=True, slots=True)
class Query:
    """Whose studies are wanted: any of the Study Instance UIDs, Patient IDs and trial subjects."""

    studies: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    def questions(self) -> tuple[tuple[str, str], ...]:
        """Return (keyword, value) pairs; each is one question to the archive."""
        return (
            *(("StudyInstanceUID", value) for value in self.studies),
            *(("PatientID", value) for value in self.patients),
            *(("ClinicalTrialSubjectID", value) for value in self.subjects),
        )


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file to be sent: what it is, and where it lies."""

    file: InputFile
    instance: Instance
    transfer_syntax: str

    @property
    def kind(self) -> tuple[str, str]:
        """SOP class and transfer syntax: what an association must have been agreed for."""
        return self.instance.sop_class, self.transfer_syntax


Keep = Callable[[str, bytes], bool]
"""Is given a SOP Instance UID and a whole DICOM file; says whether it was wanted and is sound."""
Sent = Callable[[Parcel, str | None], None]
"""Is given a file that was sent and why the archive refused it, None when it was taken."""


class Node(Protocol):
    """An archive.

    All raise TransferError when it cannot be reached or breaks off, and NodeError when it
    refuses; both name the node and no patient.
    """

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    def echo(self) -> None:
        """Ask whether it is there and would talk with us."""

    def studies(self, query: Query) -> tuple[str, ...]:
        """Return the Study Instance UIDs, sorted; a query that finds nothing gives none."""

    def instances(self, studies: Sequence[str]) -> tuple[Instance, ...]:
        """Return all instances of the studies, sorted."""

    def fetch(self, instances: Sequence[Instance], keep: Keep) -> None:
        """Fetch each instance that the archive still has, as it is stored there."""

    def store(self, parcels: Sequence[Parcel], sent: Sent) -> None:
        """Send all files."""


def matching_studies(node: str, keyword: str, value: str, answers: Sequence[Dataset]) -> set[str]:
    """Return the studies of those answers that match.

    An archive that does not know a key may ignore it and answer with everything it has.

    Raises
    ------
    NodeError
        There are answers without the attribute that was asked for: the archive cannot search
        by it; or a study without a proper UID.
    """
    if any(not str(answer.get(keyword) or "") for answer in answers):
        raise NodeError("node_cannot_search", node=node, keyword=keyword)
    matching = (answer for answer in answers if str(answer[keyword].value).strip() == value)
    return {proper_uid(node, answer.get("StudyInstanceUID")) for answer in matching}


def instance_of(node: str, study: str, answer: Dataset) -> Instance:
    """Return the instance that an archive's answer describes.

    Raises
    ------
    NodeError
        A UID is absent or not of its form; it becomes a file's name, so nothing else may pass.
    """
    series, sop, sop_class = (
        proper_uid(node, answer.get(keyword))
        for keyword in ("SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
    )
    return Instance(study, series, sop, sop_class)


def proper_uid(node: str, value: object) -> str:
    """Return a UID as text; raises NodeError when it is none."""
    text = str(value or "").strip()
    if not is_uid(text):
        raise NodeError("node_answer", node=node, detail="a UID is absent or not of its form")
    return text


def is_uid(text: str) -> bool:
    """Whether a text has the form of a UID (PS3.5 section 9)."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None
