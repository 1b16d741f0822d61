"""Progress of a batch: a bar with rate and remaining time on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from imaging.loaders import Refusal
from imaging.messages import text
from surveillance.batching.run import Tally
from surveillance.batching.work import Answer, Became
from surveillance.terminal import wide_console


class Reporter:
    """Says on stderr what goes wrong, and how far the work is: on stdout as JSON in a pipe."""

    def __init__(self) -> None:
        self._out, self._err = wide_console(), wide_console(stderr=True)
        self._json = not self._out.is_terminal
        self._bar = Progress(
            TextColumn(text("batch.assessing")),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self._err,
            disable=not self._err.is_terminal,
        )
        self._began, self._done, self._total, self._worked = time.monotonic(), 0, 0, 0

    def __enter__(self) -> Reporter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, subjects: int) -> None:
        """Start counting."""
        self._began, self._total = time.monotonic(), subjects
        self._task = self._bar.add_task("", total=subjects, rate="")

    def finished_one(self, answer: Answer) -> None:
        """Say what became of one subject; those that were done before say nothing of the rate."""
        self._done += 1
        self._worked += answer.became is Became.ASSESSED
        per_minute = 60 * self._worked / max(time.monotonic() - self._began, 1e-3)
        self._bar.update(
            self._task,
            advance=1,
            description=answer.subject,
            rate=text("batch.rate", rate=f"{per_minute:.1f}"),
        )
        if answer.became is Became.SET_ASIDE:
            self.warn(f"{answer.site} {answer.subject}: {answer.message}")
        self._line(
            event="subject",
            site=answer.site,
            subject=answer.subject,
            became=answer.became.value,
            code=answer.code or None,
            wall_s=round(answer.wall_s, 3),
            done=self._done,
            total=self._total,
            subjects_per_minute=round(per_minute, 2),
            remaining_s=self._remaining_s(),
        )

    def deserted(self, patience_s: float | None) -> None:
        """Say that the cluster has lost all workers, or has some again."""
        if patience_s is None:
            self.warn(text("batch.worker_back"))
        else:
            self.warn(text("batch.no_worker", patience_s=f"{patience_s:g}"))
        self._line(event="worker_back" if patience_s is None else "no_worker")

    def refused(self, refusals: tuple[Refusal, ...]) -> None:
        """Say what could not be given to a subject."""
        for refusal in refusals:
            self.warn(
                f"{refusal.subject}: {refusal.message}" if refusal.subject else refusal.message
            )
            self._line(event="refused", subject=refusal.subject, code=refusal.code)

    def close(self, tally: Tally, store: str) -> None:
        """Say what became of all."""
        self._bar.stop()
        ends = (Became.ASSESSED, Became.UNCHANGED, Became.SET_ASIDE)
        counts = {became.value: tally.counts[became] for became in ends}
        if self._json:
            self._line(event="end", **counts, interrupted=tally.interrupted)
        else:
            self._out.print(text("batch.done", **counts, store=store), markup=False)

    def warn(self, line: str) -> None:
        """Print one line on stderr."""
        self._err.print(line, style="red", markup=False, soft_wrap=True)

    def _remaining_s(self) -> float:
        spent = time.monotonic() - self._began
        return round(spent / self._done * (self._total - self._done), 1)

    def _line(self, **values: Any) -> None:
        if self._json:
            self._out.file.write(json.dumps(values, ensure_ascii=False) + "\n")
            self._out.file.flush()
