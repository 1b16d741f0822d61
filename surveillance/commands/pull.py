"""`graftsite pull`: studies from an archive into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, Exit
from surveillance.commands.pacs_options import (
    ConfigurationFile,
    NodeName,
    patient_retry,
)

if TYPE_CHECKING:
    from surveillance.pacs.pull import Pulled


def pull(
    node: NodeName,
    config: ConfigurationFile,
    to: Annotated[Path, typer.Option("--to", help="folder for the images")],
    study: Annotated[
        list[str] | None, typer.Option("--study", help="Study Instance UID; may be repeated")
    ] = None,
    patient: Annotated[
        list[str] | None, typer.Option("--patient", help="Patient ID; may be repeated")
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="trial subject; may be repeated")
    ] = None,
    trial: Annotated[
        list[str] | None, typer.Option("--trial", help="trial protocol ID; may be repeated")
    ] = None,
    debug: Debug = False,
) -> None:
    """Fetch studies from an archive; a second call fetches only what is not there and whole."""
    from surveillance.pacs import pull as pulling
    from surveillance.pacs.configuration import load_configuration
    from surveillance.pacs.connection import node_named
    from surveillance.pacs.node import Query
    from surveillance.pacs.stock import opened

    del debug  # read by main() before any command runs
    asked = (tuple(values or ()) for values in (study, patient, subject, trial))
    query = Query(*asked).checked()
    configuration = load_configuration(config)
    archive = node_named(node, configuration)
    with opened(to) as stock:
        result = pulling.pull(archive, query, stock, patient_retry(configuration.retry))
    raise typer.Exit(_report(result, to))


def _report(result: Pulled, to: Path) -> Exit:
    from imaging.messages import text

    if not result.studies:
        typer.echo(text("pacs.nothing_found"), err=True)
        return Exit.ALL_FAILED
    typer.echo(
        text(
            "pacs.pulled",
            studies=result.studies,
            fetched=result.fetched,
            before=result.there_before,
            folder=to,
        )
    )
    for instance in result.missing:
        typer.echo(text("pacs.missing", instance=instance.sop), err=True)
    if result.growing:
        typer.echo(text("pacs.growing"), err=True)
    return Exit.SOME_FAILED if result.missing or result.growing else Exit.DONE
