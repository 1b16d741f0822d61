"""Trend: one measure over the visits, with the bands it is judged by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from imaging.protocol import Protocol
from surveillance.exports.contract import ChangeBlock, Interval, VisitBlock

NEEDS_READER = "NEEDS_READER"


@dataclass(frozen=True, slots=True)
class Point:
    """The measure at one visit.

    `days` counts from baseline, without one from the first visit, without dates visits (0, 1, …).
    `value` is None where it was not measured. `sure` is False where the visit needs a reader.
    """

    visit: str
    days: float
    value: float | None
    ci95: Interval
    sure: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A range over the visits in which the measure counts as unchanged.

    `name` is baseline, nadir or isointense; `edges` are (days, low, high).
    """

    name: str
    edges: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """One plot; `name` is volume_ml, t2_ratio, t1_ratio or focus_mm."""

    name: str
    points: tuple[Point, ...]
    bands: tuple[Band, ...]
    dated: bool

    def until(self, visits: Collection[str]) -> Trend:
        """Return the trend of these visits only."""
        points = tuple(point for point in self.points if point.visit in visits)
        days = {point.days for point in points}
        bands = (replace(b, edges=tuple(e for e in b.edges if e[0] in days)) for b in self.bands)
        return replace(self, points=points, bands=tuple(band for band in bands if band.edges))


def trends_of(visits: tuple[VisitBlock, ...], protocol: Protocol | None) -> tuple[Trend, ...]:
    """Return the four trends; without a protocol the T1W-FS one has no isointense band."""
    days, dated = _days(visits)

    def trend(name: str, values: list[tuple[float | None, Interval]], *bands: Band) -> Trend:
        points = tuple(
            Point(visit.folder, day, value, interval, is_sure(visit))
            for visit, day, (value, interval) in zip(visits, days, values, strict=True)
        )
        return Trend(name, points, tuple(band for band in bands if band.edges), dated)

    baseline, nadir = _repeatability(visits, days)
    return (
        trend(
            "volume_ml",
            [(v.graft.volume_ml, v.graft.volume_ci95_ml) for v in visits],
            baseline,
            nadir,
        ),
        trend("t2_ratio", [(v.t2.graft_to_muscle_ratio, v.t2.ratio_ci95) for v in visits]),
        trend(
            "t1_ratio",
            [(v.t1.graft_to_muscle_ratio, v.t1.ratio_ci95) for v in visits],
            _isointense(days, protocol),
        ),
        trend("focus_mm", [(largest_focus_mm(v), None) for v in visits]),
    )


def is_sure(visit: VisitBlock) -> bool:
    """Whether the outline is sure enough for its numbers to count."""
    return all(entry.code != NEEDS_READER for entry in visit.quality)


def largest_focus_mm(visit: VisitBlock) -> float | None:
    """Return the largest focus on T2W-FS; 0 when there is none, None when none was looked for."""
    if visit.t2.high_signal_fraction is None:
        return None
    return max((nodule.diameter_mm for nodule in visit.t2.nodules), default=0.0)


def _days(visits: tuple[VisitBlock, ...]) -> tuple[list[float], bool]:
    since = [visit.days_since_baseline for visit in visits]
    if all(days is not None for days in since):
        return [float(days) for days in since if days is not None], True
    dates = [visit.study_date for visit in visits]
    if all(date is not None for date in dates):
        known = [date for date in dates if date is not None]
        return [float((date - known[0]).days) for date in known], True
    return [float(number) for number in range(len(visits))], False


def _repeatability(visits: tuple[VisitBlock, ...], days: list[float]) -> tuple[Band, Band]:
    """Return the ranges in which a volume repeats the baseline's, and the nadir's."""
    volumes = {visit.folder: visit.graft.volume_ml for visit in visits}
    volumes["baseline"] = next((v.graft.volume_ml for v in visits if v.visit == "BASELINE"), None)
    baseline, nadir = [], []
    for visit, day in zip(visits, days, strict=True):
        baseline += _edge(visit.change, volumes, day)
        lower = visit.change_from_nadir
        if lower is not None and lower.reference != "baseline":
            nadir += _edge(lower, volumes, day)
    return Band("baseline", tuple(baseline)), Band("nadir", tuple(nadir))


def _edge(
    change: ChangeBlock | None, volumes: dict[str, float | None], day: float
) -> list[tuple[float, float, float]]:
    reference = None if change is None else volumes.get(change.reference)
    if change is None or reference is None or change.volume_repeatability_percent is None:
        return []
    low, high = change.volume_repeatability_percent
    return [(day, reference * (1 + low / 100), reference * (1 + high / 100))]


def _isointense(days: list[float], protocol: Protocol | None) -> Band:
    if protocol is None:
        return Band("isointense", ())
    low, high = protocol.fat.isointense_low, protocol.fat.isointense_high
    return Band("isointense", tuple((day, low, high) for day in days))
