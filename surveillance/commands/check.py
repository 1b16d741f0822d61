"""`graftsite check`: for schedulers, whether any subject of a store is flagged."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, Exit, ResultStore

if TYPE_CHECKING:
    from surveillance.results.summary import Checked


class FailOn(StrEnum):
    """The mildest flag that fails the check."""

    AMBER = "amber"
    RED = "red"


def check(
    store: ResultStore,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="this flag or worse")] = FailOn.RED,
    debug: Debug = False,
) -> None:
    """Print one JSON summary; exit 6 with a flag, 3 or 4 where some or all were not assessed."""
    from surveillance.results.place import existing
    from surveillance.results.summary import check as checked

    del debug  # read by main() before any command runs
    found = checked(existing(store), fail_on.value)
    typer.echo(found.model_dump_json(indent=2))
    raise typer.Exit(_exit_of(found))


def _exit_of(found: Checked) -> Exit:
    if found.flagged:
        return Exit.FLAGGED
    if found.unseen == found.subjects:
        return Exit.ALL_FAILED
    return Exit.SOME_FAILED if found.unseen or found.set_aside else Exit.DONE
