"""The `graftsite` command: arguments in, exit codes out; the work is done elsewhere.

Heavy imports wait inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
import warnings
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from surveillance.batch import Outcome

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="MRI graft-site assessment. Research use: a radiologist's read stands above every value.",
)

Inputs = Annotated[
    list[Path], typer.Argument(help="folders, DICOM files, DICOMDIR, ZIP archives, NIfTI files")
]
ProtocolFile = Annotated[
    Path | None, typer.Option("--protocol", help="thresholds (TOML); default: the trial's own")
]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    USAGE = 2
    SOME_FAILED = 3
    ALL_FAILED = 4
    INTERRUPTED = 130


@app.command()
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
        typer.Option("--graft-mask", metavar="VISIT:FILE", help="a mask of the graft, NIfTI"),
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


@app.command()
def inspect(inputs: Inputs, protocol: ProtocolFile = None, debug: Debug = False) -> None:
    """Show what is there: subjects, visits, series, each role and why; write nothing."""
    from imaging.protocol import load_protocol
    from surveillance.inspection import show

    del debug  # read by main() before any command runs
    found = show(tuple(inputs), load_protocol(protocol))
    raise typer.Exit(Exit.DONE if found else Exit.ALL_FAILED)


@app.command()
def schema() -> None:
    """Print the JSON Schema of assessment.json."""
    import json

    from surveillance.exports.contract import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def main() -> None:
    """Run the command line; a user never meets a traceback unless with --debug."""
    from imaging.errors import GraftsiteError

    debug = "--debug" in sys.argv
    if not debug:
        warnings.simplefilter("ignore")
    try:
        app()
    except GraftsiteError as error:
        if debug:
            raise
        typer.echo(f"graftsite: {error}", err=True)
        sys.exit(Exit.USAGE)
