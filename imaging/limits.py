"""Detection limits: what could not have been seen, said beside every green flag."""

from __future__ import annotations

from imaging.contrasts import T1Contrast, T2Contrast
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.reference import NoReference


def detection_limits(t2: T2Contrast, t1: T1Contrast | None, protocol: Protocol) -> tuple[str, ...]:
    """Return sentences: the smallest focus and brightness, the smallest fat fraction."""
    return tuple(sentence for sentence in (_focus(t2, protocol), _fat(t1)) if sentence)


def _focus(t2: T2Contrast, protocol: Protocol) -> str | None:
    if t2.signal is None or isinstance(t2.reference, NoReference):
        return None
    return text(
        "limits.focus",
        mm=protocol.signal.focus_min_mm,
        ratio=t2.signal.high_limit.value,
        over_graft=protocol.signal.focus_over_graft,
    )


def _fat(t1: T1Contrast | None) -> str:
    if t1 is None or t1.fat is None:
        return text("limits.fat_not_judged")
    fraction = t1.fat.minimum_detectable_fraction
    if fraction.value is None:
        return text("limits.fat_invisible", reason=fraction.reason)
    return text("limits.fat", percent=100 * fraction.value)
