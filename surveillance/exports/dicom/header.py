"""Header: the patient and study that an image carries, legible and within DICOM's lengths.

Nothing is added to what the source carries. Control characters are replaced, over-long values
cut, values that are none of their kind (a date that is no date) left out: a viewer or report that
shows them must not be broken by a header from outside. Markup stays text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time

from pydicom import Dataset
from pydicom.datadict import dictionary_VM, dictionary_VR

from imaging.loaders.attributes import day, items, number, printable, word, words

PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "PatientAge", "PatientSize", "PatientWeight",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID", "ClinicalTrialSiteName", "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription", "LongitudinalTemporalOffsetFromEvent",
    "LongitudinalTemporalEventType",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription",
    "AccessionNumber", "ReferringPhysicianName", "LongitudinalTemporalInformationModified",
)  # fmt: skip
_REQUIRED = dict.fromkeys(
    (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
        "StudyID", "AccessionNumber", "ReferringPhysicianName",
    ),
    "",
)  # fmt: skip
"""Type 2: present, empty when not known."""
_UNKNOWN = "UNKNOWN"
_TRIAL_SUBJECT = {
    "ClinicalTrialSponsorName": _UNKNOWN,
    "ClinicalTrialProtocolID": _UNKNOWN,
    "ClinicalTrialProtocolName": "",
    "ClinicalTrialSiteID": "",
    "ClinicalTrialSiteName": "",
}
_TRIAL_STUDY = ("ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription")
_TRIAL_NAMES = ("ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID")
_LENGTH = {"LO": 64, "PN": 64, "SH": 16, "CS": 16, "AS": 4, "ST": 1024, "UI": 64, "UT": 1024}
_CODE_STRING = re.compile(r"[A-Z0-9 _]+")
_AGE = re.compile(r"\d{3}[DWMY]")
_ENUMERATED = {
    "PatientSex": {"M", "F", "O"},
    "PatientIdentityRemoved": {"YES", "NO"},
    "LongitudinalTemporalInformationModified": {"UNMODIFIED", "MODIFIED", "REMOVED"},
}
_CODE_ITEM = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
_TIME = re.compile(r"(\d\d)(\d\d)?(\d\d)?(\.\d{1,6})?")
UTF_8 = "ISO_IR 192"
_CUT = "..."


def patient_and_study(source: Dataset) -> Dataset:
    """Return the patient and study attributes of `source`, in UTF-8."""
    header = Dataset()
    header.SpecificCharacterSet = UTF_8
    found = {keyword: _value(source, keyword) for keyword in PATIENT_AND_STUDY}
    found = {keyword: value for keyword, value in found.items() if value is not None}
    for keyword, value in {**_REQUIRED, **_modules_require(found), **found}.items():
        setattr(header, keyword, value)
    return header


def legible(text: str, length: int) -> str:
    """Return one value of plain text: no control character or separator, cut to `length` bytes.

    DICOM counts characters; some receivers, and dciodvfy, count bytes of UTF-8.
    """
    plain = " ".join(printable(text.replace("\\", "/")).split()).encode()
    if len(plain) <= length:
        return plain.decode()
    return plain[: length - len(_CUT)].decode(errors="ignore") + _CUT


def _value(source: Dataset, keyword: str) -> object:
    vr = dictionary_VR(keyword)
    if vr == "SQ":
        return [_code(item) for item in items(source, keyword)] or None
    if vr in ("DS", "FD"):
        return number(source, keyword)
    if vr == "DA":
        found = day(source, keyword)
        return found.strftime("%Y%m%d") if found else None
    if vr == "TM":
        return _time(word(source, keyword) or "")
    allowed = _ENUMERATED.get(keyword)
    written = (_text(text, vr) for text in words(source, keyword))
    texts = [text for text in written if text and (allowed is None or text in allowed)]
    if not texts:
        return None
    return texts if dictionary_VM(keyword) == "1-n" else legible("/".join(texts), _LENGTH[vr])


def _modules_require(found: Mapping[str, object]) -> dict[str, str]:
    """Return what DICOM demands once the source holds part of a trial module, or was cleaned."""
    needed: dict[str, str] = {}
    cleaned = found.get("PatientIdentityRemoved") == "YES"
    if cleaned and "DeidentificationMethodCodeSequence" not in found:
        needed["DeidentificationMethod"] = _UNKNOWN
    if any(keyword in found for keyword in (*_TRIAL_SUBJECT, *_TRIAL_NAMES)):
        needed |= _TRIAL_SUBJECT
        if not any(keyword in found for keyword in _TRIAL_NAMES):
            needed["ClinicalTrialSubjectReadingID"] = _UNKNOWN
    if any(keyword in found for keyword in _TRIAL_STUDY):
        needed["ClinicalTrialTimePointID"] = ""
    return needed


def _text(text: str, vr: str) -> str | None:
    if (vr == "CS" and not _CODE_STRING.fullmatch(text)) or (
        vr == "AS" and not _AGE.fullmatch(text)
    ):
        return None
    if vr == "PN":  # alphabetic, ideographic and phonetic form, each of its own length
        return "=".join(legible(form, _LENGTH[vr]) for form in text.split("=")[:3])
    return legible(text, _LENGTH[vr])


def _time(text: str) -> str | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        hour, minute, second = (int(part or 0) for part in found.groups()[:3])
        time(hour, minute, second)
    except ValueError:
        return None
    return text


def _code(item: Dataset) -> Dataset:
    code = Dataset()
    for keyword in _CODE_ITEM:
        setattr(code, keyword, _value(item, keyword) or "")
    return code
