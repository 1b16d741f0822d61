"""Detection limits: what could not have been seen, said beside every green flag."""

from __future__ import annotations

from imaging.anatomy import Anatomy
from imaging.contrasts import T1Contrast, T2Contrast
from imaging.measurements.level import shares
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.reference import NoReference


def detection_limits(anatomy: Anatomy, protocol: Protocol) -> tuple[str, ...]:
    """Return sentences: the smallest focus and brightness, the smallest fat fraction."""
    slice_mm = anatomy.t2w_fs.geometry.spacing_mm[2]
    sentences = (_focus(anatomy.t2, slice_mm, protocol), _fat(anatomy.t1))
    return tuple(sentence for sentence in sentences if sentence)


def _focus(t2: T2Contrast, slice_mm: float, protocol: Protocol) -> str | None:
    """Say what a focus must be where it fills slices, and where it lies between two of them."""
    limits, signal = protocol.signal, t2.signal
    if signal is None or isinstance(t2.reference, NoReference):
        return None
    over_graft, diluted = signal.focus_limit.value, signal.nodule_limit.value
    if over_graft is None or diluted is None:
        return None
    between, _ = shares(limits.nodule_min_mm, slice_mm)
    return text(
        "limits.focus",
        mm=limits.focus_min_mm,
        ratio=signal.high_limit.value,
        over_graft=over_graft,
        nodule_mm=limits.nodule_min_mm,
        between=1 + (diluted - 1) / between,
    )


def _fat(t1: T1Contrast | None) -> str:
    if t1 is None or t1.fat is None:
        return text("limits.fat_not_judged")
    fraction = t1.fat.minimum_detectable_fraction
    if fraction.value is None:
        return text("limits.fat_invisible", reason=fraction.reason)
    return text("limits.fat", percent=100 * fraction.value)
