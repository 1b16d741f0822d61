"""The one catalogue of sentences a user can see.

Every sentence lives in `catalogue/<language>/<section>.toml`; code passes `section.name` and
the values. A second language is a second folder with the same keys.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _catalogue(language: str) -> dict[str, str]:
    folder = files("imaging").joinpath("catalogue", language)
    sections = sorted(
        (f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name
    )
    return {
        f"{section.name.removesuffix('.toml')}.{name}": sentence
        for section in sections
        for name, sentence in tomllib.loads(section.read_text(encoding="utf-8")).items()
    }


def text(key: str, language: str = "en", /, **values: object) -> str:
    """Return the sentence of `key` with `values` put in.

    `language` is the name of a folder of the catalogue; what is not translated comes in English.

    Raises
    ------
    KeyError
        The catalogue has no such key, or a value its sentence needs was not given: a bug of
        ours, found by the test that looks up every key the code uses.
    """
    return template(key, language).format(**values)


def template(key: str, language: str = "en", /) -> str:
    """Return the sentence of `key` with its places for values; raises KeyError as `text` does."""
    return _catalogue(language).get(key) or _catalogue("en")[key]


def keys(language: str = "en") -> tuple[str, ...]:
    """Return all keys of the catalogue in one language, sorted."""
    return tuple(sorted(_catalogue(language)))
