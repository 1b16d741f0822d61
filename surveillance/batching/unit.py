"""Unit: one subject, done as a whole or not at all; Order: what is to be done with every one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from imaging.errors import UsageError
from imaging.protocol import Protocol
from imaging.visit import Subject
from surveillance.batching.archive import Archive
from surveillance.fingerprint import digest, on_disk, program_version


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with every subject.

    Parameters
    ----------
    store
        Address of the store of results.
    reports
        Language of the reports to make; None for no reports.
    """

    store: str
    protocol: Protocol
    reports: str | None = None


def ordered(order: Order) -> Order:
    """Return an order that means the same wherever a worker runs.

    Raises
    ------
    UsageError
        There are no reports in that language.
    """
    if order.reports not in (None, "en", "zh"):
        raise UsageError("reports_language", language=order.reports)
    on_disk = "://" not in order.store
    return replace(order, store=str(Path(order.store).absolute())) if on_disk else order


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One subject of one site.

    Parameters
    ----------
    inputs
        Files and folders with its images.
    found
        The subject, where its images were told apart from others' already; None where they lie
        apart, and whoever assesses it looks for himself.
    archive
        Where they are pulled from instead of lying in `inputs`.
    """

    site: str
    subject: str
    inputs: tuple[Path, ...]
    found: Subject | None = None
    archive: Archive | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Site and subject: two sites may both have a subject 001."""
        return self.site, self.subject

    def stamp(self, order: Order) -> str:
        """Return what changes when a file, the protocol or the program does; nothing is opened.

        Raises
        ------
        TransferError
            The archive, which is asked what it has, cannot be reached.
        """
        parts = [program_version(), order.protocol.sha256, order.reports or ""]
        if self.archive is not None:
            return digest([*parts, *self.archive.state()])
        return digest([*parts, *sorted(map(_state, set(self._files())))])

    def _files(self) -> Iterator[Path]:
        if self.found is not None:
            for visit in self.found.visits:
                for series in (visit.t2w_fs, visit.t1w_fs, *visit.supporting):
                    yield from map(on_disk, series.files if series else ())
            return
        for given in self.inputs:
            yield from given.rglob("*") if given.is_dir() else (given,)


def _state(path: Path) -> str:
    try:
        state = path.stat()
    except OSError:
        return f"{path} gone"
    return f"{path} {state.st_size} {state.st_mtime_ns}"
