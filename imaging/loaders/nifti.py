"""NIfTI: a three-dimensional image with a trustworthy orientation, or a refusal."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from imaging.errors import FileError, SeriesError
from imaging.geometry import FloatArray, Geometry, from_ras
from imaging.loaders.files import InputFile
from imaging.loaders.identity import safe_name
from imaging.loaders.naming import described, named, stem_of
from imaging.loaders.pixel_data import VOXELS_MAX
from imaging.loaders.quiet import quiet
from imaging.protocol import SeriesLimits
from imaging.series import Identity, SeriesInfo
from imaging.volume import Volume

HEADER_BYTES = 540  # a NIfTI-2 header; NIfTI-1 has 348
AFFINES_AGREE_MM = 1.0
_HARMLESS = ("not SPM compatible", "(qfac)")
"""An offset that only SPM minds, and a handedness of 0, which the standard reads as 1."""
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


@dataclass(frozen=True, slots=True, eq=False)
class NiftiPixels:
    """The voxels of one NIfTI file, read when called; can travel to another process."""

    file: InputFile
    geometry: Geometry

    def __call__(self) -> Volume:
        """Read the voxels, scaled by the header's slope where it has one.

        Raises
        ------
        FileError
            The file is shorter than its header says, or damaged.
        SeriesError
            A voxel is not finite.
        """
        header = read_header(self.file)
        offset = int(header.get_data_offset())
        size = int(np.prod(self.geometry.shape)) * header.get_data_dtype().itemsize
        raw = _bytes(self.file, offset, size)
        stored = np.frombuffer(raw, header.get_data_dtype()).reshape(self.geometry.shape, order="F")
        slope, inter = header.get_slope_inter()
        with np.errstate(over="ignore", invalid="ignore"):  # refused just below
            scaled = stored if slope is None else stored * slope + (inter or 0.0)
            array = scaled.astype(np.float32)
        if not np.isfinite(array).all():
            raise SeriesError("values_not_finite", file=self.file.name)
        array.setflags(write=False)
        return Volume(array, self.geometry)


def read_header(file: InputFile) -> Any:
    """Return the NIfTI header (nibabel's Nifti1Header or Nifti2Header).

    Raises
    ------
    FileError
        Not NIfTI, damaged, or the header of a pair of files whose voxels are elsewhere.
    """
    raw = _bytes(file, 0, HEADER_BYTES, short=True)
    kinds = {b"n+1\0": (344, 348, nib.Nifti1Header), b"n+2\0": (4, 540, nib.Nifti2Header)}
    for magic, (start, size, kind) in kinds.items():
        if raw[start : start + 4] == magic:
            _check_sound(file, kind, raw[:size])
            return kind(raw[:size], check=False)  # type: ignore[no-untyped-call]
    raise FileError("nifti_damaged", file=file.name, detail="no NIfTI signature")


def _check_sound(file: InputFile, kind: Any, raw: bytes) -> None:
    """Refuse what nibabel would repair and go on with: nobody knows what else was damaged."""
    try:
        header = kind(raw, check=False)
        damage = kind.diagnose_binaryblock(raw).splitlines()
        header.get_slope_inter()
    except _DAMAGED as error:
        raise FileError("nifti_damaged", file=file.name, detail=str(error)[:80]) from error
    damage = [line for line in damage if not any(kept in line for kept in _HARMLESS)]
    offset = header["vox_offset"]
    damage += [] if np.isfinite(offset) else [f"vox_offset {offset}"]
    if damage:
        raise FileError("nifti_damaged", file=file.name, detail=damage[0][:80])


def _bytes(file: InputFile, offset: int, size: int, short: bool = False) -> bytes:
    """Read `size` bytes from `offset`, unpacked; no more than that is ever held."""
    try:
        with file.open() as packed:
            stream: Any = gzip.GzipFile(fileobj=packed) if _is_gzip(packed) else packed
            stream.seek(offset)
            raw = bytes(stream.read(size))
    except _DAMAGED as error:
        detail = type(error).__name__
        raise FileError("nifti_damaged", file=file.name, detail=detail) from error
    if len(raw) < size and not short:
        raise FileError("pixels_truncated", file=file.name, expected=size, found=len(raw))
    return raw


def _is_gzip(stream: BinaryIO) -> bool:
    start = stream.read(2)
    stream.seek(0)
    return start == b"\x1f\x8b"


def geometry_of(file: InputFile, limits: SeriesLimits) -> Geometry:
    """Return the grid of a NIfTI file, in LPS.

    Raises
    ------
    FileError
        Not three-dimensional, no orientation, two orientations that disagree, sheared, too
        large, or (uncompressed) truncated.
    """
    header = read_header(file)
    shape = tuple(int(n) for n in header.get_data_shape())
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise FileError("nifti_dimensions", file=file.name, shape=shape)
    i, j, k = shape[:3]
    if min(i, j, k) < 1 or i * j * k > VOXELS_MAX or header.get_data_dtype().kind not in "iuf":
        raise FileError("too_large", file=file.name, size=i * j * k, limit=VOXELS_MAX)
    affine = _affine(file, header, (i, j, k))
    with np.errstate(invalid="ignore", divide="ignore"):  # a column of zeros is refused below
        unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    off = float(np.abs(unit.T @ unit - np.eye(3)).max())
    if not np.isfinite(affine).all() or not off <= np.sin(np.radians(limits.tilt_max_deg)):
        raise FileError("nifti_sheared", file=file.name)
    _check_length(file, header, i * j * k)
    return Geometry(from_ras(affine), (i, j, k))


def _affine(file: InputFile, header: Any, shape: tuple[int, int, int]) -> FloatArray:
    """Return the sform, else the qform; both must place the image alike where both exist."""
    with quiet():
        try:
            candidates = [
                np.asarray(affine, dtype=np.float64)
                for affine, code in (header.get_sform(coded=True), header.get_qform(coded=True))
                if affine is not None and code > 0
            ]
        except _DAMAGED as error:
            detail = str(error)[:80]
            raise FileError("nifti_damaged", file=file.name, detail=detail) from error
    if not candidates:
        raise FileError("nifti_no_orientation", file=file.name)
    corners = np.array([[0, 0, 0, 1], [*np.array(shape) - 1, 1]]).T
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite does not agree
        apart = float(np.abs((candidates[0] - candidates[-1]) @ corners).max())
    if len(candidates) > 1 and not apart <= AFFINES_AGREE_MM:
        raise FileError("nifti_two_orientations", file=file.name, apart=round(apart, 1))
    return candidates[0]


def _check_length(file: InputFile, header: Any, voxels: int) -> None:
    with file.open() as stream:
        if _is_gzip(stream):
            return  # known only by unpacking; `NiftiPixels` checks it
    expected = int(header.get_data_offset()) + voxels * header.get_data_dtype().itemsize
    if file.size < expected:
        raise FileError("pixels_truncated", file=file.name, expected=expected, found=file.size)


def info_of(file: InputFile, sidecar: dict[str, Any] | None, side: InputFile | None) -> SeriesInfo:
    """Return what is known of a NIfTI file: its name first, the side-car over it.

    Without any hint the subject is the file's stem and its only visit the baseline.
    """
    found = named(file)
    stem = stem_of(file.member or file.path)
    info = SeriesInfo(
        uid=safe_name(file.name),
        description="",
        identity=Identity(
            subject=found.subject or safe_name(stem), time_point=found.visit or "BASELINE"
        ),
        source=file.name,
        stated_role=found.role,
    )
    return info if sidecar is None or side is None else described(info, sidecar, side)
