"""A contest: contenders do the same work in turns, each in its own process and environment.

The machine may be busy or slow for minutes, so only ratios within a round count: in every round
each contender does the work once, and the ratio reported is the median over the rounds. One that
cannot be installed, fails, crashes or takes too long stays in the table with the reason.
"""

from __future__ import annotations

import json
import select
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers"
_START_S = 300.0


@dataclass(frozen=True, slots=True)
class Contender:
    """Who does the work and how.

    Parameters
    ----------
    name
        As it stands in the table.
    module
        Of `benchmarks.contenders`.
    packages
        Whose versions are reported.
    environment
        Folder below .venv-peers; empty for the program's own.
    settings
        Passed to the task.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()
    environment: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """The interpreter of its environment."""
        return str(PEERS / self.environment / "bin/python") if self.environment else sys.executable


@dataclass(slots=True)
class Outcome:
    """What a contender did in each round; `reason` says why it stopped, if it did."""

    contender: Contender
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    reason: str | None = None


def in_turns(
    contenders: Sequence[Contender],
    task: str,
    folder: Path,
    rounds: int = 3,
    warm_ups: int = 0,
    limit_s: float = 180.0,
    enough_s: float = 30.0,
) -> list[Outcome]:
    """Let every contender do `task` on the inputs in `folder` once a round; warm-ups don't count.

    A contender that failed is not asked again, nor is one that has taken `enough_s` in two rounds
    or more. Without a warm-up the first round counts, after the imports.
    """
    workers = [Worker(contender) for contender in contenders]
    outcomes = [Outcome(contender) for contender in contenders]
    try:
        for turn in range(warm_ups + rounds):
            for worker, outcome in zip(workers, outcomes, strict=True):
                if outcome.reason is None and not _enough(outcome, enough_s):
                    inputs = {"folder": str(folder), **outcome.contender.settings}
                    _note(worker.ask(task, inputs, limit_s), outcome, turn >= warm_ups)
                    outcome.versions = worker.versions
    finally:
        for worker in workers:
            worker.close()
    return outcomes


def _enough(outcome: Outcome, enough_s: float) -> bool:
    return len(outcome.wall_s) > 1 and sum(outcome.wall_s) > enough_s


def _note(answer: dict[str, Any], outcome: Outcome, counts: bool) -> None:
    outcome.reason = answer.get("reason")
    if outcome.reason is None and counts:
        outcome.wall_s.append(answer["wall_s"])
        outcome.cpu_s.append(answer["cpu_s"])
        outcome.values.append(answer["values"])


Table = list[dict[str, Any]]


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return one line a contender, the first is ours; `times_ours` above 1: slower than ours."""
    return [_line(outcome, outcomes[0]) for outcome in outcomes]


def compared(outcomes: Sequence[Outcome]) -> Table:
    """Return the table with what the contenders told, and its largest difference to ours."""
    lines = table(outcomes)
    for line, outcome in zip(lines, outcomes, strict=True):
        values = outcome.values[0] if outcome.values else None
        if values and outcomes[0].values:
            line["values"] = values
            line["largest_difference"] = largest_difference(values, outcomes[0].values[0])
    return lines


def _line(outcome: Outcome, ours: Outcome) -> dict[str, Any]:
    line: dict[str, Any] = {"name": outcome.contender.name, "versions": outcome.versions}
    if not outcome.wall_s or not ours.wall_s:
        return line | {"missing": outcome.reason or f"nothing of ours to compare: {ours.reason}"}
    ratios = [theirs / own for theirs, own in zip(outcome.wall_s, ours.wall_s, strict=False)]
    return line | {
        "wall_s": statistics.median(outcome.wall_s),
        "cpu_s": statistics.median(outcome.cpu_s),
        "times_ours": statistics.median(ratios),
        "rounds": len(ratios),
        "same_bits": _same(outcome.values) if len(ratios) > 1 else None,
        "stopped": outcome.reason,
    }


def _same(values: list[Any]) -> bool:
    return all(value == values[0] for value in values)


def largest_difference(values: dict[str, float], ours: dict[str, float]) -> float:
    """Return the largest relative difference over the values that both tell."""
    return max(abs(values[name] - ours[name]) / abs(ours[name]) for name in ours if name in values)


class Worker:
    """A contender's process; started when first asked."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.versions: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, task: str, inputs: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """Return the answer, or the reason that there is none."""
        try:
            process = self._process or self._start()
            assert process.stdin is not None  # a pipe was asked for
            process.stdin.write(json.dumps({"task": task, "inputs": inputs}).encode() + b"\n")
            process.stdin.flush()
            return self._line(process, limit_s)
        except (OSError, EOFError, TimeoutError) as error:
            reason = str(error)
        self.close()
        return {"reason": reason}

    def close(self) -> None:
        """End the process; one that is asked again starts anew."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            self._said.close()

    def _start(self) -> subprocess.Popen[bytes]:
        if not Path(self.contender.python).exists():
            raise OSError(f"not installed: {_why(self.contender.environment)}")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        module = f"benchmarks.contenders.{self.contender.module}"
        command = [self.contender.python, "-m", "benchmarks.worker", module]
        self._process = subprocess.Popen(
            [*command, *self.contender.packages],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )
        self.versions = self._line(self._process, _START_S)["versions"]
        return self._process

    def _line(self, process: subprocess.Popen[bytes], limit_s: float) -> dict[str, Any]:
        assert process.stdout is not None  # a pipe was asked for
        if not select.select([process.stdout], [], [], limit_s)[0]:
            raise TimeoutError(f"no answer within {limit_s:.0f} s")
        line = process.stdout.readline()
        if not line:
            raise EOFError(self._death(process))
        return dict(json.loads(line))

    def _death(self, process: subprocess.Popen[bytes]) -> str:
        code = process.wait()
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"ended with {code}: {' '.join(last)}"


def _why(environment: str) -> str:
    """Return the last line that the installation of an environment said."""
    log = PEERS / f"{environment}.log"
    lines = log.read_text().strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "run `make peers`"
