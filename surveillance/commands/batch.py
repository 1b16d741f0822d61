"""`graftsite batch`: thousands of subjects into one store of results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, Exit, ProtocolFile

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from surveillance.batching.pool import Pool
    from surveillance.batching.run import Tally


def batch(
    sources: Annotated[
        list[Path],
        typer.Argument(help="folders, archives, files, or a manifest (.csv, .parquet)"),
    ],
    store: Annotated[
        str,
        typer.Option("--output", "-o", metavar="STORE", help="folder, or s3://bucket/folder"),
    ],
    protocol: ProtocolFile = None,
    site: Annotated[
        str, typer.Option("--site", help="site of the subjects, where a manifest states none")
    ] = "unstated",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="local processes")] = 1,
    memory_gb: Annotated[
        float, typer.Option("--memory-gb", min=0.5, help="memory of each local process")
    ] = 4.0,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="an existing Dask cluster instead"),
    ] = None,
    reports: Annotated[
        str | None, typer.Option("--reports", metavar="LANG", help="reports too, in en or zh")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="try again what was set aside")] = False,
    debug: Debug = False,
) -> None:
    """Assess what is new or changed, and keep results, commits and the cohort table in a store."""
    from imaging.protocol import load_protocol
    from surveillance.batching.progress import Reporter
    from surveillance.batching.run import run
    from surveillance.batching.sources import source_of
    from surveillance.batching.unit import Order, ordered
    from surveillance.results.aside import give_up
    from surveillance.results.place import prepared

    del debug  # read by main() before any command runs
    order = ordered(Order(store, load_protocol(protocol), reports))
    place = prepared(order.store)
    with Reporter() as reporter:
        source = source_of(sources, order.protocol, site)
        reporter.refused(source.refusals)
        for refusal in source.lost:
            give_up(place, site, str(refusal.subject), refusal.code, refusal.message)
        with _pool(scheduler, jobs, memory_gb) as pool:
            tally = run(source.units, order, place, pool, reporter, retry=retry)
        reporter.close(tally, store)
    raise typer.Exit(_exit_of(tally, bool(source.lost)))


def _pool(scheduler: str | None, jobs: int, memory_gb: float) -> AbstractContextManager[Pool]:
    from surveillance.batching.pool import cluster_pool, local_pool

    return local_pool(jobs, memory_gb) if scheduler is None else cluster_pool(scheduler)


def _exit_of(tally: Tally, refused: bool) -> Exit:
    if tally.interrupted:
        return Exit.INTERRUPTED
    if not tally.assessed:
        return Exit.ALL_FAILED
    return Exit.SOME_FAILED if tally.unseen or refused else Exit.DONE
