"""Dialect: how a scanner and a trial site would have written the images."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Dialect:
    """Choices of the DICOM file set.

    Parameters
    ----------
    enhanced
        One Enhanced MR multi-frame file per series instead of one classic file per slice.
    clinical_trial
        Clinical Trial Subject and Study attributes are present.
    dates
        Study dates are kept; False writes them empty, as some de-identification does.
    transfer_syntax
        "rle", "jpeg2000" (lossless), "deflated" or "explicit".
    rescale_slope
        Rescale Slope of every image; 1 leaves stored values as they are.
    localizer, extra_series
        Visits (by number) with a localizer, and with a series no endpoint needs.
    first_day
        Study date of day 0.
    """

    enhanced: bool = False
    clinical_trial: bool = True
    dates: bool = True
    transfer_syntax: str = "jpeg2000"
    rescale_slope: float = 1.0
    localizer: tuple[int, ...] = (0,)
    extra_series: tuple[int, ...] = ()
    first_day: date = date(2026, 1, 5)
