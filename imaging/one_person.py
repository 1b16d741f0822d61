"""One person: whether the series put together under one subject can be of one patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from imaging.errors import SubjectError
from imaging.series import Identity, Series


def merged_identity(series: Sequence[Series]) -> list[Series]:
    """Give the series of one study one subject.

    A study belongs to one patient. Two Patient IDs in it are two spellings or two people;
    either way they are looked at together, and `conflict` decides.
    """
    subjects: dict[str, set[str]] = defaultdict(set)
    for one in series:
        identity = one.info.identity
        if identity.study_uid:
            subjects[identity.study_uid].add(identity.subject)
    return [_renamed(one, subjects) for one in series]


def _renamed(one: Series, subjects: dict[str, set[str]]) -> Series:
    identity = one.info.identity
    names = subjects.get(identity.study_uid or "", {identity.subject})
    if len(names) == 1:
        return one
    first = replace(identity, subject=min(names))
    return replace(one, info=replace(one.info, identity=first))


def conflict(subject: str, series: Sequence[Series]) -> SubjectError | None:
    """Return the error that says why the series cannot be of one person, None when they can.

    Different birth dates or sexes are two people. Two Patient IDs within one study are too,
    unless birth date and sex are known and equal; across studies a trial's own subject ID
    outranks a changed Patient ID.
    """
    people = {one.info.identity for one in series}
    for attribute in ("birth", "sex"):
        known = {getattr(identity, attribute) for identity in people} - {None}
        if len(known) > 1:
            return SubjectError("patient_mismatch", subject=subject, attribute=_NAMES[attribute])
    studies: dict[str, list[Identity]] = defaultdict(list)
    for identity in people:
        if identity.study_uid:
            studies[identity.study_uid].append(identity)
    if any(_unconfirmed(group) for group in studies.values()):
        return SubjectError("patient_mismatch", subject=subject, attribute=_NAMES["patient"])
    return None


_NAMES = {"birth": "birth date", "sex": "sex", "patient": "Patient ID"}


def _unconfirmed(group: Sequence[Identity]) -> bool:
    patients = {identity.patient for identity in group}
    known = all(identity.birth and identity.sex for identity in group)
    return len(patients) > 1 and not known
