"""`graftsite export`: results in the formats of others, one command a format."""

from __future__ import annotations

import typer

from surveillance.commands.export_cdisc import cdisc
from surveillance.commands.export_dicom import dicom
from surveillance.commands.export_reads import reads

export = typer.Typer(no_args_is_help=True, help="Write results in the formats of others.")
for command in (dicom, reads, cdisc):
    export.command()(command)
