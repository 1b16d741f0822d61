"""Plan: all that is decided before the first image is written.

So the key that knows everybody can be saved first: images without it could never be joined by
later visits of the same people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging.errors import DeidentificationError, FileError, UsageError
from imaging.loaders.files import InputFile, walk
from imaging.loaders.refusal import Refusal, refuse
from surveillance.deidentification.cleaning import Cleaner
from surveillance.deidentification.key import Key
from surveillance.deidentification.survey import Group, Surveyed, groups_of, survey


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may decide.

    Parameters
    ----------
    keep_subject
        The Clinical Trial Subject ID stays as it is.
    pixels_reviewed
        A person has looked at the images and saw no text in them.
    """

    keep_subject: bool = False
    pixels_reviewed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done: each file with what cleans it; and a line for all that is left out."""

    key: Key
    work: tuple[tuple[Surveyed, Cleaner], ...]
    people: int
    refusals: tuple[Refusal, ...]


def check_places(inputs: Sequence[Path], output: Path, key_file: Path) -> None:
    """Refuse places that would mix what must stay apart.

    Raises
    ------
    UsageError
        The key would lie among the images, or images without and with people in one folder.
    """
    target = output.resolve()
    if key_file.resolve().is_relative_to(target):
        raise UsageError("key_among_images", key=key_file, folder=output)
    for path in inputs:
        if not path.exists():
            raise UsageError("no_such_input", path=path)
        source = path.resolve()
        if target.is_relative_to(source) or source.is_relative_to(target):
            raise UsageError("deidentify_mixed", input=path, folder=output)


def plan(inputs: Sequence[Path], key: Key, options: Options) -> Plan:
    """Look at every file and decide whose it is; nothing is written.

    Inputs without any MR image give a plan without work.
    """
    found = walk(inputs)
    refusals = list(found.refusals)
    work: list[tuple[Surveyed, Cleaner]] = []
    people = 0
    for group in groups_of(_surveyed(found.files, options, refusals)):
        try:
            key, cleaners = _prepared(group, key, options)
        except DeidentificationError as error:
            refusals.append(refuse(error, [one.file.name for one in group.files]))
            continue
        people += 1
        work += [(one, cleaners[one.patient_id]) for one in group.files]
    return Plan(key, tuple(work), people, tuple(refusals))


def _surveyed(
    files: Sequence[InputFile], options: Options, refusals: list[Refusal]
) -> Iterator[Surveyed]:
    for file in files:
        try:
            yield survey(file, pixels_reviewed=options.pixels_reviewed)
        except FileError as error:
            refusals.append(refuse(error, [file.name]))


def _prepared(group: Group, key: Key, options: Options) -> tuple[Key, dict[str, Cleaner]]:
    """Return the key that knows the person, and a cleaner for each Patient ID they had.

    Raises
    ------
    DeidentificationError
        The files are of two people.
    """
    if not group.is_one_person:
        raise DeidentificationError("people_mixed", file=group.files[0].file.name)
    key, person = key.met(group.patient_ids, group.subject_ids)
    identifiers = group.identifiers
    cleaners = {
        patient_id: Cleaner(
            key=key,
            patient_id=key.patient_id(patient_id) if patient_id else "",
            shift_days=person.shift_days,
            identifiers=identifiers,
            keep_subject=options.keep_subject,
        )
        for patient_id in {one.patient_id for one in group.files}
    }
    return key, cleaners
