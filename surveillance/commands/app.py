"""`graftsite app`: the reading application."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, ProtocolFile

if TYPE_CHECKING:
    from surveillance.demonstration import Login
    from surveillance.station import Station


def app(
    results: Annotated[
        Path | None, typer.Option("--results", help="folder of `graftsite assess`: import it")
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="images of the results; without results they are assessed"),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="configuration (TOML)")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="folder of cases and reads")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535)] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="make demonstration accounts at the first start")
    ] = False,
    protocol: ProtocolFile = None,
    debug: Debug = False,
) -> None:
    """Serve the reading application; the first start with --images assesses them."""
    from imaging.errors import UsageError
    from imaging.messages import text
    from imaging.protocol import load_protocol
    from surveillance.configuration import changed, load_configuration
    from surveillance.demonstration import furnish
    from surveillance.station import import_results, open_station
    from surveillance.ui.server import serve

    del debug  # read by main() before any command runs
    if results is not None and not (results / "subjects").is_dir():
        raise UsageError("no_results", folder=results)
    configuration = changed(load_configuration(config), data=data, port=port)
    station = open_station(configuration, load_protocol(protocol))
    given = tuple(images or ())
    if results is None and given:
        results = _assessed(station, given)
    if results is not None:
        typer.echo(text("app.importing", results=results))
        import_results(station, results, given)
    if not station.library.subjects:
        typer.echo(text("app.no_cases"))
    if demo:
        _show(furnish(station))
    server = configuration.server
    scheme = "https" if server.certificate else "http"
    typer.echo(text("app.serving", url=f"{scheme}://{server.address}:{server.port}"))
    serve(station)


def _assessed(station: Station, images: tuple[Path, ...]) -> Path:
    """Assess images into the data folder; what is assessed already is not done again."""
    from imaging.messages import text
    from surveillance.batch import Request, run
    from surveillance.guidance import parse_guidance
    from surveillance.summary import Reporter

    folder = station.configuration.storage.data / "results"
    typer.echo(text("app.assessing"))
    request = Request(
        images, folder, station.protocol, (), parse_guidance((), ()), jobs=2, debug=False
    )
    with Reporter(quiet=False) as reporter:
        reporter.close(run(request, reporter), as_json=False)
    return folder


def _show(logins: tuple[Login, ...]) -> None:
    """Print the passwords, this once."""
    from imaging.messages import text

    if not logins:
        typer.echo(text("app.accounts_there"))
        return
    typer.echo(text("app.accounts"))
    for login in logins:
        typer.echo(f"    {login.name:<14} {login.password}   {login.role}")
