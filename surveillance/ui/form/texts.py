"""Texts: what the form says besides its questions."""

from __future__ import annotations

from imaging.messages import keys, text
from readers.form import Language

_SECTION = "form_texts."


def form_texts(language: Language) -> dict[str, str]:
    """Return the catalogue's `form_texts.` section, without its prefix and with its blanks."""
    blanks = {"count": "{count}", "row": "{row}"}  # form.js fills them
    return {
        key.removeprefix(_SECTION): text(key, language, **blanks)
        for key in keys()
        if key.startswith(_SECTION)
    }
