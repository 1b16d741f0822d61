"""A reader's outline on five visits of full size: a seed answered, and everything measured again.

The seed lies in the middle of the program's own graft at the last visit. `first` is the first
click of a session, when the visit's arrays are still on disk. `again` holds every visit of the
subject, measured and judged with the reader's outline: what a reader waits for after signing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from scipy.ndimage import distance_transform_edt

from benchmarks.assess_subject import write_subject
from imaging.guidance import Guidance
from imaging.protocol import load_protocol
from imaging.volume import Mask
from surveillance.batch import Request, run
from surveillance.cases.case import Case
from surveillance.cases.outlining import edited, seeded
from surveillance.configuration import Configuration, Storage
from surveillance.station import import_results, open_station

CLICKS = 5
_Value = TypeVar("_Value")


def measure() -> dict[str, float]:
    """Return seconds of the first seed, of later ones (median), and of measuring again."""
    with TemporaryDirectory() as name:
        case = _case(Path(name))
        visit = case.visits[-1]
        if visit.graft.mask is None:
            raise RuntimeError("the program found no graft to click into")
        stroke = (_inside(visit.graft.mask),)
        first_s, graft = _timed(lambda: seeded(visit, stroke))
        later = [_timed(lambda: seeded(visit, stroke))[0] for _ in range(CLICKS)]
        if graft.mask is None:
            raise RuntimeError("nothing grew from the seed")
        mask = graft.mask
        again_s, _ = _timed(lambda: edited(case, {visit.label: mask}))
    return {"first_seed_s": first_s, "seed_s": statistics.median(later), "again_s": again_s}


def _inside(mask: Mask) -> tuple[float, float, float]:
    """Return the voxel of a mask that lies deepest."""
    deepest = np.unravel_index(int(distance_transform_edt(mask.array).argmax()), mask.array.shape)
    x, y, z = mask.geometry.to_world(np.array(deepest, dtype=float))
    return float(x), float(y), float(z)


def _case(folder: Path) -> Case:
    write_subject(folder / "in")
    protocol = load_protocol()
    request = Request((folder / "in",), folder / "out", protocol, (), Guidance(), 1, debug=True)
    run(request, _Silent())
    station = open_station(Configuration(storage=Storage(data=folder / "data")), protocol)
    (case,) = import_results(station, folder / "out", (folder / "in",))
    station.store.close()
    return case


def _timed(work: Callable[[], _Value]) -> tuple[float, _Value]:
    started = time.perf_counter()
    value = work()
    return time.perf_counter() - started, value


class _Silent:
    """Nobody watches the progress."""

    def begin(self, subjects: int) -> None:
        """Say nothing."""

    def finished_one(self, subject: str) -> None:
        """Say nothing."""
