"""Cleaning: one dataset, sequences and all, freed of what could tell whose it is.

Table E.1-1 names what is known to identify. What it does not name is kept only where its form
leaves no room for a name: numbers, dates, UIDs (replaced), coded strings. Free text stays only
for the few attributes below. Whatever stays must be ASCII and hold no word that the headers of
the same person use as a name or number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydicom import DataElement, Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag

from surveillance.deidentification.dates import plain_time, shifted_date, shifted_date_time
from surveillance.deidentification.identifiers import Identifiers, element_at
from surveillance.deidentification.key import Key
from surveillance.deidentification.private import is_number, safe_private
from surveillance.deidentification.profile import Action, action_on, basic_action_on
from surveillance.deidentification.vocabulary import cleaned_description

STANDARD_ROOT = "1.2.840.10008."
REMOVED = "REMOVED"
GROUPS = {0x0008, 0x0010, 0x0012, 0x0018, 0x0020, 0x0028, 0x0040, 0x2050, 0x5200, 0x7FE0}
"""Groups that describe images; of others an image needs nothing."""
BINARY_NUMBERS = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"}
CODING_SCHEMES = {"DCM", "SCT", "SRT", "SNM3", "UCUM", "LN", "FMA", "RADLEX", "NCIt", "MDC"}
_CODED = re.compile(r"[A-Za-z0-9_ .+*/-]{0,16}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d{1,12}")
_CODE_VALUE = re.compile(r"[A-Za-z0-9.-]{1,16}")
_SEQUENCE_NAME = re.compile(r"[A-Za-z0-9_*./+%& -]{1,16}")


def _tags(names: str) -> frozenset[BaseTag]:
    return frozenset(Tag(tag_for_keyword(name) or 0) for name in names.split())


_EQUIPMENT_TEXT = _tags(
    "Manufacturer ManufacturerModelName SoftwareVersions SequenceName PulseSequenceName"
    " ImagedNucleus ResonantNucleus TransmitCoilName ReceiveCoilName TransmitCoilManufacturerName"
    " ReceiveCoilManufacturerName"
)
_BULK = _tags(
    "PixelData FloatPixelData DoubleFloatPixelData LUTData SmallestImagePixelValue"
    " RedPaletteColorLookupTableData GreenPaletteColorLookupTableData"
    " BluePaletteColorLookupTableData"
)
_CODE = _tags("CodeValue CodingSchemeDesignator CodeMeaning CodingSchemeVersion")
_PATIENT_ID = _tags("PatientID PatientName")
_SUBJECT_ID = _tags("ClinicalTrialSubjectID ClinicalTrialSubjectReadingID")
_CHARACTER_SET = _tags("SpecificCharacterSet")


@dataclass(frozen=True, slots=True)
class Cleaner:
    """All that a dataset is cleaned with.

    Parameters
    ----------
    patient_id
        What stands for Patient ID and name.
    keep_subject
        Whether the Clinical Trial Subject ID stays: it is a pseudonym already, of the trial's.
    """

    key: Key
    patient_id: str
    shift_days: int
    identifiers: Identifiers
    keep_subject: bool

    def clean(self, ds: Dataset) -> None:
        """Clean a dataset in place, at any depth."""
        private = safe_private(ds)
        for tag in list(ds.keys()):
            element = element_at(ds, tag)
            kept = None if element is None else self._cleaned(element, private)
            if kept is None:
                del ds[tag]
            else:
                ds[tag] = kept

    def _cleaned(self, element: DataElement, private: set[BaseTag]) -> DataElement | None:
        tag = element.tag
        if tag.is_private:
            keep = tag in private and (tag.is_private_creator or is_number(element))
            return element if keep else None
        if tag.element == 0 or tag.group not in GROUPS or tag in _CHARACTER_SET:
            return None
        if tag in _PATIENT_ID:
            return self._with(element, lambda _: self.patient_id)
        if tag in _SUBJECT_ID:
            return self._with(element, self._subject)
        action = action_on(tag, element.VR)
        if action is None:
            return self._by_form(element)
        return self._by_action(element, action)

    def _by_action(self, element: DataElement, action: Action) -> DataElement | None:
        how: dict[Action, Callable[[DataElement], DataElement | None]] = {
            Action.REMOVE: lambda _: None,
            Action.EMPTY: _empty,
            Action.DUMMY: _dummy,
            Action.SHIFT: self._shifted,
            Action.CLEAN: self._described,
            Action.NEW_UID: self._uids,
            Action.KEEP: self._device,
        }
        return how[action](element)

    def _described(self, element: DataElement) -> DataElement | None:
        kept = self._with(element, cleaned_description)
        if kept is not None or not _is_text(element):
            return kept
        return self._by_action(element, basic_action_on(element.tag))

    def _by_form(self, element: DataElement) -> DataElement | None:
        """Treat an attribute that the table does not name by what its VR can hold."""
        tag, vr = element.tag, element.VR
        if vr in {"SQ", "UI"}:
            return self._uids(element)
        if vr.split()[0] in BINARY_NUMBERS or tag in _BULK:  # "US or SS" where undecided
            return element
        change = self._code(tag) if tag in _CODE else self._text(tag, vr)
        return self._with(element, change) if change else None

    def _text(self, tag: BaseTag, vr: str) -> Callable[[str], str] | None:
        if tag in _EQUIPMENT_TEXT:
            return self._equipment
        form = {"CS": _CODED, "DS": _DECIMAL, "IS": _INTEGER}.get(vr)
        if form is None or tag.group == 0x0010:
            return None
        return lambda text: self._of_form(text, form, vr)

    def _with(self, element: DataElement, change: Callable[[str], str]) -> DataElement | None:
        """Return the element with each value changed; None when nothing is left of it."""
        values = [change(text) for text in _texts(element)]
        if not any(values):
            return None if _texts(element) and any(_texts(element)) else _empty(element)
        return DataElement(element.tag, element.VR, values if len(values) > 1 else values[0])

    def _of_form(self, text: str, form: re.Pattern[str], vr: str) -> str:
        plain = text.strip()
        if vr != "CS":
            return plain if form.fullmatch(plain) else ""
        # The place of a value among others means something, so a bad one is replaced, not left out.
        return plain if form.fullmatch(plain) and not self.identifiers.names(plain) else REMOVED

    def _equipment(self, text: str) -> str:
        plain = text.strip()
        is_plain = plain.isascii() and plain.isprintable()
        return plain if is_plain and not self.identifiers.names(plain) else ""

    def _device(self, element: DataElement) -> DataElement | None:
        if element.VR == "UI":
            named = any(map(self.identifiers.names, _texts(element)))
            return self._uids(element) if named else element
        if element.VR in {"DA", "DT", "TM"}:
            return self._shifted(element)
        return self._with(element, self._equipment) if _is_text(element) else None

    def _subject(self, text: str) -> str:
        return text if self.keep_subject else self.key.subject_id(text.strip())

    def _code(self, tag: BaseTag) -> Callable[[str], str]:
        if tag == Tag("CodingSchemeDesignator"):
            return lambda text: text if text in CODING_SCHEMES else "99REMOVED"
        if tag == Tag("CodeMeaning"):
            return lambda text: cleaned_description(text) or REMOVED
        return lambda text: (
            text if _CODE_VALUE.fullmatch(text) and not self.identifiers.names(text) else REMOVED
        )

    def _shifted(self, element: DataElement) -> DataElement | None:
        change: Callable[[str], str] = {
            "DA": lambda text: shifted_date(text, self.shift_days),
            "DT": lambda text: shifted_date_time(text, self.shift_days),
        }.get(element.VR, plain_time)
        return self._with(element, change) or _empty(element)

    def _uids(self, element: DataElement) -> DataElement | None:
        """Replace UIDs, in a sequence those of its items, where all else is cleaned too."""
        if element.VR != "SQ":
            return self._with(element, self.uid)
        for item in element.value or ():
            self.clean(item)
        return element

    def uid(self, original: str) -> str:
        """Return a UID's stand-in; those of the standard itself mean the same for everybody."""
        return original if original.startswith(STANDARD_ROOT) else self.key.uid(original)


_DUMMIES = {"AS": "000Y", "DS": "0", "IS": "0", "UR": "removed:"}


def _is_text(element: DataElement) -> bool:
    return element.VR in {
        "AE", "AS", "CS", "DS", "IS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT",
    }  # fmt: skip


def _texts(element: DataElement) -> list[str]:
    value = element.value
    if value is None or element.VM == 0:
        return []
    return [str(one) for one in value] if element.VM > 1 else [str(value)]


def _empty(element: DataElement) -> DataElement:
    return DataElement(element.tag, element.VR, [] if element.VR == "SQ" else None)


def _dummy(element: DataElement) -> DataElement | None:
    if not _is_text(element):
        return None  # no MR image needs a binary attribute or a sequence of those
    return DataElement(element.tag, element.VR, _DUMMIES.get(element.VR, REMOVED))


def texts_left(ds: Dataset) -> Iterable[tuple[BaseTag, str]]:
    """Yield every text of a cleaned dataset that is no UID and no number, at any depth."""
    for element in ds.iterall():
        if _is_text(element) and element.VR not in {"DS", "IS"}:
            yield from ((element.tag, text) for text in _texts(element))
