"""Performance: adjudication rate, reader disagreement index, drift, read times of each reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from imaging.measurement import Measurement, measured, missing
from imaging.messages import text
from readers import tables
from readers.agreement.nominal import share
from readers.agreement.ratings import Rating

DRIFT_READS = 20
"""Visits in one point of the drift chart."""


@dataclass(frozen=True, slots=True)
class DriftPoint:
    """Share of agreement with the other reader over consecutive visits of one reader."""

    first: int
    last: int
    agreement: Measurement


@dataclass(frozen=True, slots=True)
class ReaderPerformance:
    """One reader.

    Parameters
    ----------
    visits
        Visits read, re-reads aside.
    adjudication_rate
        Share of the visits read twice that went to the adjudicator.
    disagreement_index
        Visits in which the adjudicator decided against this reader, over all visits read
        (Sharma 2019, J Clin Oncol 37 suppl e18082).
    drift
        Agreement with the other reader in the order of reading: a p-chart's points.
    read_minutes
        Median, with the quartiles in place of a confidence interval.
    """

    reader: str
    visits: int
    adjudication_rate: Measurement
    disagreement_index: Measurement
    drift: tuple[DriftPoint, ...]
    read_minutes: Measurement
    changed_mind: Measurement


@dataclass(frozen=True, slots=True)
class Dispute:
    """What became of two differing reads: `against` the slot the adjudicator decided against.

    A third reading is against both.
    """

    unit: tuple[str, str]
    against: frozenset[int]


def disputes(connection: Connection) -> tuple[Dispute, ...]:
    """Return the last discordance of every visit that had one; open ones are against nobody."""
    table, decision = tables.discordance, tables.decision
    rows = connection.execute(
        select(table, decision.c.choice)
        .outerjoin(decision, decision.c.discordance_id == table.c.id)
        .order_by(table.c.id)
    ).all()
    last = {(row.case_id, row.visit): row for row in rows}
    return tuple(Dispute(unit, _against(row.choice, row.swapped)) for unit, row in last.items())


def _against(choice: str | None, swapped: bool) -> frozenset[int]:
    if choice is None:
        return frozenset()
    if choice == "third":
        return frozenset({1, 2})
    first_is_slot_1 = not swapped
    return frozenset({2 if (choice == "first") == first_is_slot_1 else 1})


def performance(
    reader: str, rated: Sequence[Rating], found: Sequence[Dispute], drift_reads: int = DRIFT_READS
) -> ReaderPerformance:
    """Return one reader's figures, from the ratings of all."""
    mine = [r for r in rated if r.reader == reader and not r.is_reread]
    others = {r.unit: r for r in rated if r.reader != reader and not r.is_reread}
    twice = [r for r in mine if r.unit in others]
    by_unit = {dispute.unit: dispute for dispute in found}
    lost = sum(r.unit in by_unit and r.slot in by_unit[r.unit].against for r in mine)
    agreed = [r.endpoints == others[r.unit].endpoints for r in twice]
    second = [r for r in mine if r.after_machine is not None]
    return ReaderPerformance(
        reader=reader,
        visits=len(mine),
        adjudication_rate=share(sum(r.unit in by_unit for r in twice), len(twice)),
        disagreement_index=share(lost, len(mine)),
        drift=_drift(agreed, drift_reads),
        read_minutes=_minutes([r.spent_s for r in mine]),
        changed_mind=share(len(second), len(mine)),
    )


def _drift(agreed: Sequence[bool], size: int) -> tuple[DriftPoint, ...]:
    blocks = (agreed[start : start + size] for start in range(0, len(agreed), size))
    return tuple(
        DriftPoint(size * n + 1, size * n + len(block), share(sum(block), len(block)))
        for n, block in enumerate(blocks)
    )


def _minutes(seconds: Sequence[float]) -> Measurement:
    if not seconds:
        return missing(text("agreement.no_reads"))
    low, middle, high = np.percentile(np.asarray(seconds) / 60, [25, 50, 75])
    return measured(float(middle), (float(low), float(high)))
