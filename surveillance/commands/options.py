"""Options: what several commands are given in the same words, and what the shell is told."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer

Inputs = Annotated[
    list[Path], typer.Argument(help="folders, DICOM files, DICOMDIR, ZIP archives, NIfTI files")
]
ProtocolFile = Annotated[
    Path | None, typer.Option("--protocol", help="thresholds (TOML); default: the trial's own")
]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    USAGE = 2
    SOME_FAILED = 3
    ALL_FAILED = 4
    NODE_FAILED = 5
    FLAGGED = 6
    INTERRUPTED = 130


ResultStore = Annotated[
    str,
    typer.Argument(metavar="STORE", help="store of results: folder, or s3://bucket/folder"),
]
StoreUrl = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="GRAFTSITE_STORE",
        help="where reads are kept: sqlite:///FILE or postgresql://USER@HOST/DATABASE",
    ),
]
Keys = Annotated[
    Path,
    typer.Option(
        "--keys",
        envvar="GRAFTSITE_KEYS",
        help="folder of the audit key and anchor: not beside the store, the server's alone",
    ),
]
DEFAULT_STORE = "sqlite:///graftsite-reads.sqlite"
DEFAULT_KEYS = Path("graftsite-keys")
