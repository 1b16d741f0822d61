"""DicomHeader: from a header to the series' attributes and the file's frames."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID

from imaging.errors import FileError, GraftsiteError, NotUsableError
from imaging.loaders import enhanced, mosaic, tags
from imaging.loaders.attributes import Key, integer, items, number, numbers, value, word, words
from imaging.loaders.dicom_file import Header, read_header
from imaging.loaders.files import InputFile
from imaging.loaders.frame import Frame, Kind, Repeat
from imaging.loaders.identity import cleaned, identity_of
from imaging.loaders.pixel_data import Layout, layout_of, locate_pixels
from imaging.loaders.quiet import quiet
from imaging.series import SeriesInfo

MR_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.4",  # MR Image
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR Image
    "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR Image
}
_GE_COMPONENTS = {0: "MAGNITUDE", 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}
_COMPONENT_TOKENS = {
    "M": "MAGNITUDE", "MAGNITUDE": "MAGNITUDE",
    "P": "PHASE", "PHASE": "PHASE", "PHASE MAP": "PHASE",
    "R": "REAL", "REAL": "REAL",
    "I": "IMAGINARY", "IMAGINARY": "IMAGINARY",
}  # fmt: skip
_DIXON_TOKENS = {
    "WATER": "WATER", "W": "WATER",
    "FAT": "FAT", "F": "FAT",
    "IN_PHASE": "IN_PHASE", "IN PHASE": "IN_PHASE", "INPHASE": "IN_PHASE",
    "IP": "IN_PHASE", "IN": "IN_PHASE",
    "OUT_OF_PHASE": "OPPOSED_PHASE", "OUT_PHASE": "OPPOSED_PHASE", "OPP_PHASE": "OPPOSED_PHASE",
    "OPPOSED_PHASE": "OPPOSED_PHASE", "OUTPHASE": "OPPOSED_PHASE",
    "OP": "OPPOSED_PHASE", "OPP": "OPPOSED_PHASE",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """What the images of one series share, so that it is worked out once, not once an image."""

    info: SeriesInfo
    layout: Layout
    kind: Kind
    orientation: tuple[float, ...] | None
    spacing_mm: tuple[float, ...] | None
    frame_of_reference: str | None


Memory = dict[Hashable, Common]


def read_frames(file: InputFile, memory: Memory) -> list[Frame]:
    """Read one DICOM file's header into its frames.

    Parameters
    ----------
    file
        Any file; `memory` may be empty and is filled with what later images can share.

    Raises
    ------
    FileError
        Not DICOM, damaged, no MR image, no pixels, truncated.
    """
    with quiet():
        header = read_header(file)
        try:
            return _understood(header, memory)
        except GraftsiteError:
            raise
        except Exception as error:  # pydicom decodes late, and raises whatever the bytes provoke
            detail = type(error).__name__
            raise FileError("header_damaged", file=file.name, detail=detail) from error


def _understood(header: Header, memory: Memory) -> list[Frame]:
    ds, file = header.attributes, header.file
    if "DirectoryRecordSequence" in ds:
        raise FileError("dicomdir_index", file=file.name)
    key = _shared_part(ds)
    common = memory.get(key) if key else None
    if common is None:
        common = _common(ds, file)
        memory[key] = common
    try:
        return _frames(header, common)
    except FileError as error:
        raise NotUsableError(error.code, common.info, **error.values) from error


def _shared_part(ds: Dataset) -> Hashable:
    """Return the header's bytes but for the attributes that change from image to image.

    None when a sequence is among them: Enhanced files are few and read one by one.
    """
    kept = [ds.get_item(tag) for tag in ds.keys() if tag not in tags.PER_IMAGE]  # noqa: SIM118
    if any(element.VR == "SQ" for element in kept):
        return None
    return tuple((element.tag, element.VR, str(element.value)) for element in kept)


def _common(ds: Dataset, file: InputFile) -> Common:
    info = info_of(ds, file)
    sop_class = word(ds, "SOPClassUID") or ""
    if info.modality != "MR" or sop_class not in MR_CLASSES:
        name = UID(sop_class).name[:64] if sop_class else "?"
        raise NotUsableError("not_mr", info, file=file.name, modality=info.modality, kind=name)
    try:
        layout = layout_of(ds, file)
    except FileError as error:
        raise NotUsableError(error.code, info, **error.values) from error
    return Common(
        info=info,
        layout=layout,
        kind=kind_of(info),
        orientation=numbers(ds, "ImageOrientationPatient", 6),
        spacing_mm=numbers(ds, "PixelSpacing", 2),
        frame_of_reference=word(ds, "FrameOfReferenceUID"),
    )


def _frames(header: Header, common: Common) -> list[Frame]:
    ds, file = header.attributes, header.file
    pixels = locate_pixels(header, common.layout)
    whole = Frame(
        pixels=pixels,
        index=0,
        info=common.info,
        kind=common.kind,
        repeat=repeat_of(ds),
        sop_uid=word(ds, "SOPInstanceUID") or file.name,
        instance=integer(ds, "InstanceNumber"),
        rows=common.layout.rows,
        columns=common.layout.columns,
        position_mm=numbers(ds, "ImagePositionPatient", 3),
        orientation=common.orientation,
        spacing_mm=common.spacing_mm,
        frame_of_reference=common.frame_of_reference,
        **rescale_of(ds),
    )
    if "PerFrameFunctionalGroupsSequence" in ds:
        return [_enhanced_frame(whole, frame) for frame in enhanced.flattened(ds, file, pixels)]
    if common.layout.frames > 1:
        raise FileError("frames_without_place", file=file.name, frames=common.layout.frames)
    if "MOSAIC" in common.info.image_type:
        return mosaic.unpacked(ds, whole)
    return [whole]


def _enhanced_frame(whole: Frame, flat: enhanced.Flat) -> Frame:
    ds = flat.attributes
    info = replace(
        info_of(ds, whole.pixels.file),
        uid=whole.info.uid,
        identity=whole.info.identity,
        fat_suppressed=enhanced.fat_suppressed(ds),
    )
    return replace(
        whole,
        index=flat.index,
        info=info,
        kind=kind_of(info),
        repeat=repeat_of(ds),
        instance=flat.index,
        position_mm=numbers(ds, "ImagePositionPatient", 3),
        orientation=numbers(ds, "ImageOrientationPatient", 6),
        spacing_mm=numbers(ds, "PixelSpacing", 2),
        **rescale_of(ds),
    )


def info_of(ds: Dataset, file: InputFile) -> SeriesInfo:
    """Collect what a header says about its series; classic and flattened Enhanced alike."""
    image_type = tuple(token.upper() for token in words(ds, "ImageType"))
    return SeriesInfo(
        uid=word(ds, "SeriesInstanceUID") or file.name,
        description=cleaned(word(ds, "SeriesDescription") or "", ds),
        identity=identity_of(ds),
        source=file.name,
        modality=word(ds, "Modality") or "?",
        manufacturer=word(ds, "Manufacturer"),
        field_strength_t=number(ds, "MagneticFieldStrength"),
        repetition_time_ms=number(ds, "RepetitionTime"),
        echo_time_ms=number(ds, "EchoTime"),
        inversion_time_ms=number(ds, "InversionTime") or None,
        flip_angle_deg=number(ds, "FlipAngle"),
        echo_train_length=integer(ds, "EchoTrainLength"),
        slice_thickness_mm=number(ds, "SliceThickness") or None,
        scanning_sequence=words(ds, "ScanningSequence") or enhanced.scanning_sequence(ds),
        sequence_variant=words(ds, "SequenceVariant") or enhanced.sequence_variant(ds),
        scan_options=words(ds, "ScanOptions"),
        sequence_name=word(ds, "SequenceName") or word(ds, "PulseSequenceName") or "",
        image_type=image_type,
        acquisition_3d=_three_dimensional(ds),
        contrast_agent=_contrast_agent(ds),
        b_value_s_mm2=_b_value(ds),
        acquisition_time=word(ds, "AcquisitionDateTime"),
        contrast=word(ds, "AcquisitionContrast") or "",
        component=_component(ds, image_type),
        dixon=_first(_DIXON_TOKENS, image_type[2:]),
        private_scale_slope=number(ds, tags.PHILIPS_SCALE_SLOPE),
    )


def kind_of(info: SeriesInfo) -> Kind:
    """Return what separates volumes: image type, component, Dixon part, echo, b-value."""
    echo = info.echo_time_ms
    return Kind(
        info.image_type,
        info.component,
        info.dixon,
        None if echo is None else round(echo, 3),
        info.b_value_s_mm2,
    )


def repeat_of(ds: Dataset) -> Repeat:
    """Return what may separate repeated acquisitions."""
    direction = numbers(ds, "DiffusionGradientOrientation", 3) or _plain(
        ds, tags.SIEMENS_DIRECTION, 3
    )
    ge = tuple(number(ds, key) for key in tags.GE_DIRECTION)
    return Repeat(
        temporal_position=number(ds, "TemporalPositionIndex")
        or number(ds, "TemporalPositionIdentifier"),
        gradient_direction=direction or tuple(g for g in ge if g is not None) or None,
        acquisition_number=number(ds, "AcquisitionNumber"),
        inversion_time_ms=number(ds, "InversionTime"),
        flip_angle_deg=number(ds, "FlipAngle"),
        trigger_time_ms=number(ds, "TriggerTime") or number(ds, "NominalCardiacTriggerDelayTime"),
        acquisition_time=word(ds, "FrameAcquisitionDateTime") or word(ds, "AcquisitionTime"),
        content_time=word(ds, "ContentTime"),
    )


def rescale_of(ds: Dataset) -> dict[str, Any]:
    """Return slope and intercept of this frame; a slope of 0 would erase the image."""
    slope, intercept = number(ds, "RescaleSlope"), number(ds, "RescaleIntercept")
    return {"slope": slope or 1.0, "intercept": intercept or 0.0}


def _three_dimensional(ds: Dataset) -> bool | None:
    kind = word(ds, "MRAcquisitionType")
    return None if kind is None else kind.startswith("3D")


def _contrast_agent(ds: Dataset) -> str | None:
    named = word(ds, "ContrastBolusAgent")
    coded = items(ds, "ContrastBolusAgentSequence")
    return named or (word(coded[0], "CodeMeaning") or "agent" if coded else None)


def _b_value(ds: Dataset) -> float | None:
    standard = number(ds, "DiffusionBValue")
    if standard is not None:
        return standard
    siemens, ge = _plain(ds, tags.SIEMENS_B_VALUE, 1), _plain(ds, tags.GE_B_VALUE)
    if siemens:
        return siemens[0]
    # GE adds multiples of 1e9 as flags to the first of four integers.
    return ge[0] % 1e9 if ge else None


def _component(ds: Dataset, image_type: tuple[str, ...]) -> str:
    ge = _plain(ds, tags.GE_COMPONENT, 1)
    if ge and int(ge[0]) in _GE_COMPONENTS:
        return _GE_COMPONENTS[int(ge[0])]
    stated = word(ds, "ComplexImageComponent")
    if stated in _COMPONENT_TOKENS:
        return _COMPONENT_TOKENS[stated]
    return _first(_COMPONENT_TOKENS, image_type[2:]) or "MAGNITUDE"


def _first(table: dict[str, str], tokens: tuple[str, ...]) -> str | None:
    return next((table[token] for token in tokens if token in table), None)


def _plain(ds: Dataset, key: Key, count: int | None = None) -> tuple[float, ...] | None:
    """Read a private number; None when the creator is gone and only bytes are left."""
    found = value(ds, key)
    if isinstance(found, bytes):
        return None
    return numbers(ds, key, count)
