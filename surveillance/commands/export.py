"""`graftsite export`: results in the formats of others, one command a format."""

from __future__ import annotations

import typer

from surveillance.commands.export_dicom import dicom

export = typer.Typer(no_args_is_help=True, help="Write results in the formats of others.")
export.command()(dicom)


@export.callback()
def _formats() -> None:
    """Keep the format's name in the command line even while there is one format only."""
