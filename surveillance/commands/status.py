"""`graftsite status`: what a store of results holds, what failed and why, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, ResultStore

if TYPE_CHECKING:
    from surveillance.results.summary import Status


def status(
    store: ResultStore,
    as_json: Annotated[bool, typer.Option("--json", help="print it as JSON")] = False,
    debug: Debug = False,
) -> None:
    """Say what a store of results holds: flags, subjects set aside, time and memory."""
    from surveillance.results.place import existing
    from surveillance.results.summary import status as status_of

    del debug  # read by main() before any command runs
    found = status_of(existing(store))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _tell(found)


def _tell(found: Status) -> None:
    from imaging.messages import text

    check, costs = found.check, found.costs
    typer.echo(text("batch.held", subjects=check.subjects, visits=check.visits))
    flags = ", ".join(f"{name} {count}" for name, count in check.flags.items())
    typer.echo(text("batch.flags", flags=flags, unseen=check.unseen))
    if costs is not None:
        typer.echo(text("batch.costs", **costs.model_dump()))
    for aside in check.set_aside:
        where = f"{aside.site} {aside.subject}"
        typer.echo(text("batch.aside", where=where, tries=aside.tries, message=aside.message))
    if not found.table_is_fresh:
        typer.echo(text("batch.table_old"))
