"""Commit: the one small record that makes a subject's results count, written after all of them.

Commits are numbered and stay; the highest number is what holds. No clock is asked, so one that
was set back changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from surveillance.errors import ResultsError
from surveillance.results.place import Entry, Place

COMMITS = "commits"
_NAME = re.compile(rf"{COMMITS}/(?P<site>[^/]+)/(?P<subject>[^/]+)/(?P<number>\d+)\.json")
READERS = 16
"""Small objects are waited for, not computed: many at a time."""


class Problem(BaseModel):
    """What was wrong with the images of one visit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    visit: str
    code: str
    message: str


class Commit(BaseModel):
    """One subject's committed results.

    Parameters
    ----------
    key
        SHA-256 of input files, protocol, options and program: the same key needs no second run.
    seen
        Whether any visit had a T2W-FS to look at.
    files
        SHA-256 of each object, by its name below `folder`.
    rows
        The subject's rows of the cohort table.
    peak_mb
        Largest resident memory of the process, which may have done other subjects before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal["1"] = "1"
    site: str
    subject: str
    key: str
    program_version: str
    protocol_sha256: str
    committed: datetime
    seen: bool
    wall_s: float
    cpu_s: float
    peak_mb: float
    files: dict[str, str]
    rows: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]

    @property
    def folder(self) -> str:
        """Where the objects lie."""
        return objects_of(self.site, self.subject, self.key)


def objects_of(site: str, subject: str, key: str) -> str:
    """Return the folder of one subject's objects made from one set of inputs."""
    return f"objects/{site}/{subject}/{key}"


def latest(place: Place, site: str, subject: str) -> tuple[int, Commit | None]:
    """Return the number and the content of the commit that holds; 0 and None without one."""
    entries = list(holding(place.entries(f"{COMMITS}/{site}/{subject}")))
    return (_number(entries[0]), _read(place, entries[0])) if entries else (0, None)


def save(place: Place, commit: Commit, number: int) -> None:
    """Make a subject's results count.

    Raises
    ------
    OutputError
        It cannot be written; the commit before it still holds.
    """
    name = f"{COMMITS}/{commit.site}/{commit.subject}/{number:06d}.json"
    place.write(name, (commit.model_dump_json(indent=1) + "\n").encode("utf-8"))


def holding(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield of each subject the commit with the highest number."""
    newest: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        match = _NAME.fullmatch(entry.name)
        if match is not None:
            who = match["site"], match["subject"]
            if who not in newest or _number(newest[who]) < int(match["number"]):
                newest[who] = entry
    return iter(newest.values())


def read_all(place: Place, entries: Iterable[Entry]) -> Iterator[Commit]:
    """Yield the commits of entries, in their order."""
    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(lambda entry: _read(place, entry), entries)


def fetch(place: Place, commit: Commit, name: str) -> bytes:
    """Return one object of a commit, as it was committed.

    Raises
    ------
    ResultsError
        It is not there, or its content is not what was committed.
    """
    path = f"{commit.folder}/{name}"
    try:
        same = place.digest_of(path) == commit.files[name]
    except (FileNotFoundError, KeyError):
        same = False
    if not same:
        raise ResultsError("results_altered", file=path)
    return place.read(path)


def _number(entry: Entry) -> int:
    return int(entry.name.rpartition("/")[2].removesuffix(".json"))


def _read(place: Place, entry: Entry) -> Commit:
    try:
        return Commit.model_validate_json(place.read(entry.name))
    except (FileNotFoundError, ValidationError) as error:
        raise ResultsError("results_altered", file=entry.name) from error
