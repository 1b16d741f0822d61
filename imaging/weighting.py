"""Weighting: T1, T2 or neither, from the physics of the sequence before its name."""

from __future__ import annotations

from enum import Enum, auto

from imaging.description import Words
from imaging.messages import text
from imaging.protocol import SeriesLimits
from imaging.series import SeriesInfo


class Weighting(Enum):
    """What the contrast of an image mostly shows."""

    T1 = auto()
    T2 = auto()
    STIR = auto()
    OTHER = auto()


Answer = tuple[Weighting, tuple[str, ...]]

_STATED = {"T1": Weighting.T1, "T2": Weighting.T2, "STIR": Weighting.STIR}
_STATED_OTHER = {"PROTON_DENSITY", "T2_STAR", "FLUID_ATTENUATED", "PERFUSION", "FLOW_ENCODED"}


def weighting_of(info: SeriesInfo, words: Words, limits: SeriesLimits) -> Answer:
    """Return the weighting and the sentences that say why.

    Acquisition Contrast of Enhanced MR decides where it is stated; then inversion time, then
    echo time, repetition time and flip angle by kind of sequence; the description last.
    """
    if info.contrast in _STATED:
        return _STATED[info.contrast], (text("role.contrast_stated", contrast=info.contrast),)
    if info.contrast in _STATED_OTHER:
        return Weighting.OTHER, (text("role.contrast_stated", contrast=info.contrast),)
    kinds = set(info.scanning_sequence)
    if "GR" in kinds and "SE" not in kinds:
        answer = _gradient_echo(info, limits)
    elif "SE" in kinds or "IR" in kinds:
        answer = _inversion(info, limits) or _spin_echo(info, limits)
    else:
        answer = _inversion(info, limits) or _unstated_kind(info, limits)
    return answer or _by_words(info, words)


def _inversion(info: SeriesInfo, limits: SeriesLimits) -> Answer | None:
    ti = info.inversion_time_ms
    if ti is None:
        return None
    if ti <= limits.stir_inversion_max_ms:
        return Weighting.STIR, (text("role.stir", ti=ti, limit=limits.stir_inversion_max_ms),)
    if ti >= limits.flair_inversion_min_ms:
        return Weighting.OTHER, (text("role.flair", ti=ti, limit=limits.flair_inversion_min_ms),)
    return None


def _spin_echo(info: SeriesInfo, limits: SeriesLimits) -> Answer | None:
    te, tr = info.echo_time_ms, info.repetition_time_ms
    if te is None or tr is None:
        return None
    if te >= limits.t2_echo_min_ms and tr >= limits.t2_repetition_min_ms:
        return Weighting.T2, (text("role.spin_t2", te=te, tr=tr),)
    inverted = info.inversion_time_ms is not None
    if te <= limits.t1_echo_max_ms and (tr <= limits.t1_repetition_max_ms or inverted):
        return Weighting.T1, (text("role.spin_t1", te=te, tr=tr),)
    return None


def _gradient_echo(info: SeriesInfo, limits: SeriesLimits) -> Answer | None:
    te, tr, flip = info.echo_time_ms, info.repetition_time_ms, info.flip_angle_deg
    if te is None:
        return None
    values = {"te": te, "tr": "?" if tr is None else tr, "flip": "?" if flip is None else flip}
    if te > limits.gradient_echo_max_ms:
        return Weighting.OTHER, (text("role.gradient_t2_star", **values),)
    if _balanced(info, limits):
        return Weighting.OTHER, (text("role.balanced", **values),)
    if flip is not None and flip < limits.gradient_flip_min_deg:
        return Weighting.OTHER, (text("role.gradient_density", **values),)
    return Weighting.T1, (text("role.gradient_t1", **values),)


def _balanced(info: SeriesInfo, limits: SeriesLimits) -> bool:
    flip, tr = info.flip_angle_deg, info.repetition_time_ms
    if flip is None or tr is None or "tfi" in info.sequence_name.lower():
        return "tfi" in info.sequence_name.lower()
    return flip >= limits.balanced_flip_min_deg and tr <= limits.balanced_repetition_max_ms


def _unstated_kind(info: SeriesInfo, limits: SeriesLimits) -> Answer | None:
    """Decide by times alone when the header calls the sequence research mode, or nothing."""
    te = info.echo_time_ms
    if te is None or info.repetition_time_ms is None:
        return None
    if te <= limits.gradient_echo_max_ms and info.repetition_time_ms <= limits.t1_repetition_max_ms:
        return _gradient_echo(info, limits)
    return _spin_echo(info, limits)


def _by_words(info: SeriesInfo, words: Words) -> Answer:
    if words.kinds & {"fluid", "proton", "balanced"}:
        return Weighting.OTHER, (text("role.words_other", description=info.description),)
    if words.weighting is None:
        return Weighting.OTHER, (text("role.undecided"),)
    named = text("role.words", weighting=words.weighting, description=info.description)
    return _STATED[words.weighting], (named,)
