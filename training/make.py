"""Make: write samples to a folder, 4000 a part; the same part is always the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from training.samples import COLUMNS, DEPTHS, sample

PART = 4000
_APART = 100_000


def make(folder: Path, part: int) -> None:
    """Write one part under a temporary name, then rename it."""
    seen = np.empty((PART, COLUMNS, DEPTHS, 6), np.float16)
    rectus, graft = (np.empty((PART, COLUMNS, DEPTHS), np.uint8) for _ in range(2))
    for n in range(PART):
        one = sample(part * _APART + n)
        seen[n] = one.seen
        rectus[n], graft[n] = 255 * one.rectus, 255 * one.graft
    unfinished = folder / f"unfinished_{part}.npz"
    np.savez(unfinished, seen=seen, rectus=rectus, graft=graft)
    unfinished.replace(folder / f"part_{part}.npz")


if __name__ == "__main__":
    for number in range(int(sys.argv[2])):
        make(Path(sys.argv[1]), number)
