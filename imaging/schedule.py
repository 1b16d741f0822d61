"""Schedule: from a free text such as "Month 6", or a count of days, to a scheduled visit."""

from __future__ import annotations

import re

from imaging.protocol import VisitWindows
from imaging.visit import VisitName

_BASELINE = re.compile(
    r"(?<![A-Z])(?:BASELINE|BASE LINE|BL|SCREENING|SCREEN|PRE ?TREATMENT|"
    r"POST ?TRANSPLANT(?:ATION)?|INITIAL|V0|DAY 0*0|D0+|WEEK 0*0|M0+|MONTH 0*0)(?![A-Z0-9])"
)
_UNSCHEDULED = re.compile(r"(?<![A-Z])(?:UNSCHEDULED|UNS|UNSCH|EXTRA|AD HOC)(?![A-Z])")
_DAYS_IN = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}
_AFTER = re.compile(
    r"(?<![A-Z])(DAYS?|D|WEEKS?|WK|W|MONTHS?|MON|MTH|MO|M|YEARS?|YR|Y) ?0*(\d{1,4})(?![0-9A-Z])"
)
_BEFORE = re.compile(
    r"(?<![0-9A-Z])0*(\d{1,4}) ?(DAYS?|D|WEEKS?|WKS?|W|MONTHS?|MTHS?|MOS?|M|YEARS?|YRS?|Y)(?![A-Z])"
)


def visit_named(text: str) -> bool:
    """Whether a text is the name of a time point and nothing else."""
    plain = _plain(text)
    return any(p.fullmatch(plain) for p in (_BASELINE, _UNSCHEDULED, _AFTER, _BEFORE))


def days_in(text: str) -> float | None:
    """Return the days since baseline that a text states; None when it states none."""
    plain = _plain(text)
    if _BASELINE.search(plain):
        return 0.0
    after, before = _AFTER.search(plain), _BEFORE.search(plain)
    if after:
        return float(after.group(2)) * _DAYS_IN[after.group(1)[0]]
    if before:
        return float(before.group(1)) * _DAYS_IN[before.group(2)[0]]
    return None


def _plain(text: str) -> str:
    return re.sub(r"[^A-Z0-9|]+", " ", text.upper()).strip()


def visit_of_text(text: str, windows: VisitWindows) -> VisitName | None:
    """Return the visit that a time point's name means; None when it names none."""
    if _UNSCHEDULED.search(_plain(text)):
        return VisitName.UNSCHEDULED
    days = days_in(text)
    return None if days is None else visit_of_days(days, windows)


def visit_of_days(days: float, windows: VisitWindows) -> VisitName:
    """Return the visit whose window holds `days` since baseline, the nearest of several."""
    if days <= 0:
        return VisitName.BASELINE
    fitting = [
        (abs(days - due), name) for name, (due, width) in schedule(windows).items()
        if abs(days - due) <= width
    ]  # fmt: skip
    return min(fitting)[1] if fitting else VisitName.UNSCHEDULED


def schedule(windows: VisitWindows) -> dict[VisitName, tuple[int, int]]:
    """Return due day and half window of each visit after baseline."""
    return {
        VisitName.D28: (windows.d28_day, windows.d28_window_days),
        VisitName.M3: (windows.m3_day, windows.m3_window_days),
        VisitName.M6: (windows.m6_day, windows.m6_window_days),
        VisitName.M12: (windows.m12_day, windows.m12_window_days),
    }


def due_days(windows: VisitWindows) -> dict[str, int]:
    """Return the day each scheduled visit is due, the baseline's among them."""
    later = {name.value: due for name, (due, _) in schedule(windows).items()}
    return {VisitName.BASELINE.value: 0, **later}
