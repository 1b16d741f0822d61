"""Time the registrations of one subject of five visits on one core: 4 T2W-T2W, 5 T1W-T2W."""

from __future__ import annotations

import time

import numpy as np
from scipy import ndimage

from imaging.geometry import Geometry
from imaging.normalization import correct_bias
from imaging.positioning import between_visits
from imaging.protocol import load_protocol
from imaging.registration import Contrast, register_rigid
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.volume import Volume


def trunk(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], t1: bool) -> Volume:
    """Return an elliptic trunk with smooth contents; the cost does not depend on them."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    i, j, _ = np.indices(shape, sparse=True)
    x, y = affine[0, 0] * i + affine[0, 3], affine[1, 1] * j + affine[1, 3]
    rng = np.random.default_rng(1)
    blobs = ndimage.zoom(rng.normal(100, 40, (20, 16, 12)), np.array(shape) / (20, 16, 12), order=1)
    inside = np.hypot(x / 150, y / 100) < 1
    signal = np.where(inside, (300 - blobs) if t1 else blobs, 0) + rng.normal(0, 3, shape)
    return Volume(np.abs(signal).astype(np.float32), Geometry(affine, shape))


def timings_s() -> dict[str, float]:
    """CPU seconds of each step, and of the nine registrations of five visits."""
    t2 = trunk((320, 320, 40), (1.2, 1.2, 5.0), t1=False)
    t1 = trunk((320, 260, 72), (1.2, 1.2, 3.0), t1=True)
    limits = load_protocol().registration
    body = body_mask(t2)
    region = anterior_wall(t2, body)
    result: dict[str, float] = {}

    def timed(name: str, action: object) -> None:
        start = time.process_time()
        action()  # type: ignore[operator]
        result[name] = round(time.process_time() - start, 2)

    timed("between_visits", lambda: between_visits(t2, body, t2, body))
    timed("t2_to_t2", lambda: register_rigid(t2, t2, region, limits))
    timed("t1_to_t2", lambda: register_rigid(t2, t1, region, limits, Contrast.CROSS))
    timed("correct_bias", lambda: correct_bias(t2, body))
    result["five_visits"] = 4 * (result["between_visits"] + result["t2_to_t2"])
    result["five_visits"] += 5 * result["t1_to_t2"]
    return result


if __name__ == "__main__":
    for name, seconds in timings_s().items():
        print(f"{name:16s} {seconds:6.2f} s")
