"""Export: a folder of results, and what was signed about it, as SDTM datasets in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imaging.visit import VisitName
from surveillance.exports.cdisc.dataset_json import dataset_json
from surveillance.exports.cdisc.datasets import Dataset, datasets
from surveillance.exports.cdisc.define_xml import define_xml
from surveillance.exports.cdisc.observation import Observation, When
from surveillance.exports.cdisc.program_reads import program_observations
from surveillance.exports.cdisc.reader_reads import reader_observations
from surveillance.exports.cdisc.submission import DEFINE, submission_of
from surveillance.exports.cdisc.xport import write_xport
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.writing import write_text, write_with
from surveillance.locked_reads import LockedReads
from surveillance.reporting import chosen_records

_SCHEDULED = tuple(name.value for name in VisitName if name is not VisitName.UNSCHEDULED)
_STEP = 0.01
"""An unscheduled visit lies so far behind the one before it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; empty `subjects` mean all, no `reads` the program's alone."""

    results: Path
    output: Path
    subjects: tuple[str, ...] = ()
    reads: LockedReads | None = None


def export(request: Request) -> tuple[Dataset, ...]:
    """Write each dataset as XPT and Dataset-JSON, and define.xml; return the datasets.

    Raises
    ------
    UsageError
        There are no results, or a subject is not among them, or the assessment did not end.
    OutputError
        A file cannot be written.
    """
    records = chosen_records(request.results, request.subjects)
    submission = submission_of(request.results)
    seen = [one for record in records.values() for one in _observations(record, request.reads)]
    made = datasets(submission.study, seen)
    for dataset in made:
        file = request.output / dataset.domain.name.lower()
        write_with(file.with_suffix(".xpt"), lambda t: write_xport(dataset, t, submission.moment))  # noqa: B023  (called at once)
        write_text(file.with_suffix(".json"), dataset_json(dataset, submission))
    write_text(request.output / DEFINE, define_xml(made, submission))
    return made


def _observations(record: AssessmentRecord, reads: LockedReads | None) -> Iterator[Observation]:
    visits = visits_of(record)
    yield from program_observations(record, visits)
    if reads is not None:
        yield from reader_observations(record.subject, reads.of(record.subject, visits), visits)


def visits_of(record: AssessmentRecord) -> dict[str, When]:
    """Return the visits by label, numbered an unscheduled one between its neighbours."""
    found: dict[str, When] = {}
    number = 0.0
    for visit in record.visits:
        if visit.visit in _SCHEDULED:
            number = 1.0 + _SCHEDULED.index(visit.visit)
        else:
            number = round(number + _STEP, 2)
        day = "" if visit.study_date is None else visit.study_date.isoformat()
        found[visit.folder] = When(number, visit.folder, day)
    return found
