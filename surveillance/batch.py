"""Batch: many subjects, one after the other or several at a time; none stops another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol as Interface

from imaging.assessment import assess
from imaging.concurrency import cores
from imaging.errors import GraftsiteError, UsageError
from imaging.guidance import Guidance
from imaging.loaders import Refusal, find_series
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.visit import Subject
from imaging.visits import arrange
from surveillance.exports.cohort_csv import save_cohort, save_errors
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.record import record_of
from surveillance.exports.run_json import save_run
from surveillance.exports.subject_folder import finished, save_subject
from surveillance.exports.writing import make_folder
from surveillance.fingerprint import subject_fingerprint
from surveillance.workers import in_workers

UNREADABLE = ("SERIES_UNREADABLE", "SUPPORTING_UNREADABLE")
WRONG_SIDE = ("LATERALITY_MIRRORED", "LATERALITY_WRONG")
NO_MATCH = ("REGISTRATION_FAILED",)
"""Quality entries that are also rows of errors.csv: something is wrong with what was given."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for."""

    inputs: tuple[Path, ...]
    output: Path
    protocol: Protocol
    subjects: tuple[str, ...]
    guidance: Guidance
    jobs: int
    debug: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of errors.csv."""

    subject: str
    visit: str
    series: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request; records in order of subject."""

    records: tuple[AssessmentRecord, ...]
    problems: tuple[Problem, ...]
    failed_subjects: tuple[str, ...]
    interrupted: bool = False

    @property
    def assessed(self) -> tuple[str, ...]:
        """Subjects with at least one visit that was looked at."""
        return tuple(r.subject for r in self.records if was_seen(r))


class Progress(Interface):
    """Who is told how far the work is."""

    def begin(self, subjects: int) -> None:
        """Say how many subjects there are."""

    def finished_one(self, subject: str) -> None:
        """Say that one more is done."""


def run(request: Request, progress: Progress) -> Outcome:
    """Assess all subjects and write the files of the output contract.

    An interrupt keeps the finished subjects; a second run goes on from there.

    Raises
    ------
    UsageError
        An input does not exist, or an option names a subject that was not found.
    OutputError
        The output folder cannot be written.
    """
    started = datetime.now(UTC)
    make_folder(request.output)
    subjects, refusals = _find(request)
    progress.begin(len(subjects))
    outcome = Outcome((), tuple(_problem(r) for r in refusals), ())
    try:
        for result in _results(subjects, request):
            outcome = _with(outcome, result)
            progress.finished_one(result.subject)
    except KeyboardInterrupt:
        outcome = replace(outcome, interrupted=True)
    outcome = _completed(outcome, request.subjects)
    save_cohort(outcome.records, request.output / "cohort.csv")
    save_errors((_row(p) for p in outcome.problems), request.output / "errors.csv")
    save_run(request.output / "run.json", request.protocol, outcome.records, started)
    return outcome


def find_subjects(
    inputs: tuple[Path, ...], protocol: Protocol
) -> tuple[tuple[Subject, ...], tuple[Refusal, ...]]:
    """Return all subjects, and what could not be used; headers only.

    Raises
    ------
    UsageError
        An input does not exist.
    """
    for path in inputs:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
    inventory = find_series(inputs, protocol)
    arrangement = arrange(inventory.series, protocol)
    return arrangement.subjects, (*inventory.refusals, *arrangement.refusals)


def _find(request: Request) -> tuple[tuple[Subject, ...], tuple[Refusal, ...]]:
    subjects, refusals = find_subjects(request.inputs, request.protocol)
    known = [subject.id for subject in subjects]
    for wanted in request.subjects:
        if wanted not in known:
            raise UsageError("no_such_subject", subject=wanted, subjects=", ".join(known) or "none")
    chosen = tuple(s for s in subjects if not request.subjects or s.id in request.subjects)
    if request.guidance.visits and len(chosen) != 1:
        listed = ", ".join(s.id for s in chosen) or "none"
        raise UsageError("guidance_subject", count=len(chosen), subjects=listed)
    return chosen, refusals


