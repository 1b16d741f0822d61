"""`graftsite assess`: series in, endpoint findings out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, Exit, Inputs, ProtocolFile

if TYPE_CHECKING:
    from surveillance.batch import Outcome


def assess(
    inputs: Inputs,
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the results")],
    protocol: ProtocolFile = None,
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="only this subject; may be repeated")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="subjects at a time")] = 1,
    seed_point: Annotated[
        list[str] | None,
        typer.Option("--seed-point", metavar="VISIT:X,Y,Z", help="a point in the graft, LPS mm"),
    ] = None,
    graft_mask: Annotated[
        list[str] | None,
        typer.Option(
            "--graft-mask",
            metavar="VISIT:FILE[#REGION]",
            help="a mask of the graft: DICOM SEG or RTSTRUCT (region by number or label), or NIfTI",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="print errors only")] = False,
    debug: Debug = False,
) -> None:
    """Assess every subject found: series in, endpoint findings out."""
    from imaging.protocol import load_protocol
    from surveillance.batch import Request, run
    from surveillance.guidance import parse_guidance
    from surveillance.summary import Reporter

    request = Request(
        inputs=tuple(inputs),
        output=output,
        protocol=load_protocol(protocol),
        subjects=tuple(subject or ()),
        guidance=parse_guidance(seed_point or (), graft_mask or ()),
        jobs=jobs,
        debug=debug,
    )
    with Reporter(quiet=quiet or as_json) as reporter:
        outcome = run(request, reporter)
        reporter.close(outcome, as_json=as_json)
    raise typer.Exit(_exit_of(outcome))


def _exit_of(outcome: Outcome) -> Exit:
    if outcome.interrupted:
        return Exit.INTERRUPTED
    if not outcome.assessed:
        return Exit.ALL_FAILED
    return Exit.SOME_FAILED if outcome.failed_subjects else Exit.DONE
