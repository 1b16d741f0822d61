"""Cohort: all subjects by arm and dose level, for the safety board; flat rows and nothing hidden.

Arm and dose level come from a table of the trial's, never from images: a cohort report unblinds,
and is not for the eyes of readers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from surveillance.errors import ReportError
from surveillance.exports.contract import AssessmentRecord, ChangeBlock, VisitBlock
from surveillance.report import ENDPOINTS, missing_visits
from surveillance.trends import is_sure, largest_focus_mm

NOT_STATED = "not_stated"
COLUMNS = ("subject", "arm", "dose_level")


@dataclass(frozen=True, slots=True)
class Allocation:
    """Arm and dose level of one subject, as the table writes them."""

    arm: str = NOT_STATED
    dose_level: str = NOT_STATED


@dataclass(frozen=True, slots=True)
class Row:
    """One visit of one subject; numbers are None where they were not measured.

    `sure` is False where the visit needs a reader: its numbers decide nothing.
    """

    subject: str
    arm: str
    dose_level: str
    visit: str
    label: str
    study_date: date | None
    days_since_baseline: int | None
    flag: str | None
    morphological_stability: str
    signal_characteristics: str
    fat_absence: str
    sure: bool
    graft_present: bool | None
    volume_ml: float | None
    volume_low_ml: float | None
    volume_high_ml: float | None
    volume_change_percent: float | None
    volume_change_from_nadir_percent: float | None
    nadir_repeatability_low_percent: float | None
    nadir_repeatability_high_percent: float | None
    max_diameter_mm: float | None
    largest_focus_mm: float | None
    t2_ratio: float | None
    t1_ratio: float | None
    doubling_time_days: float | None
    gates_failed: int


@dataclass(frozen=True, slots=True)
class Member:
    """One subject: its rows in order of time, and the scheduled visits that are missing."""

    subject: str
    allocation: Allocation
    rows: tuple[Row, ...]
    missing: tuple[str, ...]

    @property
    def worst_rise(self) -> Row | None:
        """The visit with the largest rise of volume above the nadir; None when none compares."""
        known = [r for r in self.rows if r.volume_change_from_nadir_percent is not None]
        return max(known, key=lambda r: r.volume_change_from_nadir_percent or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class Cohort:
    """All assessed subjects by arm, dose level and name; `unassessed` are in the table only."""

    members: tuple[Member, ...]
    unassessed: tuple[str, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All visits."""
        return tuple(row for member in self.members for row in member.rows)

    @property
    def arms(self) -> tuple[tuple[str, tuple[Member, ...]], ...]:
        """Members by arm, in the order of their names."""
        names = sorted({m.allocation.arm for m in self.members})
        return tuple((a, tuple(m for m in self.members if m.allocation.arm == a)) for a in names)


def cohort_of(
    records: Mapping[str, AssessmentRecord], allocations: Mapping[str, Allocation]
) -> Cohort:
    """Return the cohort; a subject that the table does not name has no arm stated."""
    members = [_member(r, allocations.get(name, Allocation())) for name, r in records.items()]
    members.sort(key=lambda m: (m.allocation.arm, m.allocation.dose_level, m.subject))
    return Cohort(tuple(members), tuple(sorted(set(allocations) - set(records))))


def load_allocations(path: Path) -> dict[str, Allocation]:
    """Read the subjects table.

    Raises
    ------
    ReportError
        It cannot be read, lacks a column or a value, or names a subject twice.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            raise _refused(path, 1, f"no column {', '.join(lacking)}")
        found: dict[str, Allocation] = {}
        for line in reader:
            subject, arm, dose = ((line[name] or "").strip() for name in COLUMNS)
            if not (subject and arm and dose):
                raise _refused(path, reader.line_num, "an empty cell")
            if subject in found:
                raise _refused(path, reader.line_num, "the subject stands twice")
            found[subject] = Allocation(arm, dose)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refused(path, 0, type(error).__name__) from error
    return found


def _refused(path: Path, line: int, detail: str) -> ReportError:
    return ReportError("report_subjects_table", file=path, line=line, detail=detail)


def _member(record: AssessmentRecord, allocation: Allocation) -> Member:
    rows = tuple(_row(record.subject, allocation, visit) for visit in record.visits)
    return Member(record.subject, allocation, rows, missing_visits(record))


def _row(subject: str, allocation: Allocation, visit: VisitBlock) -> Row:
    low, high = visit.graft.volume_ci95_ml or (None, None)
    nadir = visit.change_from_nadir
    rc_low, rc_high = (nadir and nadir.volume_repeatability_percent) or (None, None)
    return Row(
        subject=subject,
        arm=allocation.arm,
        dose_level=allocation.dose_level,
        visit=visit.visit,
        label=visit.folder,
        study_date=visit.study_date,
        days_since_baseline=visit.days_since_baseline,
        flag=visit.surveillance_flag.level,
        **{name: getattr(visit.findings, name).status for name in ENDPOINTS},
        sure=is_sure(visit),
        graft_present=visit.graft.present,
        volume_ml=visit.graft.volume_ml,
        volume_low_ml=low,
        volume_high_ml=high,
        volume_change_percent=_percent(visit.change),
        volume_change_from_nadir_percent=_percent(nadir),
        nadir_repeatability_low_percent=rc_low,
        nadir_repeatability_high_percent=rc_high,
        max_diameter_mm=visit.graft.max_diameter_mm,
        largest_focus_mm=largest_focus_mm(visit),
        t2_ratio=visit.t2.graft_to_muscle_ratio,
        t1_ratio=visit.t1.graft_to_muscle_ratio,
        doubling_time_days=None if nadir is None else nadir.doubling_time_days,
        gates_failed=sum(entry.severity == "error" for entry in visit.quality),
    )


def _percent(change: ChangeBlock | None) -> float | None:
    return None if change is None else change.volume_percent


def flat(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return rows as plain values by column."""
    return [asdict(row) for row in rows]
