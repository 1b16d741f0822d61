"""Wall: the anterior and lateral abdominal wall with the graft in its left rectus.

Wall coordinates of a body point: `side` +1 left, −1 right; `u` 0 at the linea alba's edge to 1
at the semilunar line; `depth` in mm inward from the surface of the muscular body (negative in
the subcutaneous fat).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.simulation.physique import Physique
from imaging.simulation.scenario import GraftState, VisitPlan
from imaging.simulation.tissue import Tissue
from imaging.simulation.warp import Array, Ripple, ripple, smoothstep

GRAFT = 40
"""Label of the graft's plate; its nodules follow as GRAFT + 1, GRAFT + 2 …"""

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PlacedGraft:
    """A graft with its outline drawn; coordinates relative to the linea alba's middle."""

    state: GraftState
    outline: Ripple

    def half_thickness(self, x: Array, z: Array) -> Array:
        """Half the thickness in mm at wall position (x, z); 0 outside the outline."""
        g = self.state
        dx = (x - g.lateral_mm) / (g.width_mm / 2)
        dz = (z - g.level_mm) / (g.height_mm / 2)
        radius = np.sqrt(dx * dx + dz * dz) + np.float32(1e-6)
        stretched = radius * (1.0 + self.outline(dx / radius, dz / radius, radius))
        half = g.thickness_mm / 2 * np.sqrt(np.clip(1.0 - stretched**2, 0.0, None))
        for nodule in g.nodules:
            ball = (nodule.diameter_mm / 2) ** 2 - _squared(nodule.position_mm, g, x, z)
            half = np.maximum(half, np.sqrt(np.clip(ball, 0.0, None)))
        return np.asarray(half, dtype=np.float32)

    def labels(self, x: Array, z: Array, off_plane: Array, half: Array) -> Labels:
        """Label of points `off_plane` mm from the graft's middle surface; 0 outside."""
        g = self.state
        result = np.where(np.abs(off_plane) < half, GRAFT, 0).astype(np.uint8)
        for number, nodule in enumerate(g.nodules, start=1):
            square = _squared(nodule.position_mm, g, x, z) + off_plane**2
            result[square < (nodule.diameter_mm / 2) ** 2] = GRAFT + number
        return result


def _squared(position: tuple[float, float], graft: GraftState, x: Array, z: Array) -> Array:
    left = graft.lateral_mm + position[0]
    up = graft.level_mm + position[1]
    return np.asarray((x - left) ** 2 + (z - up) ** 2)


def place_graft(state: GraftState, seed: int) -> PlacedGraft:
    """Give a graft its own irregular outline, the same at every visit of a subject."""
    rng = np.random.default_rng([seed, 2])
    return PlacedGraft(state, ripple(rng, 3, (0.9, 2.0), state.irregularity / 2))


