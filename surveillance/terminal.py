"""Terminal: where tables are printed; a pipe or a log file is not 80 columns wide."""

from __future__ import annotations

from rich.console import Console

PIPED_WIDTH = 150


def wide_console(*, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, or wide where there is none to ask."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPED_WIDTH)
