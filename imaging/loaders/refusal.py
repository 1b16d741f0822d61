"""Refusal: something that was given and cannot be used, and the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imaging.errors import GraftsiteError
from imaging.loaders.attributes import printable


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line for the user: what, where, why, what to do.

    Parameters
    ----------
    source
        The file, folder or archive it is about.
    code
        Stable key of the reason, the same as an error's.
    message
        Sentence from the catalogue.
    subject, series
        Pseudonymous subject and SeriesInstanceUID where known.
    files
        Names of all files that are lost by it; empty when there is no file (an empty folder).
    """

    source: str
    code: str
    message: str
    subject: str | None = None
    series: str | None = None
    files: tuple[str, ...] = ()


def refuse(
    error: GraftsiteError,
    files: Iterable[str],
    source: str | None = None,
    subject: str | None = None,
    series: str | None = None,
) -> Refusal:
    """Turn an error into the line that reports it; `source` defaults to the first file."""
    names = tuple(sorted(files))
    message = printable(str(error))  # a file's own name may hold control characters
    return Refusal(source or names[0], error.code, message, subject, series, names)
