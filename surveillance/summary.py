"""What a run says on the terminal: a progress bar, then one row per visit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from imaging.messages import text
from surveillance.batch import Outcome, Problem
from surveillance.exports.contract import AssessmentRecord, FindingBlock, VisitBlock
from surveillance.terminal import wide_console

COLOURS = {"favorable": "green", "adverse": "red", "indeterminate": "yellow"}
ALIKE_SHOWN = 3
"""Problems of one kind that the terminal shows; errors.csv has them all."""
FLAG_COLOURS = {"green": "green", "amber": "yellow", "red": "red"}


class Reporter:
    """Shows progress on stderr and, at the end, the summary on stdout."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._out = wide_console()
        self._err = wide_console(stderr=True)
        self._bar = Progress(
            TextColumn(text("summary.assessing")),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=self._err,
            disable=quiet or not self._err.is_terminal,
        )

    def __enter__(self) -> Reporter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, subjects: int) -> None:
        """Start the bar."""
        self._task = self._bar.add_task("", total=subjects)

    def finished_one(self, subject: str) -> None:
        """Advance the bar by one subject."""
        self._bar.update(self._task, advance=1, description=subject)

    def close(self, outcome: Outcome, *, as_json: bool) -> None:
        """Print the summary, and what could not be used."""
        self._bar.stop()
        for line in _problem_lines(outcome.problems):
            self._err.print(line, style="red", markup=False, soft_wrap=True)
        if as_json:
            self._out.print_json(json.dumps(_as_json(outcome)))
        elif not self._quiet and outcome.records:
            self._out.print(_table(outcome.records))
            self._out.print(text("summary.disclaimer"), style="dim")


def _problem_lines(problems: tuple[Problem, ...]) -> Iterator[str]:
    """Yield one line a problem; of many of one kind the first few, and how many more there are."""
    shown = Counter[str]()
    for problem in problems:
        shown[problem.code] += 1
        if shown[problem.code] <= ALIKE_SHOWN:
            where = " ".join(part for part in (problem.subject, problem.visit) if part)
            yield f"{where}: {problem.message}" if where else problem.message
    hidden = sum(count - ALIKE_SHOWN for count in shown.values() if count > ALIKE_SHOWN)
    if hidden:
        yield text("summary.more_problems", count=hidden)


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "subjects": [record.model_dump(mode="json") for record in outcome.records],
        "errors": [asdict(problem) for problem in outcome.problems],
        "failed_subjects": list(outcome.failed_subjects),
        "interrupted": outcome.interrupted,
    }


def _table(records: tuple[AssessmentRecord, ...]) -> Table:
    table = Table(title=text("summary.title"), pad_edge=False)
    for name in ("subject", "visit", "date"):
        table.add_column(text(f"summary.{name}"), no_wrap=True)
    for name in ("volume", "change", "t2", "t1", "confidence"):
        table.add_column(text(f"summary.{name}"), justify="right", no_wrap=True)
    for name in ("morphology", "signal", "fat", "flag"):
        table.add_column(text(f"summary.{name}"), no_wrap=True)
    for record in records:
        for visit in record.visits:
            table.add_row(record.subject, *_row(visit))
        table.add_section()
    return table


def _row(visit: VisitBlock) -> list[str]:
    findings = visit.findings
    unsure = any(entry.code == "NEEDS_READER" for entry in visit.quality)
    numbers = (
        _volume(visit),
        _number(visit.change.volume_percent if visit.change else None, "+.0f", " %"),
        _number(visit.t2.graft_to_muscle_ratio, ".2f"),
        _number(visit.t1.graft_to_muscle_ratio, ".2f"),
    )
    return [
        visit.folder,
        str(visit.study_date or "–"),
        *(f"[dim]{n} ?[/]" if unsure and n != "–" else n for n in numbers),
        _number(visit.graft.confidence, ".2f"),
        _status(findings.morphological_stability),
        _status(findings.signal_characteristics),
        _status(findings.fat_absence),
        _flag(visit),
    ]


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _volume(visit: VisitBlock) -> str:
    graft = visit.graft
    if graft.volume_ml is None:
        return "–"
    if graft.volume_ci95_ml is None:
        return f"{graft.volume_ml:.1f}"
    low, high = graft.volume_ci95_ml
    return f"{graft.volume_ml:.1f} [{low:.1f}–{high:.1f}]"


def _status(finding: FindingBlock) -> str:
    short = text(f"summary.{finding.status}")
    return f"[{COLOURS[finding.status]}]{short}[/]"


def _flag(visit: VisitBlock) -> str:
    level = visit.surveillance_flag.level
    return "–" if level is None else f"[{FLAG_COLOURS[level]}]{level}[/]"
