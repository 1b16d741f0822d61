"""`graftsite export cdisc`: the reads of a graft as SDTM datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import DEFAULT_KEYS, Debug, Keys


def cdisc(
    results: Annotated[Path, typer.Argument(help="folder that `graftsite assess` wrote")],
    to: Annotated[Path, typer.Option("--to", help="folder for the datasets and define.xml")],
    subject: Annotated[
        list[str] | None, typer.Option("--subject", help="only this subject; may be repeated")
    ] = None,
    reads: Annotated[
        str | None,
        typer.Option("--reads", help="address of the store of reads: adds locked answers"),
    ] = None,
    keys: Keys = DEFAULT_KEYS,
    debug: Debug = False,
) -> None:
    """Write SDTM domains TU, TR and RS as XPT and Dataset-JSON, with define.xml."""
    from imaging.messages import text
    from readers.anchor import make_anchor
    from readers.store import open_store
    from surveillance.exports.cdisc.export import Request, export
    from surveillance.locked_reads import LockedReads

    del debug  # read by main() before any command runs
    store = None if reads is None else open_store(reads, anchor=make_anchor(keys))
    try:
        locked = None if store is None else LockedReads(store)
        made = export(Request(results, to, tuple(subject or ()), locked))
    finally:
        if store is not None:
            store.close()
    for dataset in made:
        name, count = dataset.domain.name, len(dataset.rows)
        typer.echo(text("cdisc.written", dataset=name, records=count))
