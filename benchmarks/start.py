"""How long a person waits for `graftsite --help`, against the bare interpreter."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from statistics import median

REPEATS = 7


def measure() -> dict[str, float]:
    """Return medians of whole processes, and how many times the interpreter's own start it takes.

    CPU time beside the wall's, because other work on the machine does not count against us.
    """
    program = "from surveillance.cli import main; import sys; sys.argv[1:] = ['--help']; main()"
    (bare_ms, bare_cpu_ms), (help_ms, help_cpu_ms) = _median_ms("pass"), _median_ms(program)
    return {"help_ms": help_ms, "help_cpu_ms": help_cpu_ms, "interpreter_ms": bare_ms,
            "ratio_of_cpu": help_cpu_ms / bare_cpu_ms}  # fmt: skip


def _median_ms(program: str) -> tuple[float, float]:
    runs = [_once_ms(program) for _ in range(REPEATS)]
    return median(wall for wall, _ in runs), median(cpu for _, cpu in runs)


def _once_ms(program: str) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * wall_s, 1000 * cpu_s
