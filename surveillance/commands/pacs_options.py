"""Options that the commands for archives share, and how they speak to the user."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from surveillance.pacs.configuration import RetryPolicy
    from surveillance.pacs.node import Query
    from surveillance.pacs.retry import Retry

NodeName = Annotated[str, typer.Argument(metavar="NODE", help="a node of the configuration file")]
ConfigurationFile = Annotated[
    Path, typer.Option("--config", envvar="GRAFTSITE_CONFIG", help="nodes and passwords (TOML)")
]
_WILDCARDS = re.compile(r"[*?\\]|^\s*$")


def patient_retry(policy: RetryPolicy) -> Retry:
    """Return the retry that sleeps for real and tells the user on stderr."""
    from surveillance.pacs.retry import Retry

    return Retry(policy, time.sleep, lambda sentence: typer.echo(sentence, err=True))


def query_of(studies: list[str], patients: list[str], subjects: list[str]) -> Query:
    """Return the query that the options make.

    Raises
    ------
    UsageError
        Nothing is asked for, or a value holds a wildcard: nobody means to copy a whole archive.
    """
    from imaging.errors import UsageError
    from surveillance.pacs.node import Query, is_uid

    query = Query(tuple(studies), tuple(patients), tuple(subjects))
    if not query.questions():
        raise UsageError("query_empty")
    if any(_WILDCARDS.search(value) for _, value in query.questions()):
        raise UsageError("query_wildcard")
    if not all(map(is_uid, studies)):
        raise UsageError("query_uid")
    return query
