"""`graftsite inspect`: what is there, and why each series has its role."""

from __future__ import annotations

import typer

from surveillance.commands.options import Debug, Exit, Inputs, ProtocolFile


def inspect(inputs: Inputs, protocol: ProtocolFile = None, debug: Debug = False) -> None:
    """Show what is there: subjects, visits, series, each role and why; write nothing."""
    from imaging.protocol import load_protocol
    from surveillance.inspection import show

    del debug  # read by main() before any command runs
    found = show(tuple(inputs), load_protocol(protocol))
    raise typer.Exit(Exit.DONE if found else Exit.ALL_FAILED)
