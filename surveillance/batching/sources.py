"""Sources: from what was given to units of work, and what belongs to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging.errors import UsageError
from imaging.loaders import Refusal
from imaging.loaders.identity import safe_name
from imaging.protocol import Protocol
from surveillance.batch import find_subjects
from surveillance.batching.manifest import is_manifest, load_manifest
from surveillance.batching.unit import Unit

SITE = "unstated"


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


def source_of(inputs: Sequence[Path], protocol: Protocol, site: str) -> Source:
    """Return the subjects of manifests, and those found in folders, archives and files.

    Headers of folders are read here, to tell subjects apart; those of a manifest are read by
    whoever assesses them.

    Raises
    ------
    UsageError
        An input does not exist; a manifest is not of its form; a subject is given twice; the
        name of the site cannot be a folder's.
    """
    if safe_name(site) != site:
        raise UsageError("site_name", site=site[:40])
    for path in inputs:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
    units: list[Unit] = []
    for path in filter(is_manifest, inputs):
        units += load_manifest(path, site)
    folders = tuple(path.absolute() for path in inputs if not is_manifest(path))
    refusals: tuple[Refusal, ...] = ()
    if folders:
        subjects, refusals = find_subjects(folders, protocol)
        units += [Unit(site, subject.id, folders, subject) for subject in subjects]
    for name, count in Counter(unit.name for unit in units).items():
        if count > 1:
            raise UsageError("subject_twice", site=name[0], subject=name[1])
    return Source(tuple(units), refusals)
