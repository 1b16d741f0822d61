"""Archive: images that lie in a PACS; each subject's are pulled by whoever assesses them.

An address reads `pacs:NODE?subject=S01`; its keys are study, patient, subject and trial, each may
stand several times, and each asks by itself. They are written as in a web address (`%26` for `&`).
"""

from __future__ import annotations

import fcntl
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from urllib.parse import parse_qsl

from imaging.errors import NodeError, SubjectError, TransferError, UsageError
from imaging.loaders.dicom_header import MR_CLASSES
from surveillance.exports.writing import temporary_folder
from surveillance.pacs.configuration import Configuration, DimseAddress
from surveillance.pacs.node import Instance, Node, Query
from surveillance.pacs.pull import listing, pull
from surveillance.pacs.retry import Retry
from surveillance.pacs.stock import SUMS, opened

SCHEME = "pacs:"
KEYS = ("study", "patient", "subject", "trial")
PULLED = "graftsite-pulled-"
"""How the names of temporary folders begin that hold a subject's images while it is assessed."""
YOUNG_S = 60.0
"""A folder so young may be one whose owner has not locked it yet."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What a query finds on one node of the configuration; MR images, and nothing else of it."""

    node: str
    query: Query
    configuration: Configuration = field(repr=False)

    @property
    def name(self) -> str:
        """How it is spoken of, without what is asked for."""
        return f"{SCHEME}{self.node}"

    @property
    def connection(self) -> Node:
        """The node itself."""
        # The libraries of DICOM's network take a second that other batches need not wait.
        from surveillance.pacs.connection import node_named  # noqa: PLC0415

        return node_named(self.node, self.configuration)

    @property
    def moves(self) -> bool:
        """Whether its images come by C-MOVE, to the one port that it knows of us."""
        address = self.configuration.address_of(self.node)
        return isinstance(address, DimseAddress) and address.retrieve == "move"

    def people(self) -> dict[str, Archive]:
        """Return of each subject that the query finds the archive of its studies alone.

        Raises
        ------
        TransferError, NodeError
            The node cannot be reached; it refuses.
        """
        studies = defaultdict(list)
        for study, subject in self._patient.until_done(self._whose).items():
            studies[subject].append(study)
        return {
            subject: replace(self, query=Query(studies=tuple(found)))
            for subject, found in sorted(studies.items())
        }

    def listed(self) -> tuple[Instance, ...]:
        """Return all images that there are, sorted; nothing is fetched.

        Raises
        ------
        TransferError, NodeError
            The node cannot be reached; it refuses.
        """
        return listing(self.connection, self.query, self._patient, MR_CLASSES)

    def state(self) -> list[str]:
        """Return what changes when an image is added or goes.

        Raises
        ------
        TransferError
            The node cannot be reached.
        """
        try:
            return [self.node, *(one.sop for one in self.listed())]
        except TransferError:
            raise
        except NodeError as error:
            return [self.node, error.code]

    @contextmanager
    def pulled(self) -> Iterator[tuple[Path, tuple[Instance, ...]]]:
        """Hold all images in a temporary folder; give it, and what is in it.

        Raises
        ------
        SubjectError
            Some did not arrive whole, or there are ever more of them.
        TransferError, NodeError
            The node cannot be reached; it refuses.
        OutputError
            The temporary folder cannot be written.
        """
        remove_abandoned()
        with temporary_folder(PULLED) as place, opened(place) as stock:
            result = pull(self.connection, self.query, stock, self._patient, MR_CLASSES)
            if result.missing or result.growing:
                raise SubjectError(
                    "archive_incomplete", archive=self.name, missing=len(result.missing)
                )
            yield place, result.listed

    def named(self, said: str) -> str:
        """Return a text that speaks of the archive where it spoke of the temporary folder."""
        return re.sub(rf"{re.escape(gettempdir())}/{PULLED}\w+", self.name, said)

    def _whose(self) -> dict[str, str]:
        return dict(self.connection.whose(self.query))

    @property
    def _patient(self) -> Retry:
        return Retry(self.configuration.retry, time.sleep, _tell)


def is_address(source: str) -> bool:
    """Whether a source names an archive and no path."""
    return source.startswith(SCHEME)


def archive_at(address: str, configuration: Configuration | None) -> Archive:
    """Return the archive at an address; nothing is asked yet.

    Raises
    ------
    UsageError
        There is no configuration, no such node, or no proper query; its values are not repeated.
    """
    node, _, asked = address.removeprefix(SCHEME).partition("?")
    if configuration is None:
        raise UsageError("archive_configuration", node=node)
    configuration.address_of(node)
    values = defaultdict(list)
    for key, value in parse_qsl(asked, keep_blank_values=True):
        values[key].append(value)
    if not set(values) <= set(KEYS):
        raise UsageError("archive_query", node=node, keys=", ".join(KEYS))
    return Archive(node, Query(*(tuple(values[key]) for key in KEYS)).checked(), configuration)


def remove_abandoned() -> None:
    """Remove the images that killed processes left here: the living hold a lock on theirs."""
    for sums in Path(gettempdir()).glob(f"{PULLED}*/{SUMS}"):
        with suppress(OSError), sums.open("rb") as file:
            if sums.stat().st_mtime < time.time() - YOUNG_S:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                rmtree(sums.parent, ignore_errors=True)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)
