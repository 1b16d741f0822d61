"""`graftsite audit verify`: whether the audit trail is still what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, DEFAULT_STORE, Debug, Exit, Keys, StoreUrl

audit = typer.Typer(no_args_is_help=True, help="The audit trail of the reads.")


@audit.callback()
def group() -> None:
    """Keep `verify` a word of its own while it is the only one."""


@audit.command()
def verify(
    store: StoreUrl = DEFAULT_STORE,
    keys: Keys = DEFAULT_KEYS,
    anchor: Annotated[
        Path | None,
        typer.Option("--anchor", help="a copy of the anchor, kept where the server cannot write"),
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="the key to check it with: audit.pub")
    ] = None,
    debug: Debug = False,
) -> None:
    """Find any edit, deletion, reordering or cut of the trail, and of what it vouches for."""
    from imaging.messages import text
    from readers.anchor import ANCHOR_FILE, PUBLIC_FILE, load_anchored, load_public
    from readers.store import open_store
    from readers.verification import verify as verified

    del debug  # read by main() before any command runs
    anchor_file, key_file = anchor or keys / ANCHOR_FILE, public_key or keys / PUBLIC_FILE
    known = load_anchored(anchor_file, load_public(key_file)) if key_file.exists() else None
    opened = open_store(store)
    found = verified(opened, known)
    opened.close()
    for fault in found.faults:
        typer.echo(fault, err=True)
    if found.clock_set_back:
        typer.echo(text("audit.clock", times=found.clock_set_back))
    if found.anchored is None:
        said = text("audit.not_anchored")
    else:
        said = text("audit.anchored", anchored=found.anchored, unanchored=found.unanchored)
    if found.faults:
        raise typer.Exit(Exit.SOME_FAILED)
    typer.echo(
        text("audit.intact", entries=found.entries, signatures=found.signatures, anchor=said)
    )
