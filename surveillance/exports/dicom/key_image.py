"""KeyImage: the picture with outlines of one visit as a Secondary Capture image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from highdicom.sc import SCImage
from PIL import Image, UnidentifiedImageError
from pydicom import Dataset

from imaging.errors import FileError
from imaging.messages import text
from imaging.volume import Mask
from surveillance.exports.axial_view import PIXEL_MM, busiest_slice
from surveillance.exports.dicom import concepts as c
from surveillance.exports.dicom.header import PATIENT_AND_STUDY
from surveillance.exports.dicom.instance import Kind, Origin, common_arguments, sealed
from surveillance.exports.dicom.source import SourceSeries


def key_image(picture: Path, source: SourceSeries, shown: Mask, fingerprint: str) -> SCImage:
    """Return `overlay.png` of a visit as a sealed instance that refers to the slice it shows.

    Parameters
    ----------
    shown
        What the picture's slice was chosen by: the graft, or both muscles where none was found.

    Raises
    ------
    FileError
        The picture cannot be opened.
    """
    header = source.first
    arguments = common_arguments(Kind.KEY_IMAGE, Origin(header, fingerprint))
    image = SCImage(
        pixel_array=_pixels(picture),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),
        pixel_spacing=(PIXEL_MM, PIXEL_MM),
        study_instance_uid=header.StudyInstanceUID,
        **arguments,
    )
    for keyword in (*PATIENT_AND_STUDY, "SpecificCharacterSet"):
        if keyword in header:
            image[keyword] = header[keyword]
    for keyword in ("DateOfSecondaryCapture", "TimeOfSecondaryCapture"):
        delattr(image, keyword)
    image.Laterality = "L"  # of the graft; the picture shows both sides
    image.BurnedInAnnotation = "NO"
    image.ImageComments = text("dicom.key_image")
    image.SourceImageSequence = [_reference(source, shown)]
    return sealed(image)


def _pixels(picture: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        with Image.open(picture) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        detail = type(error).__name__
        raise FileError("file_unreadable", file=picture.name, detail=detail) from error


def _reference(source: SourceSeries, shown: Mask) -> Dataset:
    axis, number = busiest_slice(shown.array, shown.geometry)
    k = number if axis == 2 else 0  # a picture across the slices refers to the stack's first
    frames = source.frame_numbers
    image = source.images[0 if frames else k]
    reference = Dataset()
    reference.ReferencedSOPClassUID = image.SOPClassUID
    reference.ReferencedSOPInstanceUID = image.SOPInstanceUID
    if frames:
        reference.ReferencedFrameNumber = frames[k]
    reference.PurposeOfReferenceCodeSequence = [c.item(c.SOURCE_IMAGE)]
    return reference
