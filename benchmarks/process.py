"""Process: what one command costs, measured by a process too small to be taken for it.

Linux starts a child's peak at what its parent held, and the benchmarks hold hundreds of MB by the
time they come to memory; between the two stands this file, run by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence


def cost(command: Sequence[str]) -> dict[str, float]:
    """Return wall and CPU seconds and the peak resident set, MB, of a command that must succeed.

    Raises
    ------
    subprocess.CalledProcessError
        The command failed.
    """
    between = [sys.executable, __file__, *command]
    ran = subprocess.run(between, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(ran.stdout)
    return told


def main() -> None:
    """Run the command on the command line and print what it cost, or end as it did."""
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{sys.argv[1]} ended with {os.waitstatus_to_exitcode(status)}")
    told = {
        "wall_s": time.perf_counter() - started,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
