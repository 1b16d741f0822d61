"""Make docs/licences.md: what the program needs at run time, and under which licences it comes.

python docs/make_licences.py          # `make licences`
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE, LOCK = ROOT / "docs" / "licences.md", ROOT / "requirements.lock"
PERMISSIVE = {
    "0BSD": "", "Apache-2.0": "", "BSD-2-Clause": "", "BSD-3-Clause": "", "CC0-1.0": "",
    "ISC": "", "MIT": "", "MIT-0": "", "MIT-CMU": "", "PSF-2.0": "", "Zlib": "",
}  # fmt: skip
SHARED = {
    "LGPL-3.0-only": "used as an unchanged library, which a user may replace",
    "MPL-1.1": "its files are used unchanged",
    "MPL-2.0": "its files are used unchanged",
}
ALLOWED = PERMISSIVE | SHARED
"""Licences that ask nothing of the program beyond naming them, and why a weak copyleft does not."""
WORDS = (
    ("PSF-2.0", r"python software foundation|matplotlib"), ("MPL-2.0", r"mpl[- ]2|mozilla.*2\.0"),
    ("MPL-1.1", r"mpl 1\.1"), ("LGPL", r"lgpl|lesser general"), ("GPL", r"\bgpl|general public"),
    ("Apache-2.0", r"apache"), ("ISC", r"\bisc"), ("BSD-2-Clause", r"(2|two)-clause bsd"),
    ("BSD-3-Clause", r"bsd"), ("MIT", r"mit\b"),
)  # fmt: skip
"""How packages without an SPDX expression say it; the first that fits. An unnumbered BSD is the
three-clause one, which asks more."""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: one row per locked package."""
    rows = "".join(
        f"| {name} | {' or '.join(' and '.join(sorted(option)) for option in options)} |\n"
        for name, options in licences()
    )
    notes = "".join(f"- {name}: {why}.\n" for name, why in SHARED.items())
    return HEAD + rows + "\n" + notes


def licences() -> Iterator[tuple[str, list[set[str]]]]:
    """Yield each locked package with its licences: the sets one may choose from."""
    for name in re.findall(r"^([\w.-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE):
        yield name, _options(distribution(name))


def _options(package: Distribution) -> list[set[str]]:
    metadata = package.metadata
    if expression := metadata.get("License-Expression"):
        return [set(option.split(" AND ")) for option in expression.split(" OR ")]
    classified = [c for c in metadata.get_all("Classifier") or () if c.startswith("License ::")]
    # Several classifiers of one package are a choice, as pyphen's and dateutil's are.
    stated = classified or re.split(r" AND ", (metadata.get("License") or "").partition("\n")[0])
    names = [_spdx(text) for text in stated]
    return [{name} for name in names] if classified else [set(names)]


def _spdx(text: str) -> str:
    return next((name for name, words in WORDS if re.search(words, text, re.IGNORECASE)), text)


HEAD = """# Licences

What `requirements.lock` installs, made by `make licences` from what the packages state of
themselves; a test compares. None is under GPL or AGPL alone: nothing here decides the licence of
the program. `make sbom` writes the same packages with versions and hashes as CycloneDX
(`sbom.json`). Pango (LGPL), by which PDFs are set, comes from the system; the servers and tools of
the tests (Orthanc, dcmtk, PostgreSQL, Chromium) are no part of the program.

| package | licence |
|---|---|
"""

if __name__ == "__main__":
    main()
