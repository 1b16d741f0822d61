"""Preparation: what is known of a visit before anybody, program or person, outlines its graft.

Nothing here depends on a graft, so a mask that is drawn or edited later is measured from the same
prepared visit, without decoding, registering or finding the muscles again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from imaging.gates import registration_gate, scanner_gate
from imaging.images import Images, load_images
from imaging.positioning import Placement, between_visits, mirrored_better, trunk_shell
from imaging.protocol import Protocol
from imaging.quality import MORPHOLOGY, SIGNAL, QualityEntry
from imaging.registration import Registration, register_rigid
from imaging.segmentation.masks import Muscles
from imaging.segmentation.segmenter import segmenter_named
from imaging.visit import Visit, VisitName


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A visit with a readable T2W-FS: its images, its muscles, and its place in the baseline.

    Parameters
    ----------
    muscles
        On the T2W-FS grid, as the program found them, whatever is later withheld.
    registration
        `moving_from_fixed` is `visit_from_baseline`; None at baseline and without one.
    trouble
        What stood in the way of the images.
    compared
        What the comparison with the baseline's images says.
    """

    images: Images
    muscles: Muscles
    registration: Registration | None
    trouble: tuple[QualityEntry, ...]
    compared: tuple[QualityEntry, ...]


Item = TypeVar("Item")
Preparation: TypeAlias = tuple[Prepared | None, tuple[QualityEntry, ...]]
"""One visit; None without a readable T2W-FS, and what stood in the way."""


def prepare_visits(
    visits: Sequence[Visit], protocol: Protocol, pool: Executor
) -> Iterator[Future[Preparation]]:
    """Prepare a subject's visits, in order of time, and lay those after the baseline on it.

    Looks one visit ahead and no further: whoever lets each visit go when it has been measured
    holds few at once, and two threads seldom wait for each other.
    """
    baseline: Future[Preparation] | None = None
    alone = _one_ahead(pool.submit(_alone, visit, protocol) for visit in visits)
    for visit, each in zip(visits, alone, strict=True):
        if baseline is not None:
            yield pool.submit(_laid, each, baseline, protocol)
            continue
        if visit.name is VisitName.BASELINE:
            baseline = each
        yield each


def _one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield each item when the next one has been made."""
    before: list[Item] = []
    for item in items:
        yield from before
        before = [item]
    yield from before


def baseline_index(visits: Sequence[Visit]) -> int | None:
    """Return where the baseline is among the visits, None when it was not imaged."""
    named = (n for n, visit in enumerate(visits) if visit.name is VisitName.BASELINE)
    return next(named, None)


def _alone(visit: Visit, protocol: Protocol) -> Preparation:
    images, trouble = load_images(visit, protocol)
    if images is None:
        return None, trouble
    muscles = segmenter_named(protocol.segmenter).muscles(
        images.t2.corrected, images.t1_on_t2_grid, protocol.segmentation, images.body
    )
    return Prepared(images, muscles, None, trouble, ()), trouble


def _laid(
    visit: Future[Preparation], baseline: Future[Preparation], protocol: Protocol
) -> Preparation:
    """Return a visit with its place in the baseline; as it was where either cannot be read."""
    (first, _), (prepared, trouble) = baseline.result(), visit.result()
    if first is None or prepared is None:
        return prepared, trouble
    images, there = prepared.images, first.images
    placement = between_visits(there.t2.corrected, there.body, images.t2.corrected, images.body)
    registration = _registered(images, there, placement, protocol)
    compared = _against_baseline(images, registration, there, placement, protocol)
    return replace(prepared, registration=registration, compared=compared), trouble


def _registered(
    images: Images, baseline: Images, placement: Placement, protocol: Protocol
) -> Registration:
    return register_rigid(
        baseline.t2.corrected,
        images.t2.corrected,
        baseline.wall,
        protocol.registration,
        start=placement.moving_from_fixed,
        trunk=(trunk_shell(baseline.body), trunk_shell(images.body)),
    )


def _against_baseline(
    images: Images,
    registration: Registration,
    baseline: Images,
    placement: Placement,
    protocol: Protocol,
) -> tuple[QualityEntry, ...]:
    entries = (
        registration_gate(registration, "visit to baseline", (MORPHOLOGY, SIGNAL)),
        mirrored_better(
            baseline.t2.corrected,
            baseline.body,
            images.t2.corrected,
            images.body,
            placement,
            protocol.registration,
        ),
        scanner_gate(images.t2.series.info, baseline.t2.series.info),
    )
    return tuple(entry for entry in entries if entry is not None)
