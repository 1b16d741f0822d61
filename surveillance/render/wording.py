"""Wording: the language of a report, and text from outside made harmless.

Sentences inside assessment.json are English. They were made from the catalogue, so they are
recognised by it and said again in the report's language; what is not recognised stays English
and is marked as such for voices and hyphenation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from imaging.loaders.attributes import printable
from imaging.messages import keys, text
from surveillance.render.retelling import retold

CHARACTERS_MAX = 600
"""Of one text from outside; the longest sentence of the program is shorter."""
_KEYS = re.compile(r"^(?P<said>.*?)(?: \[(?P<keys>[a-z0-9_]+\.[a-z0-9_., ]+)\])?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wording:
    """Words in one language (en, zh)."""

    language: str

    def say(self, key: str, /, **values: object) -> str:
        """Return a sentence of the catalogue."""
        return text(key, self.language, **values)

    def visit(self, label: str) -> str:
        """Return a visit's name: scheduled ones translated, others as they are."""
        name, _, rest = legible(label).partition("_")
        if name in ("BASELINE", "D28", "M3", "M6", "M12", "UNSCHEDULED"):
            said = self.say(f"report.visit_{name.lower()}")
            return f"{said} {rest}" if rest else said
        return legible(label)

    def visits(self, labels: Iterable[str]) -> str:
        """Return several visits' names."""
        return self.say("report.and").join(self.visit(label) for label in labels)

    def arm(self, name: str) -> str:
        """Return an arm's or dose level's name: the trial's own translated, others as they are."""
        key = f"report.arm_{name.strip().lower().replace('-', '_').replace(' ', '_')}"
        return self.say(key) if key in keys() else legible(name)

    def retell(self, sentence: str, *, limits: bool = True) -> Markup:
        """Return an English sentence of the results as HTML in this language.

        The protocol's keys behind it stand apart and small, or are left out.
        """
        parts = _KEYS.fullmatch(legible(sentence))
        said = parts["said"] if parts else legible(sentence)
        names = parts["keys"] if parts and limits else None
        told = said if self.language == "en" else retold(said, self.language)
        html = (
            escape(told) if told is not None else Markup('<span lang="en">{}</span>').format(said)
        )
        if names:
            html += Markup(' <span class="keys" lang="en">{}</span>').format(names)
        return html


def legible(value: object) -> str:
    """Return text from outside on one line: no control characters, cut when it is very long."""
    plain = " ".join(printable(" ".join(str(value).split())).split())
    return plain if len(plain) <= CHARACTERS_MAX else plain[: CHARACTERS_MAX - 1] + "…"
