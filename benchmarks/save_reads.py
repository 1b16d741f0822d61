"""Ten readers of one process save drafts at the same time, on SQLite with its writes on disk.

The form is full, with foci and a comment; each save is checked, compared with what was stored,
written with its audit entry and anchored. Readers save as fast as they can, which is far more
often than people do. Counted: how long a save takes, and whether any write was lost.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from readers import accounts, assigning, cases, reading, sessions, worklist
from readers.actor import Actor, Role
from readers.anchor import make_anchor
from readers.cases import CaseVisit
from readers.paradigm import load_paradigm
from readers.store import Store, open_store

READERS, SAVES = 10, 60
ANSWERS = {
    "t2w_fs_quality": "evaluable",
    "t1w_fs_quality": "evaluable",
    "supporting_quality": "not_acquired",
    "reference_muscle": "both",
    "confounders": ["scar", "ascites"],
    "graft_seen": "yes",
    "graft_place": "in_muscle",
    "level": "slightly_higher",
    "pattern": "nodular",
    "foci": [{"diameter_mm": 5.0 + n, "slice": n + 1, "mark": f"m{n}"} for n in range(5)],
    "isointense": "yes",
    "fat": "none",
    "confidence": "4",
    "comment": "A comment of two hundred characters. " * 5,
}


def measure() -> dict[str, float]:
    """Return percentiles of one save in ms, saves a second, and writes lost (0)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(f"sqlite:///{folder / 'reads.sqlite'}", anchor=make_anchor(folder / "k"))
        readers = _prepared(store)
        start = time.perf_counter()
        with ThreadPoolExecutor(READERS) as pool:
            results = list(pool.map(lambda actor: _saves(store, actor), readers))
        wall = time.perf_counter() - start
        store.close()
    times = [t for ours, _ in results for t in ours]
    cuts = statistics.quantiles(times, n=100)
    return {
        "readers": READERS,
        "save_median_ms": 1000 * statistics.median(times),
        "save_p95_ms": 1000 * cuts[94],
        "save_longest_ms": 1000 * max(times),
        "saves_per_s": len(times) / wall,
        "lost_writes": float(sum(1 + SAVES - last for _, last in results)),
    }


def _prepared(store: Store) -> list[Actor]:
    password = accounts.create_first_administrator(store, "admin", "Admin")
    admin = sessions.sign_in(store, "admin", password).actor
    names = [f"reader{n}" for n in range(READERS)]
    for name in names:
        accounts.create(store, admin, name, name, Role.READER)
    accounts.create(store, admin, "office", "Office", Role.COORDINATOR)
    people = {a.name: a.actor for a in accounts.every(store, admin)}
    for n, name in enumerate(names):
        visit = CaseVisit("BASELINE", True, 0, True, {"t1w_fs": f"{n:064x}"})
        cases.register(store, people["office"], f"S{n:02d}", [visit])
        assigning.assign(store, people["office"], f"S{n:02d}", [name], load_paradigm())
    return [people[name] for name in names]


def _saves(store: Store, actor: Actor) -> tuple[list[float], int]:
    """Save again and again; return the times and the last revision that the store holds."""
    item = worklist.of_reader(store, actor)[0]
    read = reading.open_read(store, actor, item.id, "BASELINE")
    times = []
    for n in range(SAVES):
        answers = ANSWERS | {"diameter_mm": 10.0 + n}
        start = time.perf_counter()
        read = reading.save_draft(
            store, actor, read.id, revision=read.revision, answers=answers, spent_s=1.0
        )
        times.append(time.perf_counter() - start)
    return times, reading.load(store, actor, read.id).revision


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key:24s}{value:8.2f}")
