"""Canonical: one text for one content, so that a hash of it can be made again anywhere."""

from __future__ import annotations

import hashlib
import json


def canonical(content: object) -> str:
    """Return JSON with sorted keys, no spaces and no NaN; the same content is the same text.

    Raises
    ------
    ValueError
        A number is not finite.
    """
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256(content: object) -> str:
    """Return the SHA-256 of the canonical text, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(content).encode("utf-8")).hexdigest()


def loaded(text: str) -> dict[str, object]:
    """Return the mapping that a canonical text holds."""
    content: dict[str, object] = json.loads(text)
    return content


def is_sha256(text: str) -> bool:
    """Whether a text is 64 lower-case hexadecimal digits."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
