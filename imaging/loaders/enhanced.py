"""Enhanced: the functional groups of a multi-frame file, flattened to one header a frame."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom import DataElement, Dataset
from pydicom.tag import Tag

from imaging.errors import FileError
from imaging.loaders.attributes import items, word
from imaging.loaders.files import InputFile
from imaging.loaders.pixel_data import PixelData

_FAT_SUPPRESSIONS = {"FAT", "FAT_AND_WATER"}
_RENAMED = {
    "EffectiveEchoTime": "EchoTime",
    "FrameType": "ImageType",
    "InversionTimes": "InversionTime",
}


@dataclass(frozen=True, slots=True)
class Flat:
    """One frame's attributes, as if it were a classic image."""

    index: int
    attributes: Dataset


def flattened(ds: Dataset, file: InputFile, pixels: PixelData) -> list[Flat]:
    """Return one header for each frame: the file's, the shared groups', the frame's own.

    Raises
    ------
    FileError
        The number of frames described is not the number stored.
    """
    frames = items(ds, "PerFrameFunctionalGroupsSequence")
    if len(frames) != pixels.layout.frames:
        raise FileError(
            "frames_not_described",
            file=file.name,
            frames=pixels.layout.frames,
            described=len(frames),
        )
    common = Dataset()
    _copy(ds, common)
    for group in items(ds, "SharedFunctionalGroupsSequence"):
        _copy_groups(group, common)
    return [Flat(index, _own(common, frame)) for index, frame in enumerate(frames)]


def _own(common: Dataset, frame: Dataset) -> Dataset:
    own = Dataset()
    _copy(common, own)
    _copy_groups(frame, own)
    return own


def _copy_groups(group: Dataset, into: Dataset) -> None:
    """Copy the attributes of every functional group (a sequence of one item)."""
    for element in group:
        if element.VR == "SQ" and not element.tag.is_private and len(element.value):
            _copy(element.value[0], into)


def _copy(source: Dataset, into: Dataset) -> None:
    for element in source:
        if element.keyword == "DiffusionGradientDirectionSequence" and len(element.value):
            _copy(element.value[0], into)
        elif element.VR != "SQ" or element.keyword == "ContrastBolusAgentSequence":
            into[element.tag] = element
            renamed = _RENAMED.get(element.keyword)
            if renamed:
                # A new element: the one in `into` may be shared with other frames.
                tag = Tag(renamed)
                into[tag] = DataElement(tag, element.VR, element.value)


def fat_suppressed(ds: Dataset) -> bool | None:
    """Whether fat is suppressed, from the two explicit attributes; None when neither is stated."""
    suppression = word(ds, "SpectrallySelectedSuppression")
    excitation = word(ds, "SpectrallySelectedExcitation")
    if suppression in _FAT_SUPPRESSIONS or excitation == "WATER":
        return True
    return None if suppression is None else False


def scanning_sequence(ds: Dataset) -> tuple[str, ...]:
    """Return the classic ScanningSequence that the Enhanced attributes describe."""
    echo = word(ds, "EchoPulseSequence")
    parts = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}.get(echo or "", ())
    planar = ("EP",) if word(ds, "EchoPlanarPulseSequence") == "YES" else ()
    inversion = ("IR",) if word(ds, "InversionRecovery") == "YES" else ()
    return planar + parts + inversion


def sequence_variant(ds: Dataset) -> tuple[str, ...]:
    """Return the classic SequenceVariant that the Enhanced attributes describe."""
    spoiled = ("SP",) if word(ds, "Spoiling") not in (None, "NONE") else ()
    steady = word(ds, "SteadyStatePulseSequence") not in (None, "NONE")
    return spoiled + (("SS",) if steady else ())
