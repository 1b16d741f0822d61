"""`graftsite export dicom`: segmentation, structured report, key image and report as DICOM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import Debug, Exit, ProtocolFile


def dicom(
    results: Annotated[Path, typer.Argument(help="folder that `graftsite assess` wrote")],
    to: Annotated[Path, typer.Option("--to", help="folder for the DICOM files")],
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="what was assessed: DICOM folders, ZIPs; may be repeated"),
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="only this subject; may be repeated")
    ] = None,
    visit: Annotated[
        list[str] | None, typer.Option("--visit", help="only this visit; may be repeated")
    ] = None,
    labelmap: Annotated[
        bool, typer.Option("--labelmap", help="write the outlines as LABELMAP too")
    ] = False,
    protocol: ProtocolFile = None,
    debug: Debug = False,
) -> None:
    """Write SEG, SR, key image and encapsulated PDF of every assessed visit."""
    from imaging.messages import text
    from imaging.protocol import load_protocol
    from surveillance.exports.dicom.export import Request, export

    request = Request(
        results=results,
        output=to,
        images=tuple(images or ()),
        protocol=load_protocol(protocol),
        subjects=tuple(subject or ()),
        visits=tuple(name.upper() for name in visit or ()),
        labelmap=labelmap,
        debug=debug,
    )
    written = failed = 0
    for done in export(request):
        names = done.problem or ", ".join(path.name for path in done.files)
        line = text("dicom.written", subject=done.subject, visit=done.visit, files=names)
        typer.echo(line, err=done.problem is not None)
        written += done.problem is None
        failed += done.problem is not None
    if failed:
        raise typer.Exit(Exit.SOME_FAILED if written else Exit.ALL_FAILED)
