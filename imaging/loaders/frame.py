"""Frame: one two-dimensional image of a DICOM file, its place in the patient, and its kind."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.loaders.pixel_data import PixelData
from imaging.series import SeriesInfo

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes two frames of one series belong to different volumes."""

    image_type: tuple[str, ...] = ()
    component: str = "MAGNITUDE"
    dixon: str | None = None
    echo_time_ms: float | None = None
    b_value_s_mm2: float | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """What may tell repeated acquisitions of one position apart."""

    temporal_position: float | None = None
    gradient_direction: Vector | None = None
    acquisition_number: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    trigger_time_ms: float | None = None
    acquisition_time: str | None = None
    content_time: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image in the patient.

    Parameters
    ----------
    position_mm, orientation
        ImagePositionPatient (3,) and ImageOrientationPatient (6,), None when absent.
    spacing_mm
        DICOM PixelSpacing: distance between rows, then between columns.
    tile
        Row and column where this image begins in its frame (a Siemens MOSAIC holds many).
    """

    pixels: PixelData
    index: int
    info: SeriesInfo
    kind: Kind
    repeat: Repeat
    sop_uid: str
    instance: int | None
    rows: int
    columns: int
    position_mm: Vector | None
    orientation: Vector | None
    spacing_mm: Vector | None
    frame_of_reference: str | None
    slope: float = 1.0
    intercept: float = 0.0
    tile: tuple[int, int] = (0, 0)

    @property
    def file(self) -> str:
        """Name of the file it is in."""
        return self.pixels.file.name
