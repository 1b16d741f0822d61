"""Identity: who and when, with every direct identifier replaced before anything else sees it."""

from __future__ import annotations

import hashlib
import re

from pydicom import Dataset

from imaging.loaders.attributes import day, number, word
from imaging.series import Identity

_PARTS = re.compile(r"[\W_]+")
_BETWEEN = re.compile(r"([\W_]+)")

PSEUDONYM_LENGTH = 12
"""48 bits in hexadecimal: two of a million patients collide with probability 0.002."""


def pseudonym(identifier: str, prefix: str = "P-") -> str:
    """Return a stable stand-in: equal for equal identifiers on every machine."""
    digest = hashlib.sha256(f"graftsite:{prefix}{identifier}".encode())
    return prefix + digest.hexdigest()[:PSEUDONYM_LENGTH]


def safe_name(text: str) -> str:
    """Return `text` as a folder name: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._") or "unnamed"


def identity_of(ds: Dataset) -> Identity:
    """Read the patient and clinical trial modules.

    Without a Patient ID, the study stands for the patient: two such studies are two subjects.
    """
    patient_id, birth = word(ds, "PatientID"), word(ds, "PatientBirthDate")
    study_uid = word(ds, "StudyInstanceUID")
    patient = pseudonym(patient_id) if patient_id else None
    trial_subject = word(ds, "ClinicalTrialSubjectID")
    sex = word(ds, "PatientSex")
    return Identity(
        subject=safe_name(trial_subject)
        if trial_subject
        else patient or pseudonym(study_uid or ""),
        patient=patient,
        birth=pseudonym(birth, "B-") if birth else None,
        sex=sex if sex in {"F", "M"} else None,
        study_uid=study_uid,
        study_date=day(ds, "StudyDate") or day(ds, "AcquisitionDate"),
        time_point=_time_point(ds),
        days_from_event=number(ds, "LongitudinalTemporalOffsetFromEvent"),
    )


def cleaned(description: str, ds: Dataset) -> str:
    """Return a free text without the words by which it names the patient.

    Operators write names into descriptions; PS3.15 calls leaving them out Clean Descriptors.
    Words of one or two letters stay: they are `FS` or `T2` far more often than initials.
    """
    known = (word(ds, name) or "" for name in ("PatientName", "PatientID", "PatientBirthDate"))
    names = {part.lower() for text in known for part in _PARTS.split(text) if len(part) > 2}
    kept = (part for part in _BETWEEN.split(description) if part.lower() not in names)
    return " ".join("".join(kept).split())


def _time_point(ds: Dataset) -> str | None:
    """Join ID and description: either may hold the readable name."""
    both = (
        word(ds, "ClinicalTrialTimePointID"),
        word(ds, "ClinicalTrialTimePointDescription"),
    )
    return " | ".join(text for text in both if text) or None
