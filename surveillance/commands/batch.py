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
    from surveillance.batching.sources import Source
    from surveillance.pacs.configuration import Configuration


def batch(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="folders, archives, files, a manifest (.csv, .parquet), or pacs:NODE?subject=ID"
        ),
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
    patience_s: Annotated[
        float,
        typer.Option("--patience-s", min=0, help="how long a cluster may be without any worker"),
    ] = 600.0,
    config: Annotated[
        Path | None,
        typer.Option("--config", envvar="GRAFTSITE_CONFIG", help="nodes and passwords (TOML)"),
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
        source = source_of(sources, order.protocol, site, _configuration(config))
        _refuse_one_port(source, jobs if scheduler is None else None)
        reporter.refused(source.refusals)
        for refusal in source.lost:
            give_up(place, site, str(refusal.subject), refusal.code, refusal.message)
        with _pool(scheduler, jobs, memory_gb, patience_s) as pool:
            tally = run(source.units, order, place, pool, reporter, retry=retry)
        reporter.close(tally, store)
    raise typer.Exit(_exit_of(tally, source.whole))


def _configuration(file: Path | None) -> Configuration | None:
    from surveillance.pacs.configuration import load_configuration

    return None if file is None else load_configuration(file)


def _refuse_one_port(source: Source, jobs: int | None) -> None:
    """Refuse several workers, one of which alone could listen for what C-MOVE sends."""
    from imaging.errors import UsageError

    moving = {unit.archive.node for unit in source.units if unit.archive and unit.archive.moves}
    if moving and jobs != 1:
        raise UsageError("archive_moves", nodes=", ".join(sorted(moving)))


def _pool(
    scheduler: str | None, jobs: int, memory_gb: float, patience_s: float
) -> AbstractContextManager[Pool]:
    from surveillance.batching.pool import cluster_pool, local_pool

    if scheduler is None:
        return local_pool(jobs, memory_gb)
    return cluster_pool(scheduler, patience_s)


def _exit_of(tally: Tally, whole: bool) -> Exit:
    if tally.interrupted:
        return Exit.INTERRUPTED
    if not tally.assessed:
        return Exit.ALL_FAILED
    return Exit.SOME_FAILED if tally.unseen or not whole else Exit.DONE
