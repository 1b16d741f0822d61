"""Naming: subject, visit and role of a NIfTI file, from its side-car, folders or file name.

The convention is documented for users in docs/input.md; keep both the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from imaging.errors import FileError
from imaging.loaders.files import InputFile
from imaging.loaders.identity import safe_name
from imaging.schedule import visit_named
from imaging.series import Identity, Role, SeriesInfo

SUFFIXES = (".nii.gz", ".nii")
SIDECAR_BYTES_MAX = 2**20
_OWN_KEYS = {"subject", "visit", "role", "study_date"}
_NUMBERS = {
    "EchoTime": ("echo_time_ms", 1000.0),  # BIDS writes seconds
    "RepetitionTime": ("repetition_time_ms", 1000.0),
    "InversionTime": ("inversion_time_ms", 1000.0),
    "FlipAngle": ("flip_angle_deg", 1.0),
    "MagneticFieldStrength": ("field_strength_t", 1.0),
    "SliceThickness": ("slice_thickness_mm", 1.0),
}
_TEXTS = {
    "Manufacturer": "manufacturer",
    "SeriesDescription": "description",
    "SequenceName": "sequence_name",
    "ContrastBolusIngredient": "contrast_agent",
}
_LISTS = {
    "ScanningSequence": "scanning_sequence",
    "SequenceVariant": "sequence_variant",
    "ScanOptions": "scan_options",
    "ImageType": "image_type",
}
_FAT_SAT = {
    "FS", "FATSAT", "SPIR", "SPAIR", "STIR",
}  # fmt: skip
_ROLE_WORDS = {
    "T2WFS": Role.T2W_FS, "T2FS": Role.T2W_FS, "T2SPIR": Role.T2W_FS, "T2SPAIR": Role.T2W_FS,
    "T2STIR": Role.T2W_FS, "STIR": Role.T2W_FS, "T2FATSAT": Role.T2W_FS,
    "T1WFS": Role.T1W_FS, "T1FS": Role.T1W_FS, "T1VIBEFS": Role.T1W_FS, "T1SPAIR": Role.T1W_FS,
    "T1SPIR": Role.T1W_FS, "T1FATSAT": Role.T1W_FS,
    "T2W": Role.T2W, "T2": Role.T2W, "T1W": Role.T1W, "T1": Role.T1W, "T1VIBE": Role.T1W,
    "DIXONFAT": Role.DIXON_FAT, "DIXONIN": Role.DIXON_IN_PHASE, "DIXONINPHASE": Role.DIXON_IN_PHASE,
    "DIXONOPP": Role.DIXON_OPPOSED_PHASE, "DIXONOPPOSEDPHASE": Role.DIXON_OPPOSED_PHASE,
    "DIXONWATER": Role.T1W_FS, "DWI": Role.DWI, "LOCALIZER": Role.LOCALIZER,
    "POSTCONTRAST": Role.POST_CONTRAST, "DERIVED": Role.DERIVED, "OTHER": Role.OTHER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Naming:
    """What a name states; None where it states nothing."""

    subject: str | None
    visit: str | None
    role: Role | None


def stem_of(name: str) -> str:
    """Return a file name without folder and NIfTI or JSON suffix."""
    base = PurePosixPath(name.replace("\\", "/")).name
    lower = base.lower()
    suffix = next((s for s in (*SUFFIXES, ".json") if lower.endswith(s)), "")
    return base[: len(base) - len(suffix)]


def named(file: InputFile) -> Naming:
    """Read subject, visit and role from `<subject>/<visit>/<role>`, BIDS names or the file name."""
    path = PurePosixPath((file.member or file.path).replace("\\", "/"))
    folders = [part for part in path.parts[:-1] if part not in {"anat", "/"}]
    words = [word for word in re.split(r"[_\s]+|(?<![A-Za-z0-9])-", stem_of(path.name)) if word]
    subject = _after("sub-", [*folders, *words])
    session = _after("ses-", [*folders, *words])
    words = [word for word in words if not word.startswith(("sub-", "ses-"))]
    words, role = _take_role(words)
    words, visit = _take_visit(words)
    if session is None and visit is None and folders and visit_named(folders[-1]):
        visit = folders[-1]
        subject = subject or ("_".join(words) or (folders[-2] if len(folders) > 1 else None))
    subject = subject or ("_".join(words) if (role or visit) and words else None)
    if subject is None and (role or visit or session) and folders:
        subject = folders[-1]
    return Naming(subject and safe_name(subject), session or visit, role)


def _after(prefix: str, parts: list[str]) -> str | None:
    return next((p.removeprefix(prefix) for p in parts if p.startswith(prefix)), None)


def _take_role(words: list[str]) -> tuple[list[str], Role | None]:
    """Find the longest run of words that names a role, and take it out."""
    for length in (3, 2, 1):
        for start in range(len(words) - length + 1):
            run = "".join(words[start : start + length]).upper().replace("-", "")
            if run in _ROLE_WORDS:
                return words[:start] + words[start + length :], _ROLE_WORDS[run]
    return words, None


def _take_visit(words: list[str]) -> tuple[list[str], str | None]:
    for k, word in enumerate(words):
        if visit_named(word):
            return words[:k] + words[k + 1 :], word
    return words, None


def read_sidecar(file: InputFile) -> dict[str, Any]:
    """Read a side-car.

    Raises
    ------
    FileError
        Not a JSON object, too large, or `role` or `study_date` not as documented.
    """
    try:
        with file.open() as stream:
            content = json.loads(stream.read(SIDECAR_BYTES_MAX + 1))
    except (ValueError, RecursionError, OSError) as error:
        raise FileError("sidecar_invalid", file=file.name, detail=str(error)[:80]) from error
    if not isinstance(content, dict):
        raise FileError("sidecar_invalid", file=file.name, detail="not an object")
    for key in _OWN_KEYS & set(content):
        if not isinstance(content[key], str):
            raise FileError("sidecar_invalid", file=file.name, detail=f"{key} is not a text")
    return content


def described(info: SeriesInfo, sidecar: dict[str, Any], file: InputFile) -> SeriesInfo:
    """Put a side-car's statements and BIDS-style keys into `info`."""
    values: dict[str, Any] = {}
    for key, (name, factor) in _NUMBERS.items():
        if isinstance(sidecar.get(key), (int, float)):
            values[name] = float(sidecar[key]) * factor
    for key, name in _TEXTS.items():
        if isinstance(sidecar.get(key), str):
            values[name] = sidecar[key]
    for key, name in _LISTS.items():
        found = sidecar.get(key)
        parts = (
            found
            if isinstance(found, list)
            else str(found).split("_" if "_" in str(found) else "\\")
        )
        if found is not None:
            values[name] = tuple(str(part).upper() for part in parts)
    if isinstance(sidecar.get("fat_suppressed"), bool):
        values["fat_suppressed"] = sidecar["fat_suppressed"]
    if "role" in sidecar:
        values["stated_role"] = _role(sidecar["role"], file)
    return replace(info, **values, identity=_stated_identity(info.identity, sidecar, file))


def _stated_identity(identity: Identity, sidecar: dict[str, Any], file: InputFile) -> Identity:
    changes: dict[str, Any] = {}
    if "subject" in sidecar:
        changes["subject"] = safe_name(sidecar["subject"])
    if "visit" in sidecar:
        changes["time_point"] = sidecar["visit"]
    if "study_date" in sidecar:
        try:
            changes["study_date"] = date.fromisoformat(sidecar["study_date"])
        except ValueError as error:
            raise FileError("sidecar_invalid", file=file.name, detail=str(error)[:80]) from error
    return replace(identity, **changes)


def _role(name: str, file: InputFile) -> Role:
    role = _ROLE_WORDS.get(re.sub(r"[^A-Z0-9]", "", name.upper()))
    if role is None:
        raise FileError("sidecar_invalid", file=file.name, detail=f"role {name[:30]!r} is unknown")
    return role