@dataclass(frozen=True, slots=True)
class _Result:
    """One subject's record, or what stopped it."""

    subject: str
    record: AssessmentRecord | None
    problem: Problem | None = None


def _results(subjects: tuple[Subject, ...], request: Request) -> Iterator[_Result]:
    tasks = [(subject, request) for subject in subjects]
    if request.jobs == 1:
        yield from map(_assess_one, tasks)
        return
    for (subject, _), result in in_workers(_assess_one, tasks, request.jobs):
        # Without a result its process died, of memory or by a signal.
        yield result or _failed(subject, "worker_died", text("error.worker_died"))


def _assess_one(task: tuple[Subject, Request]) -> _Result:
    subject, request = task
    try:
        fingerprint = subject_fingerprint(subject, request.protocol, request.guidance)
        folder = request.output / "subjects" / subject.id
        record = finished(folder, fingerprint)
        if record is None:
            threads = max(1, cores() // request.jobs)
            assessment = assess(subject, request.protocol, request.guidance, threads)
            record = record_of(assessment, fingerprint)
            save_subject(assessment, record, folder)
    except GraftsiteError as error:
        return _failed(subject, error.code, str(error))
    except Exception as error:  # the other subjects must not suffer from a bug met in this one
        if request.debug:
            raise
        message = text("error.subject_failed", kind=type(error).__name__)
        return _failed(subject, "subject_failed", message)
    return _Result(subject.id, record)


def _failed(subject: Subject, code: str, message: str) -> _Result:
    return _Result(subject.id, None, Problem(subject.id, "", "", code, message))


def _with(outcome: Outcome, result: _Result) -> Outcome:
    if result.record is not None:
        met = tuple(problems_of(result.record))
        return replace(
            outcome,
            records=(*outcome.records, result.record),
            problems=(*outcome.problems, *met),
        )
    problems = outcome.problems if result.problem is None else (*outcome.problems, result.problem)
    return replace(outcome, problems=problems)


def problems_of(record: AssessmentRecord) -> Iterator[Problem]:
    """Yield what was found wrong while a subject was assessed, visit by visit."""
    for visit in record.visits:
        wrong_side = any(entry.code in WRONG_SIDE for entry in visit.quality)
        # A mirrored visit matches nothing: that is no second fault.
        reported = (*UNREADABLE, *(WRONG_SIDE if wrong_side else NO_MATCH))
        for entry in visit.quality:
            if entry.code in reported:
                yield Problem(record.subject, visit.folder, "", entry.code.lower(), entry.message)


def _completed(outcome: Outcome, wanted: tuple[str, ...]) -> Outcome:
    """Put everything in order, whichever worker was first, and name the subjects left out."""
    assessed = set(outcome.assessed)
    named = {p.subject for p in outcome.problems if p.subject}
    named |= {r.subject for r in outcome.records}
    failed = tuple(sorted(s for s in named - assessed if not wanted or s in wanted))
    records = tuple(sorted(outcome.records, key=lambda record: record.subject))
    problems = tuple(sorted(outcome.problems, key=lambda p: (p.subject, p.visit, p.message)))
    return replace(outcome, records=records, problems=problems, failed_subjects=failed)


def was_seen(record: AssessmentRecord) -> bool:
    """Whether any visit had a T2W-FS to look at: without one there is no assessment."""
    return any(visit.graft.present is not None for visit in record.visits)


def _problem(refusal: Refusal) -> Problem:
    return Problem(refusal.subject or "", "", refusal.series or "", refusal.code, refusal.message)


def _row(problem: Problem) -> dict[str, str]:
    return {
        "subject": problem.subject,
        "visit": problem.visit,
        "series": problem.series,
        "code": problem.code,
        "message": problem.message,
    }
