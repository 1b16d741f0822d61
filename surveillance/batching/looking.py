"""Looking: the one subject that is to be in the places named for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imaging.errors import SubjectError
from imaging.loaders import find_series
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.visit import Subject
from imaging.visits import arrange


def look_for(name: str, places: Sequence[Path], protocol: Protocol) -> Subject:
    """Return the one subject whose images lie in some files and folders, under the name given.

    Raises
    ------
    SubjectError
        A place does not exist; there is nobody, or are several people; the images state another
        trial subject.
    """
    for path in places:
        if not path.exists():
            raise SubjectError("manifest_path", subject=name, path=path)
    inventory = find_series(places, protocol)
    arrangement = arrange(inventory.series, protocol)
    refusals = (*arrangement.refusals, *inventory.refusals)
    if not arrangement.subjects:
        why = refusals[0].message if refusals else text("pacs.nothing_found")
        raise SubjectError("manifest_nobody", subject=name, detail=why)
    if len(arrangement.subjects) > 1:
        raise SubjectError("manifest_people", subject=name, count=len(arrangement.subjects))
    (subject,) = arrangement.subjects
    if subject.id != name and _states_its_name(subject):
        raise SubjectError("manifest_other", subject=name, found=subject.id)
    return replace(subject, id=name)


def _states_its_name(subject: Subject) -> bool:
    """Whether the images carry the trial's own subject ID, and not only a hospital's number."""
    series = (s for v in subject.visits for s in (v.t2w_fs, v.t1w_fs, *v.supporting) if s)
    people = {one.info.identity for one in series}
    return any(who.patient is not None and who.subject != who.patient for who in people)
