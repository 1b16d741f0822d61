"""`graftsite restore`: a backup into an empty database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, DEFAULT_STORE, Debug, Keys, StoreUrl


def restore(
    file: Annotated[Path, typer.Argument(help="a file that `graftsite backup` wrote")],
    reason: Annotated[str, typer.Option("--reason", help="why, for the audit trail")],
    store: StoreUrl = DEFAULT_STORE,
    keys: Keys = DEFAULT_KEYS,
    debug: Debug = False,
) -> None:
    """Put a backup into an empty database, of either kind."""
    from imaging.messages import text
    from readers.anchor import make_anchor
    from readers.backup import restore as restored

    del debug  # read by main() before any command runs
    entries = restored(file, store, reason=reason, anchor=make_anchor(keys))
    typer.echo(text("store.restored", file=file, entries=entries))
