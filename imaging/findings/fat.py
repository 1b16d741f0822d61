"""Fat absence (E3): whether the graft region is isointense to muscle on T1W-FS."""

from __future__ import annotations

from imaging.findings.evidence import Finding, Reason, gates, plain, undecided
from imaging.findings.status import Status
from imaging.measurements.fat import Fat, FatAnswer
from imaging.messages import text
from imaging.protocol import FatLimits, Protocol
from imaging.timepoint import Timepoint

ENDPOINT = "fat_absence"
CONFIRMED = (FatAnswer.CONFIRMED_MACROSCOPIC, FatAnswer.CONFIRMED_MICROSCOPIC)


def judge_fat(
    visit: Timepoint, fat: Fat | None, fat_uncorrected: Fat | None, protocol: Protocol
) -> Finding:
    """Judge one visit; baseline too.

    adverse: certainly not isointense, or fat confirmed by supporting images. favorable:
    isointense, where fat would have been visible. Measured with and without bias field
    correction; where field A differs the finding is indeterminate.
    """
    closed = gates(ENDPOINT, (visit,), protocol.quality)
    if closed:
        return undecided(*closed)
    if fat is None or fat_uncorrected is None:
        return undecided(plain("no_t1"))
    reasons = (*_field_a(fat, protocol.fat), _detectable(fat, protocol.fat), _field_b(fat))
    confirmed = fat.answer in CONFIRMED and fat_uncorrected.answer in CONFIRMED
    signs = frozenset({"fat_confirmed"} if confirmed else ())
    if fat.isointense is not fat_uncorrected.isointense and not confirmed:
        return undecided(_disagreement(fat, fat_uncorrected), *reasons, signs=signs)
    if confirmed or fat.isointense is False:
        return Finding(Status.ADVERSE, reasons, signs)
    if fat.isointense and fat.minimum_detectable_fraction.known and fat.answer is FatAnswer.NONE:
        return Finding(Status.FAVORABLE, reasons)
    return undecided(*reasons)


def _disagreement(fat: Fat, other: Fat) -> Reason:
    word = {True: "yes", False: "no", None: "undecided"}
    return plain(
        "correction_decides_fat",
        corrected=word[fat.isointense],
        uncorrected=word[other.isointense],
    )


def _field_a(fat: Fat, limits: FatLimits) -> tuple[Reason, ...]:
    word = {True: "isointense", False: "not_isointense", None: "isointense_undecided"}
    foci = tuple(_focus(f.ratio, f.diameter_mm, f.volume_ml, f.at_rim, limits) for f in fat.foci)
    why = Reason(fat.isointense_reason) if fat.isointense_reason else None
    if fat.ratio.value is None:
        return ((why,) if why else ()) + foci
    low, high = fat.ratio.ci95 or (fat.ratio.value, fat.ratio.value)
    key = "fat.isointense_low, fat.isointense_high"
    sentence = text(
        f"finding.{word[fat.isointense]}",
        value=fat.ratio.value,
        low=low,
        high=high,
        least=limits.isointense_low,
        most=limits.isointense_high,
    )
    threshold = limits.isointense_low if fat.ratio.value < 1 else limits.isointense_high
    ratio = Reason(f"{sentence} [{key}]", fat.ratio.value, threshold, key)
    return ((ratio, why) if why else (ratio,)) + foci


def _focus(ratio: float, mm: float, ml: float, at_rim: bool, limits: FatLimits) -> Reason:
    dark = ratio < limits.isointense_low
    threshold = limits.focus_dark_ratio if dark else limits.focus_bright_ratio
    key = "fat.focus_dark_ratio" if dark else "fat.focus_bright_ratio"
    name = "rim_focus" if at_rim else "fat_focus"
    sentence = text(f"finding.{name}", value=ratio, threshold=threshold, mm=mm, ml=ml)
    return Reason(f"{sentence} [{key}, fat.focus_min_mm, fat.focus_min_ml]", ratio, threshold, key)


def _detectable(fat: Fat, limits: FatLimits) -> Reason:
    fraction, key = fat.minimum_detectable_fraction, "fat.detectable_contrast"
    if fraction.value is None:
        sentence = text("finding.fat_not_visible", why=fraction.reason)
        return Reason(f"{sentence} [{key}]", None, limits.detectable_contrast, key)
    sentence = text("finding.fat_visible_from", percent=100 * fraction.value)
    return Reason(f"{sentence} [{key}]", fraction.value, limits.detectable_contrast, key)


def _field_b(fat: Fat) -> Reason:
    return Reason(text(f"fat_answer.{fat.answer}")) if fat.answer else plain("fat_undecided")
