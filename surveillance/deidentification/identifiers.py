"""Identifiers: the words by which the headers of someone's files name people and records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydicom import DataElement, Dataset

from imaging.loaders.attributes import day
from surveillance.deidentification.vocabulary import mri_words

_PARTS = re.compile(r"[\W_]+")
_NUMBERS = {
    "PatientID", "AccessionNumber", "OtherPatientIDs", "MedicalRecordLocator", "AdmissionID",
    "PatientTelephoneNumbers",
}  # fmt: skip
LENGTH_MIN = 3
"""Shorter words are parts of too many others; no free text that could hold them is kept."""
INSIDE_LENGTH_MIN = 5
"""Shorter ones are not looked for inside of other words: Mary is in PRIMARY."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Words in lower case, none of them a word of MRI (someone may be called Tse)."""

    words: frozenset[str] = frozenset()

    def names(self, text: str) -> bool:
        """Whether a text holds one of the words, alone or between other characters."""
        whole = text.lower()
        if not self.words.isdisjoint(_PARTS.split(whole)):
            return True
        return any(len(word) >= INSIDE_LENGTH_MIN and word in whole for word in self.words)

    def are_in(self, content: bytes) -> bool:
        """Whether bytes that are no text, such as a compressed image, hold one of the words."""
        plain = content.lower()
        return any(len(word) > INSIDE_LENGTH_MIN and word.encode() in plain for word in self.words)


def identifiers_in(ds: Dataset) -> Identifiers:
    """Return the words of all persons' names, the patient's numbers and birth date."""
    texts = list(_names_and_numbers(ds))
    words = {part.lower() for text in texts for part in _PARTS.split(text)}
    words |= {"".join(_PARTS.split(text)).lower() for text in texts}
    born = day(ds, "PatientBirthDate")
    if born:
        words |= {born.strftime(form) for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y")}
    known = {w for w in words if len(w) >= LENGTH_MIN and w.upper() not in mri_words()}
    return Identifiers(frozenset(known))


def _names_and_numbers(ds: Dataset) -> Iterator[str]:
    for element in elements_of(ds):
        if element.VR == "PN" or element.keyword in _NUMBERS:
            values = element.value if element.VM > 1 else [element.value]
            yield from (str(value) for value in values or ())


def elements_of(ds: Dataset) -> Iterator[DataElement]:
    """Yield the elements of a dataset and of all its sequences; what cannot be decoded is left."""
    for tag in list(ds.keys()):
        element = element_at(ds, tag)
        if element is None:
            continue
        yield element
        if element.VR == "SQ":
            for item in element.value or ():
                yield from elements_of(item)


def element_at(ds: Dataset, tag: int) -> DataElement | None:
    """Return an element decoded; None when its bytes make no sense."""
    try:
        element = ds[tag]
        _ = element.value, element.VM
    except Exception:  # noqa: BLE001  (pydicom decodes here and raises whatever the bytes provoke)
        return None
    return element


def joined(all_of: Iterable[Identifiers]) -> Identifiers:
    """Return the words of all."""
    return Identifiers(frozenset().union(*(one.words for one in all_of)))
