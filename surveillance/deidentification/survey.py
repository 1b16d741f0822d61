"""Survey: whose files these are, before any is changed.

Files belong to one person when they share a Patient ID, a trial subject or a study. Dates of one
person move together, and a name in one of the files is looked for in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom import Dataset, dcmread
from pydicom._uid_dict import UID_dictionary
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from imaging.errors import FileError
from imaging.loaders.attributes import day, word
from imaging.loaders.dicom_header import MR_CLASSES
from imaging.loaders.files import InputFile
from imaging.loaders.quiet import quiet
from surveillance.deidentification.burned_in import is_suspect
from surveillance.deidentification.identifiers import Identifiers, identifiers_in, joined

_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One file's identity; empty texts where the header says nothing."""

    file: InputFile
    patient_id: str
    subject_id: str
    study_uid: str
    birth: str
    sex: str
    identifiers: Identifiers

    @property
    def links(self) -> frozenset[tuple[str, str]]:
        """What ties the file to a person."""
        kinds = ("patient", "subject", "study")
        values = (self.patient_id, self.subject_id, self.study_uid)
        return frozenset((k, v) for k, v in zip(kinds, values, strict=True) if v)


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one person."""

    files: tuple[Surveyed, ...]

    @property
    def identifiers(self) -> Identifiers:
        """All words by which any of the files names someone."""
        return joined(one.identifiers for one in self.files)

    @property
    def patient_ids(self) -> frozenset[str]:
        """Patient IDs; a study stands for a patient who has none, as everywhere in graftsite."""
        named = frozenset(one.patient_id for one in self.files if one.patient_id)
        return named or frozenset(one.study_uid for one in self.files)

    @property
    def subject_ids(self) -> frozenset[str]:
        """Trial subjects."""
        return frozenset(one.subject_id for one in self.files if one.subject_id)

    @property
    def is_one_person(self) -> bool:
        """Whether birth dates and sexes, as far as stated, agree; afterwards nobody could tell."""
        births = {one.birth for one in self.files if one.birth}
        sexes = {one.sex for one in self.files if one.sex in {"F", "M"}}
        return len(births) <= 1 and len(sexes) <= 1


def survey(file: InputFile, *, pixels_reviewed: bool) -> Surveyed:
    """Read whose file it is.

    Raises
    ------
    FileError
        No MR image, damaged, or it may show burned-in text and nobody has looked.
    """
    ds = load(file, header_only=True)
    sop_class = word(ds, "SOPClassUID") or ""
    if sop_class not in MR_CLASSES:
        raise FileError("deidentify_not_mr", file=file.name)
    if not _is_complete(ds):
        raise FileError("header_damaged", file=file.name, detail="no UIDs")
    if is_suspect(ds) and not pixels_reviewed:
        raise FileError("burned_in", file=file.name)
    with quiet():
        born = day(ds, "PatientBirthDate")
        return Surveyed(
            file=file,
            patient_id=word(ds, "PatientID") or "",
            subject_id=word(ds, "ClinicalTrialSubjectID") or "",
            study_uid=word(ds, "StudyInstanceUID") or "",
            birth=str(born or ""),
            sex=word(ds, "PatientSex") or "",
            identifiers=identifiers_in(ds),
        )


def _is_complete(ds: Dataset) -> bool:
    """Whether there are the UIDs without which no file can be written."""
    syntax = UID(word(ds.file_meta, "TransferSyntaxUID") or "")
    known = syntax in UID_dictionary and syntax.is_transfer_syntax
    return known and all(word(ds, keyword) for keyword in _NEEDED)


def load(file: InputFile, *, header_only: bool = False) -> Dataset:
    """Read a DICOM file.

    Raises
    ------
    FileError
        It is none, or cannot be parsed.
    """
    try:
        with file.open() as stream, quiet():
            return dcmread(stream, stop_before_pixels=header_only)
    except InvalidDicomError as error:
        raise FileError("not_an_image", file=file.name) from error
    except OSError as error:
        detail = error.strerror or type(error).__name__
        raise FileError("file_unreadable", file=file.name, detail=detail) from error
    except Exception as error:  # a header from outside can break the parser in any way
        detail = type(error).__name__
        raise FileError("header_damaged", file=file.name, detail=detail) from error


def groups_of(files: Iterable[Surveyed]) -> tuple[Group, ...]:
    """Join files into people, in the order of their first files; no files give no groups."""
    groups: list[tuple[set[tuple[str, str]], list[Surveyed]]] = []
    for one in files:
        tied = [group for group in groups if group[0] & one.links]
        links = set(one.links).union(*(group[0] for group in tied))
        members = [member for group in tied for member in group[1]]
        groups = [group for group in groups if group not in tied]
        groups.append((links, [*members, one]))
    return tuple(Group(tuple(_sorted(members))) for _, members in groups)


def _sorted(members: Sequence[Surveyed]) -> list[Surveyed]:
    return sorted(members, key=lambda one: one.file.name)
