"""`graftsite echo`: whether an archive is there and takes us for whom we say we are."""

from __future__ import annotations

import typer

from surveillance.commands.options import Debug
from surveillance.commands.pacs_options import ConfigurationFile, NodeName


def echo(node: NodeName, config: ConfigurationFile, debug: Debug = False) -> None:
    """Ask a node whether it is there: address, names, certificate and password, in one go."""
    from imaging.messages import text
    from surveillance.pacs.configuration import load_configuration
    from surveillance.pacs.connection import node_named

    del debug  # read by main() before any command runs
    node_named(node, load_configuration(config)).echo()
    typer.echo(text("pacs.echo", node=node))
