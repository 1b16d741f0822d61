"""`graftsite backup`: all reads, masks and the audit trail in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, DEFAULT_STORE, Debug, Keys, StoreUrl


def backup(
    file: Annotated[Path, typer.Argument(help="the file to write, a ZIP")],
    store: StoreUrl = DEFAULT_STORE,
    keys: Keys = DEFAULT_KEYS,
    debug: Debug = False,
) -> None:
    """Write the whole store into one file, from one consistent state, while people work."""
    from imaging.messages import text
    from readers.anchor import make_anchor
    from readers.backup import back_up
    from readers.store import open_store
    from surveillance.exports.writing import write_with

    del debug  # read by main() before any command runs
    opened = open_store(store, anchor=make_anchor(keys))
    entries: list[int] = []

    def write(temporary: Path) -> None:
        with temporary.open("wb") as target:
            entries.append(back_up(opened, target))

    write_with(file, write)
    file.chmod(0o600)  # it holds password hashes
    opened.close()
    typer.echo(text("store.backed_up", file=file, entries=entries[0]))
