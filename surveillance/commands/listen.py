"""`graftsite listen`: studies in from an archive, results back to it."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from surveillance.commands.options import Debug
from surveillance.commands.pacs_options import patient_retry


def listen(
    config: Annotated[Path, typer.Argument(help="nodes, passwords and [listen] (TOML)")],
    debug: Debug = False,
) -> None:
    """Receive studies, assess each when it is complete, send results back; until interrupted."""
    from imaging.errors import ConfigurationError
    from imaging.protocol import load_protocol
    from surveillance.pacs.configuration import load_configuration
    from surveillance.pacs.listener import listen as run
    from surveillance.pacs.reply import Reply
    from surveillance.render.page import Look, Paper

    del debug  # read by main() before any command runs
    configuration = load_configuration(config)
    settings = configuration.listen
    if settings is None:
        raise ConfigurationError("config_keys", file=config, problems="listen: it is missing")
    protocol, retry = load_protocol(settings.protocol), patient_retry(configuration.retry)
    reply = Reply(protocol, Look(settings.language, Paper(settings.paper)), retry.tell)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a service manager stops it
    run(configuration, settings, time.monotonic, retry, reply, protocol)
