"""Subject: simulate every visit of a scenario."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi

import numpy as np

from imaging.geometry import Geometry
from imaging.protocol import Protocol, load_protocol
from imaging.simulation.acquisition import (
    Body,
    Palette,
    Readout,
    Sampled,
    coil_map,
    detect,
    palette,
    sample,
    suppression_map,
)
from imaging.simulation.expected import expected_findings
from imaging.simulation.motion import Pose, draw_pose, next_breath_hold, rotation
from imaging.simulation.physique import Physique, physique
from imaging.simulation.scenario import Scenario, VisitPlan
from imaging.simulation.sequence import T1W, T1W_FS, T2W_FS, T2W_STIR, Sequence
from imaging.simulation.tissue import Tissue
from imaging.simulation.truth import NoduleTruth, VisitTruth, as_json
from imaging.simulation.viscera import viscera
from imaging.simulation.wall import GRAFT, Wall, place_graft
from imaging.simulation.warp import ripple
from imaging.transform import RigidTransform
from imaging.visit import VisitName
from imaging.volume import Mask, Volume


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedVisit:
    """One visit's images and their truth."""

    name: VisitName
    day: int
    t2w_fs: Volume
    t1w_fs: Volume | None
    t1w: Volume | None
    truth: VisitTruth


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSubject:
    """All visits of one scenario, in order of time."""

    scenario: Scenario
    visits: tuple[SimulatedVisit, ...]


def simulate(scenario: Scenario, protocol: Protocol | None = None) -> SimulatedSubject:
    """Simulate all visits of a scenario; the same scenario gives the same bytes.

    `protocol` (the trial's own when None) decides only what `truth.expected` says.
    """
    body = physique(scenario)
    visits: list[SimulatedVisit] = []
    baseline_pose = _pose(scenario, body, 0)
    for number, plan in enumerate(scenario.visits):
        visits.append(_visit(scenario, body, plan, number, baseline_pose))
    answers = expected_findings(
        [(p, v.truth) for p, v in zip(scenario.visits, visits, strict=True)],
        protocol or load_protocol(),
    )
    judged = (
        replace(visit, truth=replace(visit.truth, expected=answer))
        for visit, answer in zip(visits, answers, strict=True)
    )
    return SimulatedSubject(scenario, tuple(judged))


def _rng(scenario: Scenario, *stream: int) -> np.random.Generator:
    return np.random.default_rng([scenario.seed, *stream])


def _pose(scenario: Scenario, body: Physique, number: int) -> Pose:
    return draw_pose(_rng(scenario, 3, number), body.scale)


def _visit(
    scenario: Scenario, person: Physique, plan: VisitPlan, number: int, baseline: Pose
) -> SimulatedVisit:
    scanner = scenario.scanner
    graft = place_graft(plan.graft, scenario.seed) if plan.graft else None
    wall = Wall(person, plan, graft)
    organs = viscera(person, _rng(scenario, 4, number), _rng(scenario, 5))
    body = Body(wall, organs)
    pose = _pose(scenario, person, number)
    pose_t1 = next_breath_hold(pose, _rng(scenario, 6, number))
    t2 = T2W_STIR if scanner.stir else T2W_FS
    grid_t2 = _grid(scenario, person, scanner.slices, scanner.slice_spacing_mm)
    grid_t1 = _grid(scenario, person, scanner.t1_slices, scanner.t1_slice_mm)
    colours = palette(t2, scanner.field_strength_t, plan.graft)
    content = sample(body, pose, grid_t2, colours)
    t2w_fs = _image(scenario, plan, number, (t2, grid_t2, pose, person), colours, content)
    t1w_fs = t1w = None
    colours_t1 = palette(T1W_FS, scanner.field_strength_t, plan.graft)
    if plan.has_t1w_fs or plan.has_t1w:
        content_t1 = sample(body, pose_t1, grid_t1, colours_t1)
        shared = (grid_t1, pose_t1, person)
        if plan.has_t1w_fs:
            t1w_fs = _image(scenario, plan, number, (T1W_FS, *shared), colours_t1, content_t1)
        if plan.has_t1w:
            t1w = _image(scenario, plan, number, (T1W, *shared), colours_t1, content_t1)
    truth = _truth(plan, wall, (pose, pose_t1, baseline), grid_t2, content, (colours, colours_t1))
    return SimulatedVisit(plan.name, plan.day, t2w_fs, t1w_fs, t1w, truth)


def _grid(scenario: Scenario, person: Physique, slices: int, spacing_mm: float) -> Geometry:
    scanner = scenario.scanner
    shape = (*scanner.matrix, slices)
    turn = rotation(np.array([scanner.oblique_deg, 0.0, scanner.oblique_deg / 4]))
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array([scanner.pixel_mm, scanner.pixel_mm, spacing_mm])
    centre = np.array([0.0, 0.0, 42.0 * person.scale])
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(affine, shape)


