"""`graftsite deidentify`: images without their people."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surveillance.commands.options import Debug, Exit, Inputs

if TYPE_CHECKING:
    from surveillance.deidentification.deidentify import Deidentified

PASSPHRASE = "GRAFTSITE_KEY_PASSPHRASE"  # noqa: S105  (the variable's name)
PASSPHRASE_LENGTH_MIN = 12


class Subject(StrEnum):
    """What becomes of the Clinical Trial Subject ID."""

    REMAP = "remap"
    KEEP = "keep"


def deidentify(
    inputs: Inputs,
    to: Annotated[Path, typer.Option("--to", help="folder for the de-identified images")],
    key: Annotated[Path, typer.Option("--key", help="key file, made if absent; keep it apart")],
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", help=f"else ${PASSPHRASE}, else it is asked for"),
    ] = None,
    subject_id: Annotated[
        Subject, typer.Option("--subject-id", help="what becomes of the trial's subject number")
    ] = Subject.REMAP,
    pixels_reviewed: Annotated[
        bool, typer.Option("--pixels-reviewed", help="I looked: no text is burned into any image")
    ] = False,
    debug: Debug = False,
) -> None:
    """Remove identity by PS3.15's Basic Profile, keeping what measuring needs."""
    from surveillance.deidentification import deidentify as work
    from surveillance.deidentification.key import new_key
    from surveillance.deidentification.key_file import open_key, save_key
    from surveillance.deidentification.plan import Options, check_places, plan

    del debug  # read by main() before any command runs
    check_places(inputs, to, key)
    passphrase = _passphrase(passphrase_file, is_new=not key.exists())
    opened = open_key(key, passphrase) if key.exists() else new_key()
    options = Options(subject_id is Subject.KEEP, pixels_reviewed)
    planned = plan(inputs, opened, options)
    if planned.work:
        save_key(planned.key, key, passphrase)  # before the first image that needs it
    raise typer.Exit(_report(work.deidentify(planned, to, options), to, key))


def _passphrase(file: Path | None, *, is_new: bool) -> str:
    from imaging.errors import DeidentificationError
    from surveillance.pacs.secret import Secret

    if file is not None:
        found = Secret(file=file).reveal()
    else:
        found = os.environ.get(PASSPHRASE) or typer.prompt(
            "Passphrase of the key", hide_input=True, confirmation_prompt=is_new, err=True
        )
    if is_new and len(found) < PASSPHRASE_LENGTH_MIN:
        raise DeidentificationError("passphrase_short", length=PASSPHRASE_LENGTH_MIN)
    return found


def _report(result: Deidentified, to: Path, key: Path) -> Exit:
    from imaging.messages import text

    for refusal in result.refusals:
        typer.echo(refusal.message, err=True)
    for series in result.words_lost:
        typer.echo(text("deidentification.words_lost", series=series), err=True)
    if not result.written:
        return Exit.ALL_FAILED
    counts = {"images": result.written, "people": result.people}
    typer.echo(text("deidentification.done", **counts, folder=to, key=key))
    return Exit.SOME_FAILED if result.refusals else Exit.DONE
