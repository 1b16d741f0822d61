"""`make bench-cluster`: thousands of light subjects on a Dask cluster whose workers are killed.

One visit each, T2W-FS alone of 96×65×8: the point is what a batch costs beside the
assessment, and that nothing is lost or done by halves.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
from distributed import Client, LocalCluster

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from abdomen import abdomen

from imaging.geometry import to_ras
from surveillance.results.commit import COMMITS, fetch, holding, read_all
from surveillance.results.place import open_place

RESULTS = Path(__file__).with_name("cluster.json")
SUBJECTS, SITES, WORKERS, STEP, SEED = 2000, 4, 2, 2, 2026
KILL_EVERY_S = 30.0


def main() -> None:
    """Run once and write the figures."""
    subjects = int(sys.argv[1]) if len(sys.argv) > 1 else SUBJECTS
    with TemporaryDirectory(prefix="graftsite-cluster-") as folder:
        figures = measure(Path(folder), subjects)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def measure(folder: Path, subjects: int) -> dict[str, object]:
    """Assess, with workers killed meanwhile; then again, when everything is there."""
    manifest, store = _made(folder, subjects), folder / "store"
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        stop, killed = threading.Event(), list[int]()
        killer = threading.Thread(target=_kill_now_and_then, args=(client, stop, killed))
        killer.start()
        first_s, answers = _batch(manifest, store, cluster.scheduler_address)
        stop.set()
        killer.join()
        second_s, again = _batch(manifest, store, cluster.scheduler_address)
    place = open_place(str(store))
    commits = list(read_all(place, holding(place.entries(COMMITS))))
    for commit in commits:
        for name in commit.files:
            fetch(place, commit, name)  # raises where an object is not what was committed
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "subjects": subjects,
        "workers": WORKERS,
        "workers_killed": len(killed),
        "committed_and_whole": len(commits),
        "committed_before_their_worker_died": subjects - answers["assessed"],
        "wall_s": round(first_s, 1),
        "assessment_cpu_s": round(sum(commit.cpu_s for commit in commits), 1),
        "second_run_s": round(second_s, 1),
        "second_run_unchanged": again["unchanged"],
    }


def _made(folder: Path, subjects: int) -> Path:
    t2, *_ = abdomen(graft=True)
    affine = t2.geometry.affine @ np.diag([STEP, STEP, 1, 1])
    rng = np.random.default_rng(SEED)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["site", "subject", "path"])
        for number in range(subjects):
            site, subject = f"SITE{number % SITES}", f"S{number:05d}"
            place = folder / "images" / site / subject / "BASELINE"
            place.mkdir(parents=True)
            array = np.asarray(t2.array)[::STEP, ::STEP]
            stored = np.clip(array + rng.normal(0, 2, array.shape), 0, None).astype(np.int16)
            nib.save(nib.Nifti1Image(stored, to_ras(affine)), place / "t2w_fs.nii.gz")
            writer.writerow([site, subject, place.parent])
    return manifest


def _kill_now_and_then(client: Client, stop: threading.Event, killed: list[int]) -> None:
    rng = random.Random(SEED)
    while not stop.wait(rng.uniform(0.5, 1.5) * KILL_EVERY_S):
        pids = list(client.run(os.getpid, on_error="ignore").values())
        if len(pids) == WORKERS:  # those killed before have come back
            killed.append(rng.choice(pids))
            os.kill(killed[-1], signal.SIGKILL)


def _batch(manifest: Path, store: Path, address: str) -> tuple[float, dict[str, int]]:
    program = [sys.executable, "-c", "from surveillance.cli import main; main()"]
    began = time.perf_counter()
    done = subprocess.run(
        [*program, "batch", manifest, "-o", store, "--scheduler", address],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return time.perf_counter() - began, json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
