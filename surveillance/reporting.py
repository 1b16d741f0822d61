"""Reporting: the reports of a folder of results, written beside them; no subject stops another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imaging.errors import GraftsiteError, UsageError
from imaging.messages import text
from imaging.protocol import Protocol, VisitWindows
from imaging.schedule import due_days
from imaging.visit import Subject
from readers.agreement.report import Report as Agreement
from surveillance.cases.case import Case
from surveillance.cases.library import Library, assessed_subjects, imaged_subjects
from surveillance.cases.memory import Memory
from surveillance.cohort import Allocation, Cohort, cohort_of
from surveillance.exports.cohort_rows import save_rows
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.writing import write_text, write_with
from surveillance.locked_reads import LockedReads
from surveillance.render.cohort_page import cohort_document
from surveillance.render.key_images import key_images
from surveillance.render.page import Document, Look
from surveillance.render.subject_page import subject_document
from surveillance.report import Pictures, SubjectReport, subject_report, visit_report

HTML, COHORT = "report.html", "cohort_report.html"
_MEMORY_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; empty `subjects` or `visits` mean all."""

    results: Path
    images: tuple[Path, ...]
    protocol: Protocol
    look: Look
    subjects: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    reads: LockedReads | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """What was written for one subject, and why it has no key images where it has none."""

    subject: str
    files: tuple[Path, ...]
    no_pictures: str | None = None


def report_subjects(request: Request) -> Iterator[Reported]:
    """Write the reports of each subject, and yield it as it is done.

    Without `visits`: the subject's and each visit's. With them: those visits' only.

    Raises
    ------
    UsageError
        There are no results, or a subject or visit is not among them, or no images where said.
    ReportError
        A font or Pango is missing.
    OutputError
        A file cannot be written.
    """
    records = chosen_records(request.results, request.subjects)
    _check_visits(request.visits, records)
    for path in request.images:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
    images = imaged_subjects(request.images, request.protocol) if request.images else {}
    for name, record in records.items():
        yield report_subject(record, images.get(name), request)


def report_subject(record: AssessmentRecord, subject: Subject | None, request: Request) -> Reported:
    """Write the reports of one subject; `subject` is its images, None where there are none.

    Raises
    ------
    ReportError, OutputError
        As for several.
    """
    pictures = _pictures(request, record, subject)
    labels = [visit.folder for visit in record.visits]
    reads = None if request.reads is None else request.reads.of(record.subject, labels)
    report = subject_report(record, request.protocol, pictures, reads)
    return Reported(record.subject, _write(report, request), pictures.reason)


def document_of_case(case: Case, reads: LockedReads, look: Look) -> Document:
    """Return the report of a subject whose images the reading application holds."""
    labels = [visit.label for visit in case.visits]
    said = reads.of(case.subject, labels)
    report = subject_report(case.record, case.manifest.protocol, key_images(case), said)
    return subject_document(report, look)


def report_cohort(
    results: Path,
    allocations: Mapping[str, Allocation],
    agreement: Agreement | None,
    look: Look,
    windows: VisitWindows,
) -> tuple[Cohort, tuple[Path, ...]]:
    """Write the cohort's report and its rows; return both.

    Missing visits are marked on the days on which `windows` say that they are due.

    Raises
    ------
    UsageError, ReportError, OutputError
        As for subjects.
    """
    cohort = cohort_of(chosen_records(results, ()), allocations)
    document = cohort_document(cohort, due_days(windows), agreement, look)
    page, printed = save_document(document, results, COHORT)
    rows = (results / COHORT).with_suffix(".csv"), (results / COHORT).with_suffix(".parquet")
    save_rows(cohort.rows, *rows)
    return cohort, (page, printed, *rows)


def chosen_records(results: Path, subjects: tuple[str, ...]) -> Mapping[str, AssessmentRecord]:
    """Return the records asked for, by subject.

    Raises
    ------
    UsageError, CaseImportError
        There are none, one is not of this program, or a subject is not among them.
    """
    records = assessed_subjects(results)
    if not records:
        raise UsageError("export_no_results", path=results)
    for wanted in subjects:
        if wanted not in records:
            raise UsageError("no_such_subject", subject=wanted, subjects=", ".join(records))
    return {name: record for name, record in records.items() if not subjects or name in subjects}


def _check_visits(visits: tuple[str, ...], records: Mapping[str, AssessmentRecord]) -> None:
    known = sorted({visit.folder for record in records.values() for visit in record.visits})
    for wanted in visits:
        if wanted not in known:
            raise UsageError("export_no_visit", visit=wanted, visits=", ".join(known))


def _pictures(request: Request, record: AssessmentRecord, subject: Subject | None) -> Pictures:
    """Lay the images in baseline space again, as the reading application does."""
    if not request.images:
        return Pictures(reason=text("report.images_not_given", request.look.language))
    if subject is None:
        return Pictures(reason=text("error.case_no_images", subject=record.subject))
    with tempfile.TemporaryDirectory(prefix="graftsite-report-") as folder:
        library = Library(Path(folder), Memory(_MEMORY_BYTES))
        masks = request.results / "subjects" / record.subject
        try:
            return key_images(library.add(subject, record, masks, request.protocol))
        except GraftsiteError as error:
            return Pictures(reason=error.told(request.look.language))


def _write(report: SubjectReport, request: Request) -> tuple[Path, ...]:
    folder = request.results / "subjects" / report.record.subject
    made: list[Path] = []
    if not request.visits:
        made += save_document(subject_document(report, request.look), folder)
    for label in [visit.folder for visit in report.record.visits]:
        if not request.visits or label in request.visits:
            document = subject_document(visit_report(report, label), request.look)
            made += save_document(document, folder / label)
    return tuple(made)


def save_document(document: Document, folder: Path, html: str = HTML) -> tuple[Path, Path]:
    """Write HTML and PDF beside each other.

    Raises
    ------
    OutputError
        They cannot be written.
    """
    page = folder / html
    printed = page.with_suffix(".pdf")
    write_text(page, document.html)
    write_with(printed, lambda temporary: temporary.write_bytes(document.pdf))
    return page, printed
