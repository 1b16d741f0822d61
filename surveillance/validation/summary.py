"""Summary: everything that the rows say, ready for the page and for JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import cast

from imaging.findings.status import Status
from imaging.protocol import Protocol
from imaging.quality import ENDPOINTS
from surveillance.validation import statistics
from surveillance.validation.agreement import Agreement, Repeatability, agreement, repeatability
from surveillance.validation.case import DEVELOPMENT, KINDS
from surveillance.validation.confidence import (
    QUESTIONS,
    Bin,
    Kept,
    calibration_error,
    reliability,
    risk_by_threshold,
)
from surveillance.validation.detection import (
    FatLimit,
    FocusCell,
    fat_limits,
    focus_grid,
    froc,
    risk_by_coverage,
)
from surveillance.validation.row import Row
from surveillance.validation.run import VARIANTS
from surveillance.validation.targets import Result, results

QUANTITIES = ("volume_ml", "subvoxel_volume_ml", "volume_change_percent", "t2_ratio", "t1_ratio")
Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class EndpointCounts:
    """One endpoint among decidable visits, abstentions apart.

    `wrong_and_sure_upper` is the upper end of the 95 % interval of their share.
    """

    endpoint: str
    adverse_found: int
    adverse_missed: int
    adverse_abstained: int
    favorable_found: int
    favorable_wrong: int
    favorable_abstained: int
    wrong_and_sure_upper: float | None

    @property
    def sensitivity(self) -> float | None:
        """Share of adverse visits called adverse, abstentions left out."""
        return _share(self.adverse_found, self.adverse_missed)

    @property
    def specificity(self) -> float | None:
        """Share of favorable visits called favorable, abstentions left out."""
        return _share(self.favorable_found, self.favorable_wrong)


def _share(right: int, wrong: int) -> float | None:
    return right / (right + wrong) if right + wrong else None


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of case in one variant."""

    kind: str
    variant: str
    cases: int
    visits: int
    development_cases: int
    refused_seeds: int
    unregistered: int
    sure_share: float | None
    sure_dice_median: float | None
    invented: int
    dice: tuple[float, ...]
    agreement: tuple[Agreement, ...]
    repeatability: Repeatability
    coverage: dict[str, float | None]
    endpoints: tuple[EndpointCounts, ...]
    foci: tuple[FocusCell, ...]
    froc: Curve
    risk: Curve
    risk_by_threshold: dict[str, tuple[Kept, ...]]
    reliability: tuple[Bin, ...]
    landmarks_mm: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What one run of the bench found."""

    program: str
    protocol: str
    protocol_sha256: str
    targets: tuple[Result, ...]
    sections: tuple[Section, ...]
    fat: tuple[FatLimit, ...]


def summarise(rows: Sequence[Row], protocol: Protocol) -> Summary:
    """Return what the rows say."""
    sections = []
    for kind in KINDS:
        for variant in VARIANTS:
            here = [row for row in rows if (row.kind, row.variant) == (kind, variant)]
            if here:
                sections.append(_section(kind, variant, here))
    return Summary(
        program=version("graftsite"),
        protocol=f"{protocol.id} {protocol.version}",
        protocol_sha256=protocol.sha256,
        targets=results(rows),
        sections=tuple(sections),
        fat=fat_limits(rows, protocol.fat.detectable_contrast),
    )


def _section(kind: str, variant: str, rows: Sequence[Row]) -> Section:
    graft = statistics.with_graft(rows)
    sure = [row for row in graft if row.sure and row.graft_said]
    return Section(
        kind=kind,
        variant=variant,
        cases=len({row.case for row in rows}),
        visits=len(rows),
        development_cases=len({row.case for row in rows if row.split == DEVELOPMENT}),
        refused_seeds=sum(row.error is not None for row in rows),
        unregistered=sum(row.registered is False for row in rows),
        sure_share=len(sure) / len(graft) if graft else None,
        sure_dice_median=statistics.dice_percentile(sure, 50),
        invented=sum(row.sure and row.graft_said and not row.graft_true for row in rows),
        dice=tuple(sorted(row.dice or 0.0 for row in graft)),
        agreement=agreement(rows),
        repeatability=repeatability(rows),
        coverage={name: statistics.coverage(rows, name) for name in QUANTITIES},
        endpoints=tuple(_endpoint(rows, endpoint) for endpoint in ENDPOINTS),
        foci=focus_grid(rows),
        froc=froc(rows),
        risk=risk_by_coverage(rows),
        risk_by_threshold={name: risk_by_threshold(rows, name) for name in QUESTIONS},
        reliability=reliability(rows),
        landmarks_mm=tuple(
            sorted(row.landmark_mean_mm for row in rows if row.landmark_mean_mm is not None)
        ),
    )


def _endpoint(rows: Sequence[Row], endpoint: str) -> EndpointCounts:
    asked = statistics.demanded(rows, endpoint)
    counted = {
        true: {said: sum((a.true, a.said) == (true, said) for a in asked) for said in Status}
        for true in (Status.ADVERSE, Status.FAVORABLE)
    }
    adverse, favorable = counted[Status.ADVERSE], counted[Status.FAVORABLE]
    wrong = adverse[Status.FAVORABLE] + favorable[Status.ADVERSE]
    interval = statistics.wilson95(wrong, len(asked))
    return EndpointCounts(
        endpoint,
        adverse[Status.ADVERSE],
        adverse[Status.FAVORABLE],
        adverse[Status.INDETERMINATE],
        favorable[Status.FAVORABLE],
        favorable[Status.ADVERSE],
        favorable[Status.INDETERMINATE],
        interval[1] if interval else None,
    )


def as_json(summary: Summary) -> dict[str, object]:
    """Return the summary in plain values, six significant digits, null where there is none."""
    sections = [
        {
            **asdict(section),
            "endpoints": [
                {**asdict(e), "sensitivity": e.sensitivity, "specificity": e.specificity}
                for e in section.endpoints
            ],
            "risk_by_threshold": {
                name: [_kept(k) for k in kept] for name, kept in section.risk_by_threshold.items()
            },
            "calibration_error": calibration_error(section.reliability),
        }
        for section in summary.sections
    ]
    plain = {
        "program": summary.program,
        "protocol": summary.protocol,
        "protocol_sha256": summary.protocol_sha256,
        "targets": [_target(result) for result in summary.targets],
        "sections": sections,
        "fat": [asdict(limit) for limit in summary.fat],
    }
    return cast(dict[str, object], _rounded(plain))


def _kept(kept: Kept) -> dict[str, object]:
    shares = {"coverage": kept.coverage, "risk": kept.risk, "risk_upper": kept.risk_upper}
    return {**asdict(kept), **shares}


def _target(result: Result) -> dict[str, object]:
    kind, variant = result.column
    return {
        "measure": result.target.name,
        "kind": kind,
        "variant": variant,
        "target": None if result.bound is None else str(result.bound),
        "reached": result.value,
        "met": result.met,
        "development": result.development,
        "held_out": result.held_out,
        "rows": result.rows,
    }


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value
