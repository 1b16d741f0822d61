"""Visit: one timepoint's series; Subject: all visits of one person, baseline first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from imaging.series import Series


class VisitName(StrEnum):
    """The trial's timepoints; what fits no window is unscheduled."""

    BASELINE = "BASELINE"
    D28 = "D28"
    M3 = "M3"
    M6 = "M6"
    M12 = "M12"
    UNSCHEDULED = "UNSCHEDULED"


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """One timepoint. Either endpoint series may be missing; that is normal.

    `supporting` holds non-fat-suppressed T1W and Dixon parts, which only strengthen the fat
    answer. `notes` say which rule chose between two candidates of one role. `label` is unique
    within the subject and safe as a folder name (`UNSCHEDULED-2` for a second one).
    """

    name: VisitName
    label: str
    study_date: date | None
    days_since_baseline: int | None
    t2w_fs: Series | None
    t1w_fs: Series | None
    supporting: tuple[Series, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One person: `visits` in order of time."""

    id: str
    visits: tuple[Visit, ...]
