"""Sources: from what was given to units of work, and what belongs to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging.errors import UsageError
from imaging.loaders import Refusal
from imaging.loaders.identity import safe_name
from imaging.messages import text
from imaging.protocol import Protocol
from surveillance.batch import find_subjects
from surveillance.batching.archive import Archive, archive_at, is_address
from surveillance.batching.manifest import is_manifest, load_manifest
from surveillance.batching.unit import Unit
from surveillance.pacs.configuration import Configuration

NOTHING_FOUND = "nothing_found"


@dataclass(frozen=True, slots=True)
class Source:
    """All units of work in a fixed order, and what could not be given to a subject."""

    units: tuple[Unit, ...]
    refusals: tuple[Refusal, ...]

    @property
    def lost(self) -> tuple[Refusal, ...]:
        """One refusal of each subject that is left with nothing to assess."""
        there = {unit.subject for unit in self.units}
        lost = {r.subject: r for r in reversed(self.refusals) if r.subject not in {*there, None}}
        return tuple(lost[name] for name in sorted(lost, key=str))

    @property
    def whole(self) -> bool:
        """Whether each subject has something to assess, and each archive had somebody."""
        return not self.lost and all(r.code != NOTHING_FOUND for r in self.refusals)


def source_of(
    inputs: Sequence[str | Path],
    protocol: Protocol,
    site: str,
    configuration: Configuration | None = None,
) -> Source:
    """Return the subjects of manifests and archives, and those found in folders and files.

    Headers of folders are read here, to tell subjects apart; an archive is asked whose studies it
    has; what a manifest names is looked at by whoever assesses it.

    Raises
    ------
    UsageError
        An input does not exist; a manifest or address is not of its form; a subject is given
        twice; the name of the site cannot be a folder's.
    TransferError, NodeError
        An archive cannot be reached; it refuses.
    """
    if safe_name(site) != site:
        raise UsageError("site_name", site=site[:40])
    archives = [archive_at(str(one), configuration) for one in inputs if is_address(str(one))]
    paths = [Path(one) for one in inputs if not is_address(str(one))]
    for path in paths:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
    manifests = [path for path in paths if is_manifest(path)]
    folders = tuple(path.absolute() for path in paths if not is_manifest(path))
    units = [unit for path in manifests for unit in _named(path, site, configuration)]
    units, refusals = _with_folders(units, folders, protocol, site)
    for archive in archives:
        people = archive.people()
        units += [Unit(site, name, (), archive=their) for name, their in people.items()]
        refusals += () if people else (_nobody(archive),)
    _refuse_twice(units)
    return Source(tuple(units), refusals)


def _with_folders(
    units: list[Unit], folders: tuple[Path, ...], protocol: Protocol, site: str
) -> tuple[list[Unit], tuple[Refusal, ...]]:
    if not folders:
        return units, ()
    subjects, refusals = find_subjects(folders, protocol)
    return [*units, *(Unit(site, one.id, folders, one) for one in subjects)], refusals


def _named(path: Path, site: str, configuration: Configuration | None) -> tuple[Unit, ...]:
    """Read a manifest; each archive that it names must take us, before any work is done."""
    units = load_manifest(path, site, configuration)
    nodes = {unit.archive.node: unit.archive for unit in units if unit.archive}
    for archive in nodes.values():
        archive.connection.echo()
    return units


def _nobody(archive: Archive) -> Refusal:
    return Refusal(archive.name, NOTHING_FOUND, f"{archive.name}: {text('pacs.nothing_found')}")


def _refuse_twice(units: Sequence[Unit]) -> None:
    for name, count in Counter(unit.name for unit in units).items():
        if count > 1:
            raise UsageError("subject_twice", site=name[0], subject=name[1])
