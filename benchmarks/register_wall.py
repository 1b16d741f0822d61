"""Two visits of 320×320×40 laid over each other, and a wall that a growing graft deforms.

Rigid: from the headers' positions to the motion of the wall, ours with bodies, trunks and both
directions. Deformation: given the rigid motion, ours both ways with its checks. Each peer once as
its users call it, on whole images, and once cut to the wall with the wall as mask, as ours sees it.
Errors are those of some 2,000 landmarks whose places are known.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.contest import Contender, Outcome, Table, in_turns, table
from benchmarks.patient import Pair, bulging, laid_anew

_OURS = Contender("graftsite", "graftsite")


def _elastix(name: str, **settings: str) -> Contender:
    return Contender(f"elastix, {name}", "elastix", ("itk-elastix",), "bench", settings)


def _ants(region: str, preset: str) -> Contender:
    settings = {"region": region, "preset": preset}
    return Contender(f"ANTs {preset}, {region}", "ants", ("antspyx",), "bench-ants", settings)


def _simple_itk(region: str) -> Contender:
    settings = {"region": region}
    return Contender(f"SimpleITK, {region}", "simple_itk", ("SimpleITK",), "", settings)


RIGID = (
    _OURS,
    _elastix("cut", region="cut"),
    _elastix("whole", region="whole"),
    _ants("cut", "QuickRigid"),
    _ants("cut", "Rigid"),
    _ants("whole", "Rigid"),
    _simple_itk("cut"),
    _simple_itk("whole"),
)
DEFORMED = (
    _OURS,
    _elastix("B-spline of 10 mm, cut", region="cut", control_mm="10"),
    _elastix("B-spline of 10 mm, whole", region="whole", control_mm="10"),
    _elastix("default B-spline, whole", region="whole"),
    _ants("cut", "SyNOnly"),
    _ants("whole", "SyNOnly"),
)


def measure() -> dict[str, Table]:
    """Return the tables of both contests."""
    return {
        "rigid motion of the wall": contest(laid_anew, RIGID, "register"),
        "deformation of the wall": contest(bulging, DEFORMED, "deform"),
    }


def contest(
    make: Callable[[], Pair], contenders: Sequence[Contender], task: str, rounds: int = 3
) -> Table:
    """Let them register the pair; each line with its landmark errors."""
    pair = make()
    with tempfile.TemporaryDirectory() as place:
        pair.write(Path(place))
        outcomes = in_turns(contenders, task, Path(place), rounds, limit_s=200.0)
    return [
        line | _errors(pair, outcome)
        for line, outcome in zip(table(outcomes), outcomes, strict=True)
    ]


def _errors(pair: Pair, outcome: Outcome) -> dict[str, float]:
    if not outcome.values:
        return {}
    found = np.asarray(outcome.values[0])
    error = pair.error_mm(found)
    return {
        "error_mean_mm": float(error.mean()),
        "error_95_mm": float(np.percentile(error, 95)),
        "front_back_mean_mm": float(np.abs(found - pair.truth)[:, 1].mean()),
        "unregistered_mean_mm": float(pair.error_mm(pair.landmarks).mean()),
    }
