"""EncapsulatedPdf: a report as a document in the study it is about."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from imaging.errors import FileError
from surveillance.exports.dicom import concepts as c
from surveillance.exports.dicom.header import PATIENT_AND_STUDY, legible
from surveillance.exports.dicom.instance import (
    MAKER,
    NO_DATE,
    NO_TIME,
    Kind,
    Origin,
    sealed,
    series_uid,
)
from surveillance.fingerprint import program_version


def encapsulated_pdf(
    pdf: bytes, name: str, title: str, origin: Origin, sources: Iterable[Dataset] = ()
) -> Dataset:
    """Return a PDF as a sealed instance.

    Parameters
    ----------
    name
        The file's name, for an error message.
    sources
        Instances the report was made from: segmentation, measurements.

    Raises
    ------
    FileError
        The bytes are no PDF.
    """
    if not pdf.startswith(b"%PDF-"):
        raise FileError("export_no_pdf", file=name)
    header, (number, description) = origin.header, Kind.REPORT.value
    ds = Dataset()
    for keyword in (*PATIENT_AND_STUDY, "SpecificCharacterSet"):
        if keyword in header:
            ds[keyword] = header[keyword]
    ds.SOPClassUID = EncapsulatedPDFStorage
    ds.Modality, ds.ConversionType = "DOC", "WSD"
    ds.SeriesInstanceUID = series_uid(Kind.REPORT, origin)
    ds.SeriesNumber, ds.SeriesDescription, ds.InstanceNumber = number, description, 1
    ds.Manufacturer, ds.ManufacturerModelName = MAKER, MAKER
    ds.SoftwareVersions = program_version()
    ds.ContentDate, ds.ContentTime = header.StudyDate or NO_DATE, header.StudyTime or NO_TIME
    ds.AcquisitionDateTime = ""
    ds.BurnedInAnnotation = "YES"  # a report names its subject
    ds.DocumentTitle = legible(title, 1024)
    ds.ConceptNameCodeSequence = [c.item(c.IMAGING_REPORT)]
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    ds.EncapsulatedDocumentLength = len(pdf)
    references = [_reference(source) for source in sources]
    if references:
        ds.SourceInstanceSequence = references
    return sealed(ds)


def _reference(source: Dataset) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return reference
