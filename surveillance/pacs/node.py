"""Node: what every archive can be asked, whichever protocol it speaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydicom import Dataset

from imaging.errors import NodeError, UsageError
from imaging.loaders.files import InputFile
from imaging.loaders.identity import identity_of

IDENTITY = ("PatientID", "ClinicalTrialSubjectID")
"""What a subject is named by, in a study that an archive lists as in an image."""
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_WILDCARDS = re.compile(r"[*?\\]|^\s*$")


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """One image or other object in an archive; all four are UIDs."""

    study: str
    series: str
    sop: str
    sop_class: str


@dataclass(frozen=True, slots=True)
class Query:
    """Whose studies are wanted: any of these studies, patients, trial subjects or whole trials.

    Patient IDs stay out of its `repr`, which a scheduler may log.
    """

    studies: tuple[str, ...] = ()
    patients: tuple[str, ...] = field(default=(), repr=False)
    subjects: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()

    def questions(self) -> tuple[tuple[str, str], ...]:
        """Return (keyword, value) pairs; each is one question to the archive."""
        return (
            *(("StudyInstanceUID", value) for value in self.studies),
            *(("PatientID", value) for value in self.patients),
            *(("ClinicalTrialSubjectID", value) for value in self.subjects),
            *(("ClinicalTrialProtocolID", value) for value in self.trials),
        )

    def checked(self) -> Query:
        """Return this query.

        Raises
        ------
        UsageError
            Nothing is asked for, or a value holds a wildcard: nobody means to copy a whole archive.
        """
        if not self.questions():
            raise UsageError("query_empty")
        if any(_WILDCARDS.search(value) for _, value in self.questions()):
            raise UsageError("query_wildcard")
        if not all(map(is_uid, self.studies)):
            raise UsageError("query_uid")
        return self


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

    def whose(self, query: Query) -> Mapping[str, str]:
        """Return the subject of each study that the query finds, as `identity_of` names it."""

    def instances(self, studies: Sequence[str]) -> tuple[Instance, ...]:
        """Return all instances of the studies, sorted."""

    def fetch(self, instances: Sequence[Instance], keep: Keep) -> None:
        """Fetch each instance that the archive still has, as it is stored there."""

    def store(self, parcels: Sequence[Parcel], sent: Sent) -> None:
        """Send all files."""


def subjects_of(found: Mapping[str, Dataset]) -> dict[str, str]:
    """Return the subject of each study from what the archive answered about it."""
    return {study: identity_of(found[study]).subject for study in sorted(found)}


def matching_studies(
    node: str, keyword: str, value: str, answers: Sequence[Dataset]
) -> dict[str, Dataset]:
    """Return those answers that match, by their studies.

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
    return {proper_uid(node, answer.get("StudyInstanceUID")): answer for answer in matching}


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
