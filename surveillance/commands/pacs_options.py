"""Options that the commands for archives share, and how they speak to the user."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from surveillance.pacs.configuration import RetryPolicy
    from surveillance.pacs.retry import Retry

NodeName = Annotated[str, typer.Argument(metavar="NODE", help="a node of the configuration file")]
ConfigurationFile = Annotated[
    Path, typer.Option("--config", envvar="GRAFTSITE_CONFIG", help="nodes and passwords (TOML)")
]


def patient_retry(policy: RetryPolicy) -> Retry:
    """Return the retry that sleeps for real and tells the user on stderr."""
    from surveillance.pacs.retry import Retry

    return Retry(policy, time.sleep, lambda sentence: typer.echo(sentence, err=True))
