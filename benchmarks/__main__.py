"""`make bench`: every benchmark once, benchmarks/results.json, the tables of docs/performance.md.

    python -m benchmarks [NAME...]      # all, or only those named

Figures are ratios within one run or whole-process numbers; absolute times belong to the machine
named with them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import (
    assess_subject,
    measure_mask,
    memory,
    outline_graft,
    page,
    read_series,
    register_visit,
    register_wall,
    save_reads,
    start,
    surface_distances,
    viewer,
)

RESULTS = Path(__file__).with_name("results.json")
_ALL = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        start,
        read_series,
        measure_mask,
        surface_distances,
        register_wall,
        register_visit,
        assess_subject,
        memory,
        outline_graft,
        save_reads,
        viewer,
    )
}


def main() -> None:
    """Run benchmarks one after the other; what is there is kept as soon as it is measured."""
    commit = _commit()  # before what is written here makes the tree another
    for name in sys.argv[1:] or _ALL:
        began = time.perf_counter()
        measured = _circumstances() | {"commit": commit, "figures": _ALL[name].measure()}
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results[name] = measured
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        page.write(results)
        Console().print(f"{name}: {time.perf_counter() - began:.0f} s")


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _circumstances() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {_processor()}, CPython {platform.python_version()}",
        "load": os.getloadavg()[0],
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


if __name__ == "__main__":
    main()
