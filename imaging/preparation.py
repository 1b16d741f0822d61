"""Preparation: what is known of a visit before anybody, program or person, outlines its graft.

Nothing here depends on a graft, so a mask that is drawn or edited later is measured from the same
prepared visit, without decoding, registering or finding the muscles again.
"""

from __future__ import annotations

from dataclasses import dataclass

from imaging.gates import registration_gate, scanner_gate
from imaging.images import Images, load_images
from imaging.positioning import Placement, between_visits, mirrored_better, trunk_shell
from imaging.protocol import Protocol
from imaging.quality import MORPHOLOGY, SIGNAL, QualityEntry
from imaging.registration import Registration, register_rigid
from imaging.segmentation.masks import Muscles
from imaging.segmentation.segmenter import segmenter_named
from imaging.visit import Visit


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


def prepare(
    visit: Visit, baseline: Images | None, protocol: Protocol
) -> tuple[Prepared | None, tuple[QualityEntry, ...]]:
    """Prepare one visit; None without a readable T2W-FS, and what stood in the way.

    `baseline` is None for the baseline itself, and where it was not imaged.
    """
    images, trouble = load_images(visit, protocol)
    if images is None:
        return None, trouble
    placement = None if baseline is None else _placement(images, baseline)
    registration = _registered(images, baseline, placement, protocol)
    muscles = segmenter_named(protocol.segmenter).muscles(
        images.t2.corrected, images.t1_on_t2_grid, protocol.segmentation, images.body
    )
    compared = _against_baseline(images, registration, baseline, placement, protocol)
    return Prepared(images, muscles, registration, trouble, compared), trouble


def _placement(images: Images, baseline: Images) -> Placement:
    return between_visits(baseline.t2.corrected, baseline.body, images.t2.corrected, images.body)


def _registered(
    images: Images, baseline: Images | None, placement: Placement | None, protocol: Protocol
) -> Registration | None:
    if baseline is None or placement is None:
        return None
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
    registration: Registration | None,
    baseline: Images | None,
    placement: Placement | None,
    protocol: Protocol,
) -> tuple[QualityEntry, ...]:
    if baseline is None or registration is None or placement is None:
        return ()
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
