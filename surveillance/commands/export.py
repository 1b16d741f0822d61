"""`graftsite export`: what was read, for statisticians and archives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, DEFAULT_STORE, Debug, Keys, StoreUrl

export = typer.Typer(no_args_is_help=True, help="Write results in other people's formats.")


@export.callback()
def group() -> None:
    """Keep `reads` a word of its own while it is the only one."""


@export.command()
def reads(
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the files")],
    store: StoreUrl = DEFAULT_STORE,
    keys: Keys = DEFAULT_KEYS,
    debug: Debug = False,
) -> None:
    """Write every signed answer as CSV and JSON, with a data dictionary; no arm, no dose."""
    from imaging.messages import text
    from readers.anchor import make_anchor
    from readers.read_export import export_reads
    from readers.store import open_store
    from surveillance.exports.writing import write_text

    del debug  # read by main() before any command runs
    opened = open_store(store, anchor=make_anchor(keys))
    files = export_reads(opened)
    opened.close()
    for name, content in files.items():
        write_text(output / name, content)
    typer.echo(text("store.exported", files=len(files), folder=output))
