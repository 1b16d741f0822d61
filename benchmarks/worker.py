"""One contender's process: it lives in its own environment and answers on standard output.

    python -m benchmarks.worker benchmarks.contenders.elastix itk-elastix itk

First the versions of the packages named, then a line of JSON for each line of JSON asked. Runs
where only the standard library and the contender's own packages are installed.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO


def main() -> None:
    """Answer until standard input ends."""
    answers = _own_output()
    contender = importlib.import_module(sys.argv[1])
    _say(answers, {"versions": {name: version(name) for name in sys.argv[2:]}})
    for line in sys.stdin:
        asked = json.loads(line)
        _say(answers, _answer(contender, asked["task"], asked["inputs"]))


def _own_output() -> TextIO:
    """Keep standard output for answers; what libraries print there goes where errors go."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, line: dict[str, Any]) -> None:
    print(json.dumps(line), file=answers, flush=True)


def _answer(contender: Any, task: str, inputs: dict[str, Any]) -> dict[str, Any]:
    try:
        work, told = getattr(contender, task)(Path(inputs.pop("folder")), **inputs)
        cpu_s, began = _cpu_s(), time.perf_counter()
        result = work()
        wall_s = time.perf_counter() - began
        return {"wall_s": wall_s, "cpu_s": _cpu_s() - cpu_s, "values": told(result)}
    except Exception as error:  # noqa: BLE001  (whatever a peer raises is reported of it)
        return {"reason": f"{type(error).__name__}: {error}"}


def _cpu_s() -> float:
    """CPU seconds of this process and of the programs it has run."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
