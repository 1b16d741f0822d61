"""Reassessment: a subject's visits judged again when a person has replaced a graft's outline.

The prepared visits and the other outlines stay as they were; every measurement and finding is
made by the functions that `imaging.assessment.assess` uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from imaging.assessment import Assessment, Measured, judged, measure_visit
from imaging.concurrency import at_a_time
from imaging.outlines import wrong_side
from imaging.preparation import Prepared, baseline_index
from imaging.protocol import Protocol
from imaging.quality import QualityEntry
from imaging.segmentation.given import drawn_graft
from imaging.segmentation.masks import Graft
from imaging.visit import Visit
from imaging.volume import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """A visit with an outline that somebody made; `stops` are why it may not be shown, if any.

    `prepared` is None without a readable T2W-FS, and `trouble` says why.
    """

    visit: Visit
    prepared: Prepared | None
    trouble: tuple[QualityEntry, ...]
    graft: Graft
    stops: tuple[QualityEntry, ...] = ()


def outlined_again(outlined: Outlined, prepared: Prepared, mask: Mask) -> Outlined:
    """Return the visit with the graft that a person drew.

    Raises
    ------
    MaskError, GeometryError
        The mask is empty, on another grid, or lies where no graft can be.
    """
    graft = drawn_graft(mask, prepared.muscles, outlined.visit.label)
    stops = wrong_side(graft, prepared.muscles, prepared.compared)
    return replace(outlined, graft=graft, stops=stops)


def reassess(
    subject: str, visits: Sequence[Outlined], protocol: Protocol, threads: int = 1
) -> Assessment:
    """Measure and judge visits, in order of time, by the outlines they have."""
    named = [each.visit for each in visits]
    first = baseline_index(named)
    with at_a_time(threads) as pool:
        measured: list[Future[Measured]] = []
        for n, each in enumerate(visits):
            baseline = None if first is None or n <= first else measured[first]
            measured.append(pool.submit(_measured, each, baseline, protocol))
        return judged(subject, named, [each.result() for each in measured], protocol)


def _measured(each: Outlined, before: Future[Measured] | None, protocol: Protocol) -> Measured:
    if each.prepared is None:
        return None, each.trouble
    baseline = None if before is None else before.result()[0]
    anatomy = measure_visit(each.visit, each.prepared, each.graft, each.stops, baseline, protocol)
    return anatomy, anatomy.quality