def _image(
    scenario: Scenario,
    plan: VisitPlan,
    number: int,
    how: tuple[Sequence, Geometry, Pose, Physique],
    colours: Palette,
    content: Sampled,
) -> Volume:
    sequence, grid, pose, person = how
    index = np.moveaxis(np.indices(grid.shape, dtype=np.float32), 0, -1)
    world = grid.to_world(index)
    is_t2 = sequence.flip_deg is None
    residual: np.ndarray | float = 1.0
    if sequence.fat_suppressed and sequence.inversion_ms is None:
        points = pose.scanner_from_body.inverse @ world
        x, y, z = np.moveaxis(points.astype(np.float32), -1, 0)
        field = ripple(_rng(scenario, 7, number, int(is_t2)), 3, (70.0, 200.0), 1.0)
        base = plan.fat_residual_t2 if is_t2 else plan.fat_residual_t1
        over = plan.failure_over_graft_t2 if is_t2 else plan.failure_over_graft_t1
        half = (person.half_width + person.fat, person.half_depth + person.fat)
        residual = suppression_map(plan, base, over, field, (x, y, z), half)
    sensitivity = coil_map(scenario.scanner, world, person.half_depth)
    signal = (content.water + residual * content.fat) * sensitivity
    noise_sd = float(colours.water[Tissue.MUSCLE]) / scenario.scanner.snr
    if not is_t2:
        noise_sd /= 1.5
    rng = _rng(scenario, 8, number, int(is_t2), int(sequence.fat_suppressed))
    top = scenario.scanner.grey_top * (1.0 if is_t2 else 0.5)
    readout = Readout(noise_sd, 0.06 if is_t2 else 0.02, top)
    return detect(np.asarray(signal, np.float32), readout, grid, rng)


def _truth(
    plan: VisitPlan,
    wall: Wall,
    poses: tuple[Pose, Pose, Pose],
    grid: Geometry,
    content: Sampled,
    colours: tuple[Palette, Palette],
) -> VisitTruth:
    pose, pose_t1, baseline = (p.scanner_from_body for p in poses)
    graft = plan.graft
    share = content.graft
    weight = float(share.sum())
    centroid = None
    if weight > 0:
        index = np.argwhere(share > 0)
        middle = (index * share[share > 0][:, None]).sum(axis=0) / weight
        centroid = tuple(float(c) for c in grid.to_world(middle))
    return VisitTruth(
        graft=Mask(share >= 0.5, grid),
        rectus_left=Mask(content.rectus_left >= 0.5, grid),
        rectus_right=Mask(content.rectus_right >= 0.5, grid),
        volume_ml=weight * grid.voxel_volume_ml,
        centroid_lps_mm=centroid,  # type: ignore[arg-type]
        compartment_mm=wall.compartment_mm(),
        bulge_mm=wall.bulge_height_mm,
        linea_alba_shift_mm=plan.linea_alba_shift_mm,
        nodules=_nodules(wall, pose, colours),
        visit_from_baseline=pose.after(baseline.inverse),
        t1w_from_t2w=pose_t1.after(pose.inverse),
        linea_alba_lps_mm=_linea_alba(wall, pose, grid),
        t2_ratio=_ratio(colours[0], plan.fat_residual_t2) if graft else None,
        t1_ratio=_ratio(colours[1], plan.fat_residual_t1) if graft else None,
        fat_fraction=graft.fat_fraction if graft else 0.0,
        fat_suppression_t2=_residual(colours[0], plan.fat_residual_t2 + plan.failure_over_graft_t2),
        fat_suppression_t1=_residual(colours[1], plan.fat_residual_t1 + plan.failure_over_graft_t1),
        expected={},
    )


def _ratio(colours: Palette, residual: float, label: int = GRAFT) -> float:
    both = colours.water + residual * colours.fat
    return float(both[label] / both[Tissue.MUSCLE])


def _residual(colours: Palette, residual: float) -> float:
    """Return suppressed fat relative to muscle over the graft."""
    return _ratio(colours, min(residual, 1.0), Tissue.FAT)


def _nodules(
    wall: Wall, pose: RigidTransform, colours: tuple[Palette, Palette]
) -> tuple[NoduleTruth, ...]:
    graft = wall.graft
    if graft is None:
        return ()
    result = []
    for number, nodule in enumerate(graft.state.nodules, start=1):
        z = graft.state.level_mm + nodule.position_mm[1]
        x = graft.state.lateral_mm + nodule.position_mm[0]
        x += float(wall.midline_mm(np.array([z], np.float32))[0])
        place = pose @ np.array([x, _front_y(wall, x, z, wall.middle_mm(x, z)), z])
        t2, t1 = (_ratio(c, 0.1, GRAFT + number) for c in colours)
        ball = pi / 6 * nodule.diameter_mm**3 / 1000
        result.append(NoduleTruth(nodule, ball, tuple(place.tolist()), t2, t1))
    return tuple(result)


def _front_y(wall: Wall, x: float, z: float, depth_mm: float) -> float:
    """Return body y of the point of the front wall at (x, z) that lies `depth_mm` deep."""
    y = np.linspace(-1.3 * wall.body.half_depth, 0.0, 2000, dtype=np.float32)
    depth = wall.depth_mm(np.full_like(y, x), y, np.full_like(y, z))
    return float(y[int(np.argmin(np.abs(depth - depth_mm)))])


def _linea_alba(wall: Wall, pose: RigidTransform, grid: Geometry) -> np.ndarray:
    """One point of the linea alba for each slice, LPS mm."""
    ni, nj, nk = grid.shape
    points = []
    for k in range(nk):
        z = float((pose.inverse @ grid.to_world([ni / 2, nj / 4, k]))[2])
        x = float(wall.midline_mm(np.array([z], np.float32))[0])
        depth = float(wall.front_mm(x, z))
        points.append(pose @ np.array([x, _front_y(wall, x, z, depth), z]))
    return np.array(points)


def truth_as_json(subject: SimulatedSubject) -> dict[str, object]:
    """Return the truth of all visits, ready for a JSON file."""
    visits = [
        {"visit": str(visit.name), "days_since_baseline": visit.day, **as_json(visit.truth)}
        for visit in subject.visits
    ]
    return {"subject": subject.scenario.name, "visits": visits}
