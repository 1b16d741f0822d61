"""`graftsite report`: reports for people, HTML and PDF, of subjects, visits and the cohort."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, Debug, Keys, ProtocolFile


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
    keys: Keys = DEFAULT_KEYS,
    protocol: ProtocolFile = None,
    debug: Debug = False,
) -> None:
    """Write report.html and report.pdf of each subject and visit, beside their results."""
    from imaging.messages import text
    from imaging.protocol import load_protocol
    from readers.anchor import make_anchor
    from readers.store import open_store
    from surveillance.locked_reads import LockedReads
    from surveillance.render.page import Look, Paper
    from surveillance.reporting import Request, report_subjects

    del debug  # read by main() before any command runs
    store = None if reads is None else open_store(reads, anchor=make_anchor(keys))
    request = Request(
        results=results,
        images=tuple(images or ()),
        protocol=load_protocol(protocol),
        look=Look(lang.value, Paper(paper.value)),
        subjects=tuple(subject or ()),
        visits=tuple(name.upper() for name in visit or ()),
        reads=None if store is None else LockedReads(store),
    )
    for done in report_subjects(request):
        names = ", ".join(str(file.relative_to(results)) for file in done.files)
        typer.echo(text("report.written", subject=done.subject, files=names))
        if done.no_pictures:
            line = text("report.pictures_failed", subject=done.subject, reason=done.no_pictures)
            typer.echo(line, err=True)
    if store is not None:
        store.close()