@dataclass(frozen=True, slots=True, eq=False)
class Wall:
    """One visit's wall."""

    body: Physique
    plan: VisitPlan
    graft: PlacedGraft | None

    def midline_mm(self, z: Array) -> Array:
        """Return x of the middle of the linea alba at height z."""
        level = self.plan.graft.level_mm if self.plan.graft else 0.0
        pushed = self.plan.linea_alba_shift_mm * np.exp(-(((z - level) / 40.0) ** 2))
        return np.asarray(self.body.linea_alba_x(z) - pushed, dtype=np.float32)

    def half_gap_mm(self, z: Array) -> Array:
        """Return half the width of the linea alba: narrow below the umbilicus, wider above."""
        s = self.body.scale
        rise = smoothstep((z + 8.0 * s) / (50.0 * s))
        return np.asarray(1.6 + (self.body.linea_alba_top / 2 - 1.6) * rise, dtype=np.float32)

    def half_size_mm(self, z: Array) -> tuple[Array, Array]:
        """Half width and half depth of the muscular body at height z."""
        s = self.body.scale
        waist = 0.06 * np.exp(-(((z - 25.0 * s) / (55.0 * s)) ** 2))
        chest = 0.10 * smoothstep((z - 40.0 * s) / (140.0 * s))
        return (
            np.asarray(self.body.half_width * (1.0 - waist), dtype=np.float32),
            np.asarray(self.body.half_depth * (0.97 + chest), dtype=np.float32),
        )

    def depth_mm(self, x: Array, y: Array, z: Array) -> Array:
        """Return depth inward from the surface of the muscular body, first-order distance."""
        half_width, half_depth = self.half_size_mm(z)
        n = np.float32(self.body.squareness)
        p = np.abs(x / half_width) + np.float32(1e-4)
        q = np.abs(y / half_depth) + np.float32(1e-4)
        pn, qn = p**n, q**n
        r = (pn + qn) ** (1 / n)
        slope = r ** (1 - n) * np.hypot(pn / p / half_width, qn / q / half_depth)
        bulge = self.bulge_mm(x, z) * (y < 0)
        groove = 9.0 * self.body.scale * np.exp(-((x / 14.0) ** 2)) * (y > 0)
        radius = np.sqrt(x * x + y * y) + np.float32(1.0)
        wavy = self.body.outline(60.0 * x / radius, 60.0 * y / radius, z)
        return np.asarray((1.0 - r) / slope + wavy + bulge - groove, dtype=np.float32)

    def bulge_mm(self, x: Array, z: Array) -> Array:
        """Outward displacement of everything in front of the graft."""
        if self.graft is None:
            return np.zeros_like(x)
        g = self.graft.state
        dx = (x - self.midline_mm(z) - g.lateral_mm) / (0.55 * g.width_mm)
        dz = (z - g.level_mm) / (0.55 * g.height_mm)
        return np.asarray(self.bulge_height_mm * np.exp(-(dx * dx + dz * dz)), dtype=np.float32)

    @property
    def bulge_height_mm(self) -> float:
        """Greatest outward displacement of the sheath over the graft."""
        if self.graft is None:
            return 0.0
        return 0.35 * self.graft.state.thickness_mm + self.plan.bulge_mm

    def compartment_mm(self) -> tuple[float, float]:
        """Greatest thickness of the left and right rectus at the graft's level."""
        z = np.full(400, self.graft.state.level_mm if self.graft else 30.0, np.float32)
        across = np.linspace(1.0, 100.0, 400, dtype=np.float32) * self.body.scale
        sides = []
        for sign in (1, -1):
            left = np.full(400, sign > 0)
            _, lens, half, _ = self._layers_of_rectus(sign * across, z, left)
            sides.append(float((lens + 2 * half).max()))
        return sides[0], sides[1]

    def fat_mm(self, x: Array, y: Array, z: Array) -> Array:
        """Thickness of the subcutaneous fat, skin included; thin over the umbilicus."""
        front = smoothstep(0.5 - y / 120.0 / self.body.scale)
        base = self.body.fat_back + (self.body.fat - self.body.fat_back) * front
        higher = 1.0 - 0.45 * smoothstep((z - 10.0) / (130.0 * self.body.scale))
        navel = np.exp(-((x / 9.0) ** 2 + (z / 9.0) ** 2)) * (y < 0)
        around = self.body.fat_ripple(x, y, z)
        return np.asarray(
            2.5 + base * higher * (1.0 + around) * (1.0 - 0.9 * navel), dtype=np.float32
        )

    def paint_fat(self, x: Array, y: Array, z: Array, depth: Array) -> Labels:
        """Label points outside the muscular body: air, skin, fat and its fascia."""
        thickness = self.fat_mm(x, y, z)
        result = np.full(x.shape, Tissue.FAT, np.uint8)
        lines = self.body.fascia_lines(x, y, z)
        thin = np.clip(0.22 + 0.5 * self.body.fascia_thickness(x, z), 0.0, 0.5)
        scarpa = np.abs(-depth - thickness * (0.45 + 0.08 * lines)) < thin
        septa = (np.abs(lines) < 0.01) & (-depth > 2)
        result[self.body.organ_texture(x, y, 0.4 * z) > 2.9] = Tissue.VEIN
        result[scarpa | septa] = Tissue.FASCIA
        result[-depth > thickness - 1.8] = Tissue.SKIN
        result[-depth > thickness] = Tissue.AIR
        return result

    def paint(
        self, x: Array, y: Array, z: Array, depth: Array
    ) -> tuple[Labels, Labels, NDArray[np.bool_]]:
        """Label points inside the muscular body.

        Returns labels, compartment (1 left rectus, 2 right rectus, 0 neither), and whether the
        point lies in the wall at all (the rest belongs to the abdominal cavity).
        """
        xr = x - self.midline_mm(z)
        left = xr > 0
        labels = np.full(x.shape, Tissue.FAT, np.uint8)
        compartment = np.zeros(x.shape, np.uint8)
        front = y < 0.15 * self.body.half_depth
        end = self._paint_rectus(xr, z, depth, left, (labels, compartment), y < 0)
        lateral_end = self._paint_lateral(xr, z, depth, left, labels)
        preperitoneal = np.clip(2.5 + 1.8 * self.body.preperitoneal(xr, z), 0.6, 9.0)
        midline_fat = 5.0 * np.exp(-((xr / 16.0) ** 2))
        behind = np.maximum(end, lateral_end) + preperitoneal + midline_fat
        flank = np.where(np.abs(xr) > 88.0 * self.body.scale, self.body.lateral_thickness, 2.5)
        wall = front & (depth < behind) | ~front & (depth < flank)
        return labels, compartment, wall

    def front_mm(self, x: float, z: float) -> float:
        """Depth of the linea alba's middle at height z."""
        left = x - self.midline_mm(np.array([z], np.float32))[0] > 0
        return 1.0 + 0.4 * self.body.rectus_thickness[0 if left else 1]

    def middle_mm(self, x: float, z: float) -> float:
        """Depth of the graft's middle surface at body position (x, z)."""
        level = np.array([z], np.float32)
        xr = np.array([x], np.float32) - self.midline_mm(level)
        front, lens, half = self._layers_of_rectus(xr, level, xr > 0)[:3]
        return float((front + half + 0.5 * lens)[0])

    def _rectus_width(self, z: Array, left: NDArray[np.bool_]) -> Array:
        wide = np.where(left, *self.body.rectus_width).astype(np.float32)
        s = self.body.scale
        level = 0.85 + 0.15 * smoothstep((z + 70 * s) / (70 * s)) + 0.06 * smoothstep(z / (90 * s))
        return np.asarray(wide * level, dtype=np.float32)

    def _paint_rectus(
        self,
        xr: Array,
        z: Array,
        depth: Array,
        left: NDArray[np.bool_],
        out: tuple[Labels, Labels],
        anterior: NDArray[np.bool_],
    ) -> Array:
        labels, compartment = out
        front, lens, half, u = self._layers_of_rectus(xr, z, left)
        inside = (u > 0) & (u < 1) & anterior
        back = front + lens + 2 * half
        thin = np.clip(0.35 + self.body.fascia_thickness(xr, z), 0.05, 0.9)
        sheath = (depth > front - thin) & (depth < back + thin) & (u > -0.02) & (u < 1.02)
        alba = (u <= 0) & (depth > front - 1.4) & (depth < front + 0.8)
        labels[sheath | alba] = Tissue.FASCIA
        belly = inside & (depth > front) & (depth < back)
        compartment[belly] = np.where(left[belly], 1, 2)
        labels[belly] = Tissue.MUSCLE
        labels[belly & self._tendinous(xr, z, left, (depth - front) / (back - front + 0.1))] = (
            Tissue.TENDON
        )
        vessel = (u - 0.45) ** 2 * 3600 + (depth - back + 1.5) ** 2 < 1.5
        labels[vessel & inside] = Tissue.VEIN
        if self.graft:
            off = depth - (front + half + 0.5 * lens)
            graft = self.graft.labels(xr, z, off, half)
            shown = (graft > 0) & belly
            labels[shown] = graft[shown]
        return np.asarray(np.where(u < 1.0, back + 0.7, 0.0), dtype=np.float32)

    def _layers_of_rectus(
        self, xr: Array, z: Array, left: NDArray[np.bool_]
    ) -> tuple[Array, Array, Array, Array]:
        """Depth of the front, muscle thickness, half the graft's thickness, and u."""
        full = np.where(left, *self.body.rectus_thickness).astype(np.float32)
        full = full * (1.0 + 0.06 * self.body.layers(xr, z))
        u = (np.abs(xr) - self.half_gap_mm(z)) / self._rectus_width(z, left)
        v = np.clip(u, 0.0, 1.0)
        lens = full * np.float32(1.54) * v**0.30 * (1.0 - v) ** 0.42
        half = np.where(left, self.graft.half_thickness(xr, z), 0) if self.graft else 0 * xr
        front = 1.2 + 0.4 * np.clip(full - lens, 0, None)
        return front, lens, half, u

    def _tendinous(
        self, xr: Array, z: Array, left: NDArray[np.bool_], share: Array
    ) -> NDArray[np.bool_]:
        wave = np.where(left, self.body.tendon[0](xr), self.body.tendon[1](xr))
        result = np.zeros(xr.shape, bool)
        for level in self.body.intersections:
            result |= np.abs(z - level - wave) < 1.4
        return np.asarray(result & (share < 0.75))

    def _paint_lateral(
        self, xr: Array, z: Array, depth: Array, left: NDArray[np.bool_], labels: Labels
    ) -> Array:
        s = self.body.scale
        beyond = np.abs(xr) - self.half_gap_mm(z) - self._rectus_width(z, left)
        ripple_mm = self.body.layers(z, np.abs(xr))
        total = self.body.lateral_thickness * (
            0.25 + 0.75 * smoothstep((beyond + 4.0) / (36.0 * s))
        )
        total = total * (1.0 + 0.08 * ripple_mm)
        share = depth / np.maximum(total, 0.5)
        inside = (beyond > 1.0) & (share > 0) & (share < 1)
        plane = np.minimum(np.abs(share - 0.36), np.abs(share - 0.76)) * total
        labels[inside] = Tissue.MUSCLE
        labels[inside & (plane < 0.55)] = Tissue.FAT
        ribs = self._ribs(xr, z, share) if z.size else np.zeros((2, 0), bool)
        labels[inside & ribs[0]] = Tissue.BONE
        labels[inside & ribs[1]] = Tissue.MARROW
        return np.asarray(np.where(beyond > 0, total, 0.0), dtype=np.float32)

    def _ribs(self, xr: Array, z: Array, share: Array) -> NDArray[np.bool_]:
        """Cortex and marrow of the ribs above the costal margin, which falls laterally."""
        s = self.body.scale
        above = z > 150.0 * s - 0.8 * (np.abs(xr) - 10.0 * s)
        phase = np.mod(z + 0.5 * np.abs(xr), 30.0 * s) / (30.0 * s) - 0.25
        offset = np.hypot(phase / 0.22, (share - 0.55) / 0.30)
        return np.stack([above & (offset < 1.0), above & (offset < 0.75)])
