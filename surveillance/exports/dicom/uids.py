"""UIDs that repeat: derived from what they name (PS3.5 B.2, a name-based UUID under 2.25)."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

from pydicom.uid import RE_VALID_UID

_NAMESPACE = uuid5(NAMESPACE_URL, "graftsite")
PLACEHOLDER_UID = "2.25.1"
"""Stands for an instance until its content is known."""


def is_uid(text: str) -> bool:
    """Whether `text` is a UID that DICOM allows."""
    return len(text) <= 64 and re.fullmatch(RE_VALID_UID, text) is not None


def uid_of(*names: str) -> str:
    """Return the UID of a thing named by `names`, the same on every machine and day."""
    return f"2.25.{uuid5(_NAMESPACE, chr(10).join(names)).int}"


def tracking_uid(protocol: str, subject: str, structure: str) -> str:
    """Return the Tracking UID of a subject's structure: the same at every visit."""
    return uid_of("tracking", protocol, subject, structure)
