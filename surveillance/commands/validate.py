"""`graftsite validate`: made cases with known truth in, one page of reached accuracy out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, Exit, ProtocolFile

if TYPE_CHECKING:
    from surveillance.validation.row import Row


def validate(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder for the page, its numbers and pictures")
    ] = Path("validation_output"),
    full: Annotated[
        bool, typer.Option("--full/--quick", help="all cases (hours), or a few (minutes)")
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="analytic, simulated or real; may be repeated; default: all"),
    ] = None,
    only: Annotated[
        int | None, typer.Option("--only", min=1, help="so many cases of each kind")
    ] = None,
    seed: Annotated[
        bool, typer.Option("--seed/--no-seed", help="assess a second time with a seed point")
    ] = True,
    background: Annotated[
        list[Path] | None,
        typer.Option("--background", help="your own T2W-FS without a graft; may be repeated"),
    ] = None,
    outline: Annotated[
        list[Path] | None,
        typer.Option(
            "--outline", help="its rectus muscles: NIfTI, 1 left and 2 right, or polygons"
        ),
    ] = None,
    t1: Annotated[
        list[Path] | None,
        typer.Option("--t1", help="the T1W-FS of the same examination, if there is one"),
    ] = None,
    annotations: Annotated[
        Path, typer.Option("--annotations", help="outlines of public images (a checkout has them)")
    ] = Path("tests/annotations"),
    real_data: Annotated[
        Path,
        typer.Option("--real-data", envvar="GRAFTSITE_REAL_DATA", help="where those images are"),
    ] = Path("../shared/data"),
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="cases at a time")] = 2,
    protocol: ProtocolFile = None,
    debug: Debug = False,
) -> None:
    """Validate the program on made cases of known truth, on your own images too."""
    del debug  # main() reads it from the command line
    from imaging.messages import text
    from imaging.protocol import load_protocol
    from surveillance.validation.bench import Request, own_sources, public
    from surveillance.validation.bench import validate as run_bench
    from surveillance.validation.run import VARIANTS
    from surveillance.validation.tables import table_text

    own = own_sources(background or (), outline or (), t1 or ())
    request = Request(
        output=output,
        full=full,
        kinds=tuple(kind or ()),
        only=only,
        sources=own or public(annotations, real_data),
        variants=VARIANTS if seed else VARIANTS[:1],
        jobs=jobs,
    )
    summary, missing = run_bench(request, load_protocol(protocol), _told)
    typer.echo(table_text(summary.targets))
    typer.echo(output / "index.html")
    if missing:
        typer.echo(text("validation.missing", count=len(missing), first=missing[0]), err=True)
        raise typer.Exit(Exit.SOME_FAILED)


def _told(rows: tuple[Row, ...]) -> None:
    from surveillance.validation.bench import line

    for row in rows:
        typer.echo(line(row))
