"""`graftsite push`: files to an archive."""

from __future__ import annotations

import typer

from surveillance.commands.options import Debug, Exit, Inputs
from surveillance.commands.pacs_options import ConfigurationFile, NodeName, patient_retry


def push(
    node: NodeName,
    inputs: Inputs,
    config: ConfigurationFile,
    debug: Debug = False,
) -> None:
    """Send DICOM files to an archive; a second call sends only what it has not got."""
    from imaging.messages import text
    from surveillance.pacs import push as pushing
    from surveillance.pacs.configuration import load_configuration
    from surveillance.pacs.connection import node_named
    from surveillance.pacs.parcel import find_parcels

    del debug  # read by main() before any command runs
    configuration = load_configuration(config)
    archive = node_named(node, configuration)
    parcels, refusals = find_parcels(inputs)
    for refusal in refusals:
        typer.echo(refusal.message, err=True)
    if not parcels:
        raise typer.Exit(Exit.ALL_FAILED)
    result = pushing.push(archive, parcels, patient_retry(configuration.retry))
    for parcel, why in result.refused:
        typer.echo(text("pacs.refused", file=parcel.file.name, node=node, why=why), err=True)
    typer.echo(text("pacs.pushed", node=node, sent=result.sent, before=result.there_before))
    raise typer.Exit(Exit.SOME_FAILED if result.refused else Exit.DONE)
