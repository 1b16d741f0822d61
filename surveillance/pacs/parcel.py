"""Parcel: the DICOM files among given paths, ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from imaging.errors import FileError
from imaging.loaders.attributes import word
from imaging.loaders.files import InputFile, walk
from imaging.loaders.quiet import quiet
from imaging.loaders.refusal import Refusal, refuse
from imaging.messages import text
from surveillance.pacs.node import Instance, Parcel
from surveillance.pacs.whole import is_whole

_WANTED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


def find_parcels(paths: Sequence[Path]) -> tuple[tuple[Parcel, ...], tuple[Refusal, ...]]:
    """Return what can be sent, each SOP Instance once, and a line for everything else."""
    found = walk(paths)
    parcels: dict[str, Parcel] = {}
    refusals = list(found.refusals)
    for file in found.files:
        try:
            parcel = _parcel(file)
        except (FileError, OSError) as error:
            refusals.append(refuse(_as_file_error(file, error), [file.name]))
            continue
        if parcel.instance.sop in parcels:
            again = FileError("instance_repeated", file=file.name)
            refusals.append(refuse(again, [file.name]))
        parcels.setdefault(parcel.instance.sop, parcel)
    return tuple(parcels.values()), tuple(refusals)


def _as_file_error(file: InputFile, error: FileError | OSError) -> FileError:
    if isinstance(error, FileError):
        return error
    detail = error.strerror or type(error).__name__
    return FileError("file_unreadable", file=file.name, detail=detail)


def _parcel(file: InputFile) -> Parcel:
    try:
        with file.open() as stream, quiet():
            header = dcmread(stream, stop_before_pixels=True, specific_tags=list(_WANTED))
    except InvalidDicomError as error:
        raise FileError("not_an_image", file=file.name) from error
    except Exception as error:  # a header from outside can break the parser in any way
        detail = type(error).__name__
        raise FileError("header_damaged", file=file.name, detail=detail) from error
    uids = [word(header, keyword) for keyword in _WANTED]
    syntax = word(header.file_meta, "TransferSyntaxUID")
    if not all((*uids, syntax)):
        raise FileError("header_damaged", file=file.name, detail="no UIDs")
    if not is_whole(file):
        raise FileError("file_cut", file=file.name)
    return Parcel(file, Instance(*map(str, uids)), str(syntax))


def load_parcel(parcel: Parcel) -> Dataset:
    """Read the whole file."""
    with parcel.file.open() as stream, quiet():
        return dcmread(stream)


def not_taken(parcel: Parcel) -> str:
    """Return the sentence that says why a node that does not know such objects has not got it."""
    sop_class, syntax = (UID(uid).name for uid in parcel.kind)
    return text("pacs.not_taken", kind=sop_class, syntax=syntax)
