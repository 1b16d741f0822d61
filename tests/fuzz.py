"""`make fuzz`: many mutated files, on all cores, within a time; what is found is kept.

python tests/fuzz.py [--files 20000] [--seconds 900] [--seed 0] [--keep found_by_fuzzing]
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from fuzzing import Found, bound_memory, fault_of, originals
from mutations import mutated

REAL_DATA = Path(
    os.environ.get("GRAFTSITE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")
)
CASES_A_TASK = 50
_KINDS = []
"""The originals by name, so that each kind of file gets its share."""


def prepare():
    """Once a worker: its originals and its bound of memory."""
    bound_memory()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the decoders' own remarks, thousands
    with tempfile.TemporaryDirectory() as folder:
        real = REAL_DATA if (REAL_DATA / "MANIFEST.tsv").exists() else None
        kinds = {}
        for original in originals(Path(folder), real):
            kinds.setdefault(original.name, []).append(original)
        _KINDS.extend(kinds.values())


def try_some(seed, task):
    """Return the names of the files that were tried, and those that did what none may."""
    rng = np.random.default_rng([seed, task])
    tried, found = [], []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(CASES_A_TASK):
            kind = _KINDS[int(rng.integers(len(_KINDS)))]
            original = kind[int(rng.integers(len(kind)))]
            content = mutated(original.content, rng)
            what = fault_of(original.name, content, folder)
            tried.append(original.name)
            if what is not None:
                found.append(Found(f"{seed}-{task}-{n}-{original.name}", what, content))
    return tried, found


def fuzz(files, seconds, seed, workers):
    """Return how many files of each name were tried, and what was found."""
    end, tried, found = time.monotonic() + seconds, Counter(), []
    with ProcessPoolExecutor(workers, initializer=prepare) as pool:
        tasks = [pool.submit(try_some, seed, n) for n in range(-(-files // CASES_A_TASK))]
        for number, task in enumerate(tasks):
            if time.monotonic() > end:
                pool.shutdown(cancel_futures=True)
                break
            try:
                names, faults = task.result()
            except BrokenProcessPool:
                found.append(Found(f"{seed}-{number}", "the process died", b""))
                break
            tried.update(names)
            found.extend(faults)
    return tried, found


def main():
    """Fuzz, tell, keep what was found; exit code 1 when something was."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--files", type=int, default=20_000)
    asked.add_argument("--seconds", type=float, default=900)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--keep", type=Path, default=Path("found_by_fuzzing"))
    given = asked.parse_args()
    tried, found = fuzz(given.files, given.seconds, given.seed, os.cpu_count())
    print(f"{sum(tried.values())} files:", dict(sorted(tried.items())))
    for fault in found:
        print(f"{fault.case}: {fault.what}")
        given.keep.mkdir(exist_ok=True)
        (given.keep / fault.case).write_bytes(fault.content)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
