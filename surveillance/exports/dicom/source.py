"""SourceSeries: the images a result was measured on, as objects made from them refer to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pydicom
from pydicom import Dataset
from pydicom.valuerep import format_number_as_ds

from imaging.errors import SeriesError
from imaging.geometry import Geometry
from imaging.loaders.attributes import integer, word
from imaging.loaders.files import InputFile
from imaging.loaders.frame import Frame
from imaging.loaders.pixels import StackPixels
from imaging.loaders.quiet import quiet
from imaging.series import Series
from surveillance.exports.dicom.header import patient_and_study
from surveillance.exports.dicom.uids import is_uid

_UIDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
)


@dataclass(frozen=True, slots=True, eq=False)
class SourceSeries:
    """One series' images in order of its grid.

    Parameters
    ----------
    images
        Header of each slice's image, or of the one multi-frame image. They hold what objects
        derived from them take over and nothing else; a multi-frame one has the grid's frames only.
    frame_numbers
        Of a multi-frame image, the true frame number of each slice, from 1; else None.
    """

    images: tuple[Dataset, ...]
    geometry: Geometry
    frame_numbers: list[int] | None

    @property
    def first(self) -> Dataset:
        """The first image's header."""
        return self.images[0]


def source_of(series: Series) -> SourceSeries:
    """Read the headers of a series again.

    Raises
    ------
    SeriesError
        It is no DICOM, its images carry no usable UIDs, or its slices are spread over several
        multi-frame images or the tiles of one.
    """
    name = series.info.description or series.info.uid
    if not isinstance(series.pixels, StackPixels):
        raise SeriesError("export_no_dicom", series=name)
    frames, geometry = series.pixels.frames, series.geometry
    files = {frame.file: frame.pixels.file for frame in frames}
    multi = frames[0].pixels.layout.frames > 1
    if any(frame.tile != (0, 0) for frame in frames) or (multi and len(files) > 1):
        raise SeriesError("export_layout", series=name)
    headers = {file: _header(path, name) for file, path in files.items()}
    if multi:
        numbers = [frame.index + 1 for frame in frames]
        return SourceSeries((_multi(headers[frames[0].file], frames, geometry),), geometry, numbers)
    images = tuple(_single(headers[frame.file], frame, frames[0], geometry) for frame in frames)
    return SourceSeries(images, geometry, None)


def _header(file: InputFile, series: str) -> Dataset:
    with quiet(), file.open() as stream:
        source = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
        header = patient_and_study(source)
        for keyword in _UIDS:
            uid = word(source, keyword) or ""
            if not is_uid(uid):
                raise SeriesError("export_no_uid", series=series, attribute=keyword)
            setattr(header, keyword, uid)
        header.Modality = "MR"
        header.PositionReferenceIndicator = ""
        header.Rows, header.Columns = integer(source, "Rows"), integer(source, "Columns")
    return header


def _single(header: Dataset, frame: Frame, first: Frame, geometry: Geometry) -> Dataset:
    """Give a single-frame image its place; all slices are written with one orientation."""
    header.update(_measures(first, geometry))
    header.ImageOrientationPatient = _decimals(first.orientation)
    header.ImagePositionPatient = _decimals(frame.position_mm)
    return header


def _multi(header: Dataset, frames: tuple[Frame, ...], geometry: Geometry) -> Dataset:
    orientation = _item(ImageOrientationPatient=_decimals(frames[0].orientation))
    measures = _measures(frames[0], geometry)
    header.NumberOfFrames = len(frames)
    header.SharedFunctionalGroupsSequence = [
        _item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[orientation])
    ]
    header.PerFrameFunctionalGroupsSequence = [
        _item(PlanePositionSequence=[_item(ImagePositionPatient=_decimals(frame.position_mm))])
        for frame in frames
    ]
    return header


def _measures(first: Frame, geometry: Geometry) -> Dataset:
    between_mm = geometry.spacing_mm[2]
    (thickness,) = _decimals([first.info.slice_thickness_mm or between_mm])
    (between,) = _decimals([between_mm])
    return _item(
        PixelSpacing=_decimals(first.spacing_mm),
        SliceThickness=thickness,
        SpacingBetweenSlices=between,
    )


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _decimals(values: Iterable[float] | None) -> list[str]:
    """Write numbers in DICOM's 16 characters; the stack has checked that they are there."""
    return [str(format_number_as_ds(float(value))) for value in values or ()]
