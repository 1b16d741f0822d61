"""Deidentify: MR images in, the same images without their people out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID

from imaging.description import words_of
from imaging.errors import FileError, GraftsiteError
from imaging.loaders.attributes import word
from imaging.loaders.identity import pseudonym
from imaging.loaders.quiet import quiet
from imaging.loaders.refusal import Refusal, refuse
from surveillance.deidentification.burned_in import check_pixels, is_stated_clean
from surveillance.deidentification.cleaning import Cleaner, texts_left
from surveillance.deidentification.method import state_method
from surveillance.deidentification.plan import Options, Plan
from surveillance.deidentification.survey import Surveyed, load
from surveillance.deidentification.vocabulary import cleaned_time_point
from surveillance.exports.writing import write_with


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What came of a plan.

    Parameters
    ----------
    refusals
        One line for each file, or person, that was left out.
    words_lost
        Series whose cleaned description says something else than before about what was
        acquired: their role may have changed.
    """

    written: int
    people: int
    refusals: tuple[Refusal, ...]
    words_lost: tuple[str, ...]


def deidentify(plan: Plan, output: Path, options: Options) -> Deidentified:
    """Write each image of the plan without identity into `output`.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    refusals = list(plan.refusals)
    written, lost = 0, set[str]()
    for one, cleaner in plan.work:
        try:
            lost |= _convert(one, cleaner, output, options)
            written += 1
        except FileError as error:
            refusals.append(refuse(error, [one.file.name]))
        except GraftsiteError:
            raise
        except Exception as error:  # noqa: BLE001  (what the bytes of a header provoke)
            damaged = FileError("header_damaged", file=one.file.name, detail=type(error).__name__)
            refusals.append(refuse(damaged, [one.file.name]))
    return Deidentified(written, plan.people, tuple(refusals), tuple(sorted(lost)))


def _convert(one: Surveyed, cleaner: Cleaner, output: Path, options: Options) -> set[str]:
    """Write one file; return its new series where the description lost words of meaning.

    Raises
    ------
    FileError
        Something that names a person would be left in it, or may stand in its pixels.
    """
    with quiet():
        ds = load(one.file)
        before = words_of(word(ds, "SeriesDescription") or "")
        clean = options.pixels_reviewed or is_stated_clean(ds)
        time_point = _time_point(ds, cleaner)
        cleaner.clean(ds)
        if time_point is not None:
            ds.ClinicalTrialTimePointID = ""
            ds.ClinicalTrialTimePointDescription = time_point
        _check(ds, one, cleaner)
        if not options.pixels_reviewed:
            check_pixels(ds, one.file.name)
        state_method(ds, keeps_subject=options.keep_subject, pixels_are_clean=clean)
        _renew_meta(ds)
        write_with(output / _name_of(ds), lambda path: ds.save_as(path, enforce_file_format=True))
        after = words_of(word(ds, "SeriesDescription") or "")
    return {str(ds.SeriesInstanceUID)} if after != before else set()


def _time_point(ds: Dataset, cleaner: Cleaner) -> str | None:
    """Return the name of the visit in words of a schedule; None when there is none.

    The table empties the ID and lets the description be cleaned, so the description takes both.
    What lost words gets letters instead, or two different visits could become one.
    """
    both = (word(ds, "ClinicalTrialTimePointID"), word(ds, "ClinicalTrialTimePointDescription"))
    said = " | ".join(text for text in both if text)
    if not said:
        return None
    kept = cleaned_time_point(said)
    is_same = "".join(kept.split()) == "".join(said.split())
    return kept if is_same else f"{kept} {cleaner.key.letters(said)}".strip()


def _check(ds: Dataset, one: Surveyed, cleaner: Cleaner) -> None:
    for tag, text in texts_left(ds):
        if cleaner.identifiers.names(text):
            raise FileError("identity_left", file=one.file.name, tag=tag)
    pixels = ds.get("PixelData", b"")
    if ds.file_meta.TransferSyntaxUID.is_compressed and cleaner.identifiers.are_in(pixels):
        raise FileError("identity_in_pixels", file=one.file.name)


def _renew_meta(ds: Dataset) -> None:
    """Write new meta information: the old one names the sender and the UID."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ds.file_meta.TransferSyntaxUID
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    ds.file_meta = meta
    ds.preamble = b"\0" * 128


def _name_of(ds: Dataset) -> Path:
    """Return a name that carries nothing: stand-ins of what are stand-ins already."""
    patient = str(ds.get("PatientID") or "") or pseudonym(str(ds.StudyInstanceUID), "")
    study, series, sop = (
        pseudonym(str(uid), "")
        for uid in (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)
    )
    return Path(patient, study, series, f"{sop}.dcm")
