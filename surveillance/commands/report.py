"""`graftsite report`: reports for people, HTML and PDF, of subjects, visits and the cohort."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, Debug, Keys, ProtocolFile

if TYPE_CHECKING:
    from imaging.protocol import VisitWindows
    from readers.store import Store
    from surveillance.render.page import Look
    from surveillance.reporting import Reported


class Language(StrEnum):
    """Language of a report."""

    EN = "en"
    ZH = "zh"


class PaperSize(StrEnum):
    """Paper of a report."""

    A4 = "a4"
    LETTER = "letter"


def report(
    results: Annotated[Path, typer.Argument(help="folder that `graftsite assess` wrote")],
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="what was assessed, for the key images; may be repeated"),
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="only this subject; may be repeated")
    ] = None,
    visit: Annotated[
        list[str] | None,
        typer.Option("--visit", help="only the report of this visit; may be repeated"),
    ] = None,
    lang: Annotated[Language, typer.Option("--lang", help="English or Chinese")] = Language.EN,
    paper: Annotated[PaperSize, typer.Option("--paper")] = PaperSize.A4,
    reads: Annotated[
        str | None,
        typer.Option("--reads", help="address of the store of reads: adds locked answers"),
    ] = None,
    cohort: Annotated[
        bool, typer.Option("--cohort", help="the cohort's report instead of the subjects'")
    ] = False,
    subjects: Annotated[
        Path | None,
        typer.Option("--subjects", help="CSV with subject, arm, dose_level: for the cohort"),
    ] = None,
    keys: Keys = DEFAULT_KEYS,
    protocol: ProtocolFile = None,
    debug: Debug = False,
) -> None:
    """Write report.html and report.pdf of each subject and visit, beside their results."""
    from imaging.protocol import load_protocol
    from readers.anchor import make_anchor
    from readers.store import open_store
    from surveillance.locked_reads import LockedReads
    from surveillance.render.page import Look, Paper
    from surveillance.reporting import Request, report_subjects

    del debug  # read by main() before any command runs
    store = None if reads is None else open_store(reads, anchor=make_anchor(keys))
    trial, look = load_protocol(protocol), Look(lang.value, Paper(paper.value))
    try:
        if cohort:
            _cohort(results, subjects, store, look, trial.visits)
            return
        request = Request(
            results=results,
            images=tuple(images or ()),
            protocol=trial,
            look=look,
            subjects=tuple(subject or ()),
            visits=tuple(name.upper() for name in visit or ()),
            reads=None if store is None else LockedReads(store),
        )
        for done in report_subjects(request):
            _tell(done, results)
    finally:
        if store is not None:
            store.close()


def _cohort(
    results: Path,
    subjects: Path | None,
    store: Store | None,
    look: Look,
    windows: VisitWindows,
) -> None:
    from imaging.messages import text
    from readers.actor import SYSTEM
    from readers.agreement.report import report as agreement_of
    from surveillance.cohort import load_allocations
    from surveillance.reporting import report_cohort

    allocations = {} if subjects is None else load_allocations(subjects)
    agreement = None if store is None else agreement_of(store, SYSTEM)
    made, files = report_cohort(results, allocations, agreement, look, windows)
    names = ", ".join(file.name for file in files)
    typer.echo(text("report.cohort_written", count=len(made.members), files=names))


def _tell(done: Reported, results: Path) -> None:
    from imaging.messages import text

    names = ", ".join(str(file.relative_to(results)) for file in done.files)
    typer.echo(text("report.written", subject=done.subject, files=names))
    if done.no_pictures:
        line = text("report.pictures_failed", subject=done.subject, reason=done.no_pictures)
        typer.echo(line, err=True)
