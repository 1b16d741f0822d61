"""Retelling: an English sentence of the catalogue recognised, and said in another language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from string import Formatter

from imaging.messages import keys, template

SECTIONS = (
    "finding", "term", "fat_answer", "limits", "quality", "reason", "registration", "deformation",
    "segmentation", "sign", "visit", "record",
)  # fmt: skip
"""Sections of the catalogue whose sentences stand in assessment.json."""
_SENTENCE_END = re.compile(r"(?<=\.) (?=[A-Z0-9])")
_ENGLISH = re.compile(r"[a-z]+ [a-z]+ [a-z]+ [a-z]+")
"""Four words in a row are a sentence, not a name."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    key: str
    expression: re.Pattern[str]
    fixed: int


def retold(sentence: str, language: str) -> str | None:
    """Return a sentence in `language`; None when the catalogue does not know all of it.

    Values stay as they were written; those that are sentences themselves are retold too.
    """
    whole = _one(sentence, language)
    if whole is not None:
        return whole
    pieces = _SENTENCE_END.split(sentence)
    told = [_one(piece, language) for piece in pieces] if len(pieces) > 1 else [None]
    known = [piece for piece in told if piece is not None]
    return "".join(known) if len(known) == len(told) else None


def _one(sentence: str, language: str) -> str | None:
    for pattern in _patterns():
        found = pattern.expression.fullmatch(sentence)
        if found is not None and pattern.key in _translated(language):
            values = {name: _value(v, language) for name, v in found.groupdict().items()}
            known = {name: value for name, value in values.items() if value is not None}
            if len(known) == len(values):
                return _filled(pattern.key, language, known)
    return None


def _value(value: str, language: str) -> str | None:
    """Return a value in the language, names and numbers as they are; None for other English."""
    if not _ENGLISH.search(value):
        return retold(value, language) or value
    return retold(value, language)


@cache
def _translated(language: str) -> frozenset[str]:
    return frozenset(keys(language))


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """Return all sentences as expressions, those with most fixed letters first."""
    wanted = [key for key in keys() if key.partition(".")[0] in SECTIONS]
    made = [_pattern(key) for key in wanted]
    return tuple(sorted(made, key=lambda pattern: (-pattern.fixed, pattern.key)))


def _pattern(key: str) -> _Pattern:
    expression, fixed, seen = "", 0, set[str]()
    for literal, name, _, _ in Formatter().parse(template(key, "en")):
        expression += re.escape(literal)
        fixed += len(literal)
        if name:
            expression += f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"
            seen.add(name)
    return _Pattern(key, re.compile(expression, re.DOTALL), fixed)


def _filled(key: str, language: str, values: dict[str, str]) -> str:
    """Put values, formatted already, into a sentence."""
    parts = Formatter().parse(template(key, language))
    return "".join(literal + (values[name] if name else "") for literal, name, _, _ in parts)
