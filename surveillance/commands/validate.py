"""`graftsite validate`: made cases with known truth in, one page of reached accuracy out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import Debug, ProtocolFile


def validate(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="folder for the page, its figures' data and rows")
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
    background: Annotated[
        list[Path] | None,
        typer.Option("--background", help="your own image without a graft; may be repeated"),
    ] = None,
    outline: Annotated[
        list[Path] | None,
        typer.Option(
            "--outline", help="its rectus muscles: NIfTI, 1 left and 2 right, or polygons"
        ),
    ] = None,
    annotations: Annotated[
        Path, typer.Option("--annotations", help="folder of polygon files of public images")
    ] = Path("tests/annotations"),
    real_data: Annotated[
        Path,
        typer.Option("--real-data", envvar="GRAFTSITE_REAL_DATA", help="where those images are"),
    ] = Path("../shared/data"),
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="cases at a time")] = 2,
    protocol: ProtocolFile = None,
    debug: Debug = False,
) -> None:
    """Validate the program on made cases with known truth, on your own images too."""
    from imaging.protocol import load_protocol
    from surveillance.validation.bench import Bench
    from surveillance.validation.bench import validate as run_bench

    del debug  # read by main()
    run_bench(
        Bench(
            output=output,
            full=full,
            kinds=tuple(kind or ()),
            only=only,
            backgrounds=tuple(background or ()),
            outlines=tuple(outline or ()),
            annotations=annotations,
            real_data=real_data,
            jobs=jobs,
        ),
        load_protocol(protocol),
    )
