"""Reassessment: a subject's visits judged again when a person has replaced a graft's outline.

The prepared visits and the other outlines stay as they were; every measurement and finding is
made by the functions that `imaging.assessment.assess` uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from imaging.anatomy import Anatomy, measure_visit
from imaging.assessment import Assessment, Measured, judged
from imaging.concurrency import at_a_time
from imaging.outlines import wrong_side
from imaging.preparation import Prepared
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
    tasks = (partial(_measured, each, protocol) for each in visits)
    with at_a_time(threads) as pool:
        return judged(subject, [each.visit for each in visits], tasks, protocol, pool)


def _measured(each: Outlined, protocol: Protocol, baseline: Anatomy | None) -> Measured:
    if each.prepared is None:
        return None, each.trouble
    anatomy = measure_visit(each.visit, each.prepared, each.graft, each.stops, baseline, protocol)
    return anatomy, anatomy.quality
