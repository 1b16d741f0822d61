"""Headers: acquisition attributes the three vendors would write for each series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imaging.simulation.scenario import Scanner
from imaging.simulation.sequence import T1W, T1W_FS, T2W_FS, T2W_STIR, Sequence


@dataclass(frozen=True, slots=True)
class SeriesHeader:
    """One series: its role in the simulation, its number and name, its DICOM attributes."""

    role: str
    number: int
    description: str
    values: dict[str, Any]


DESCRIPTIONS = {
    "SIEMENS": ("t2_tse_spair_tra", "t1_vibe_fs_tra_bh", "t1_vibe_tra_bh", "t2_tirm_tra"),
    "GE MEDICAL SYSTEMS": ("Ax T2 FRFSE FS", "Ax LAVA", "Ax LAVA nonFS", "Ax STIR"),
    "Philips": ("T2W_SPAIR_TRA", "THRIVE_BH", "T1W_3D_TFE", "STIR_TRA"),
}
SEQUENCE_NAMES = {
    "SIEMENS": ("*tse2d1_15", "*fl3d1"),
    "GE MEDICAL SYSTEMS": ("FSE", "EFGRE3D"),
    "Philips": ("TSE", "T1TFE"),
}


def headers_of(scanner: Scanner) -> tuple[SeriesHeader, ...]:
    """Return the T2W-FS, T1W-FS and non-suppressed T1W headers of a scanner."""
    t2_name, t1_name, plain_name, stir_name = DESCRIPTIONS[scanner.vendor]
    t2 = T2W_STIR if scanner.stir else T2W_FS
    return (
        SeriesHeader("t2w_fs", 4, stir_name if scanner.stir else t2_name, _spin_echo(t2, scanner)),
        SeriesHeader("t1w_fs", 7, t1_name, _gradient_echo(T1W_FS, scanner)),
        SeriesHeader("t1w", 6, plain_name, _gradient_echo(T1W, scanner)),
    )


def localizer_header() -> SeriesHeader:
    """Return a quick gradient-echo scout."""
    values = {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"],
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "ScanOptions": "",
        "MRAcquisitionType": "2D",
        "RepetitionTime": 8.6,
        "EchoTime": 4.0,
        "FlipAngle": 20,
        "EchoTrainLength": 1,
    }
    return SeriesHeader("localizer", 1, "localizer", values)


def _common(sequence: Sequence, scanner: Scanner, thickness_mm: float) -> dict[str, Any]:
    return {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"]
        if scanner.vendor == "SIEMENS"
        else ["ORIGINAL", "PRIMARY", "OTHER"],
        "RepetitionTime": sequence.repetition_ms,
        "EchoTime": sequence.echo_ms,
        "SliceThickness": thickness_mm,
        "NumberOfAverages": 1,
        "ImagedNucleus": "1H",
        "ImagingFrequency": round(42.577 * scanner.field_strength_t, 3),
        "PercentSampling": 82,
        "ReceiveCoilName": scanner.coil.value,
    }


def _spin_echo(sequence: Sequence, scanner: Scanner) -> dict[str, Any]:
    inverted = sequence.inversion_ms is not None
    specific: dict[str, Any] = {
        "ScanningSequence": ["SE", "IR"] if inverted else "SE",
        "SequenceVariant": "SK",
        "ScanOptions": "" if inverted else "FS",
        "MRAcquisitionType": "2D",
        "SequenceName": SEQUENCE_NAMES[scanner.vendor][0],
        "FlipAngle": 150 if scanner.vendor == "SIEMENS" else 90,
        "EchoTrainLength": 15,
    }
    if inverted:
        specific["InversionTime"] = sequence.inversion_ms
    return _common(sequence, scanner, scanner.slice_thickness_mm) | specific


def _gradient_echo(sequence: Sequence, scanner: Scanner) -> dict[str, Any]:
    return _common(sequence, scanner, scanner.t1_slice_mm) | {
        "ScanningSequence": "GR",
        "SequenceVariant": ["SP", "OSP"],
        "ScanOptions": "FS" if sequence.fat_suppressed else "PFP",
        "MRAcquisitionType": "3D",
        "SequenceName": SEQUENCE_NAMES[scanner.vendor][1],
        "FlipAngle": sequence.flip_deg,
        "EchoTrainLength": 1,
    }
