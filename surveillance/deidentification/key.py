"""Key: what links de-identified images to people.

It holds one secret, from which all replacements follow (so that a second delivery fits the
first), and who became who. It is kept sealed and apart from the images (`key_file`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, replace

from imaging.errors import DeidentificationError

SHIFT_DAYS_MIN, SHIFT_DAYS_MAX = 365, 3652
"""How far into the past a person's dates are moved: one to ten years."""
_LETTERS = "BCFGHJKLNPQRSTVXZ"
"""Without A, E, I, O, U, which make words, and D, W, M, Y, which mean units of time."""


@dataclass(frozen=True, slots=True)
class Person:
    """Every identifier by which someone was known, and by how many days their dates moved."""

    patient_ids: frozenset[str]
    subject_ids: frozenset[str]
    shift_days: int

    def shares(self, other: Person) -> bool:
        """Whether an identifier is common to both."""
        return bool(self.patient_ids & other.patient_ids or self.subject_ids & other.subject_ids)


@dataclass(frozen=True, slots=True)
class Key:
    """The secret and the people met so far."""

    secret: bytes
    people: tuple[Person, ...] = ()

    def uid(self, original: str) -> str:
        """Return the UID that stands for another: always the same, and it cannot be undone."""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', original)[:16], version=4).int}"

    def patient_id(self, original: str) -> str:
        """Return the Patient ID that stands for another."""
        return f"GS{base64.b32encode(self._digest('patient', original)).decode()[:10]}"

    def subject_id(self, original: str) -> str:
        """Return the trial subject that stands for another."""
        return f"S{base64.b32encode(self._digest('subject', original)).decode()[:8]}"

    def letters(self, original: str) -> str:
        """Return six letters that stand for any other text."""
        digest = self._digest("text", original)
        return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:6])

    def met(self, patient_ids: frozenset[str], subject_ids: frozenset[str]) -> tuple[Key, Person]:
        """Return the person with any of these identifiers, and the key that remembers them.

        Raises
        ------
        DeidentificationError
            The identifiers belong to two people who were met before: their dates were shifted
            differently, and joining them now would move visits against each other.
        """
        found = Person(patient_ids, subject_ids, self._shift_days(patient_ids | subject_ids))
        known = [one for one in self.people if one.shares(found)]
        if len({one.shift_days for one in known}) > 1:
            raise DeidentificationError("people_joined")
        for one in known:
            found = Person(
                found.patient_ids | one.patient_ids,
                found.subject_ids | one.subject_ids,
                one.shift_days,
            )
        others = (one for one in self.people if one not in known)
        people = sorted((*others, found), key=lambda p: sorted(p.patient_ids | p.subject_ids))
        return replace(self, people=tuple(people)), found

    def _shift_days(self, identifiers: frozenset[str]) -> int:
        number = int.from_bytes(self._digest("shift", min(identifiers))[:8], "big")
        return SHIFT_DAYS_MIN + number % (SHIFT_DAYS_MAX - SHIFT_DAYS_MIN + 1)

    def _digest(self, purpose: str, original: str) -> bytes:
        return hmac.digest(self.secret, f"{purpose}:{original}".encode(), hashlib.sha256)


def new_key() -> Key:
    """Return a key with a fresh secret and nobody in it."""
    return Key(secrets.token_bytes(32))
