"""Results: the ordinary batch for one subject, in a folder of results that holds all of them."""

from __future__ import annotations

import csv
from pathlib import Path

from pydantic import ValidationError

from imaging.guidance import Guidance
from imaging.protocol import Protocol
from surveillance.batch import Outcome, Request, run
from surveillance.exports.cohort_csv import save_cohort, save_errors
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.subject_folder import RECORD

COHORT, ERRORS = "cohort.csv", "errors.csv"


class Silence:
    """A progress that nobody watches."""

    def begin(self, subjects: int) -> None:
        """Say nothing."""

    def finished_one(self, subject: str) -> None:
        """Say nothing."""


def assess_studies(studies: tuple[Path, ...], output: Path, protocol: Protocol) -> Outcome:
    """Assess the studies of one subject; the tables go on listing all other subjects too.

    The work is done in another process, so that this one can go on receiving.

    Raises
    ------
    OutputError
        The output folder cannot be written.
    """
    others = _rows(output / ERRORS)
    outcome = run(
        Request(
            inputs=studies,
            output=output,
            protocol=protocol,
            subjects=(),
            guidance=Guidance({}, {}),  # plain, to be handed to another process
            jobs=2,
            debug=False,
        ),
        Silence(),
    )
    mine = {*outcome.assessed, *outcome.failed_subjects, ""}
    kept = [row for row in others if row["subject"] not in mine]
    save_errors([*kept, *_rows(output / ERRORS)], output / ERRORS)
    save_cohort(_records(output), output / COHORT)
    return outcome


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _records(output: Path) -> list[AssessmentRecord]:
    """Return all records there, sorted by subject; one of another version is left out."""
    records = []
    for path in sorted(output.glob(f"subjects/*/{RECORD}")):
        try:
            records.append(AssessmentRecord.model_validate_json(path.read_bytes()))
        except ValidationError:
            continue
    return records
