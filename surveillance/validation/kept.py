"""Kept: the cases that are finished, on disk, so that a run of hours can be stopped and go on."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter

import imaging
from imaging.protocol import Protocol
from surveillance import validation
from surveillance.exports.writing import make_folder, write_text
from surveillance.fingerprint import digest
from surveillance.validation.row import Row
from surveillance.validation.source import Source

Pictures: TypeAlias = dict[tuple[str, str], bytes]
"""PNG by case and variant."""
Done: TypeAlias = tuple[tuple[Row, ...], Pictures]
_ROWS = TypeAdapter(tuple[Row, ...])


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder with a file for every finished case; what another `key` made is not used."""

    folder: Path
    key: str

    def found(self, name: str) -> Done | None:
        """Return a finished case, None where it has to be done."""
        path = self.folder / f"{name}.json"
        if not path.is_file():
            return None
        try:
            return self._read(name, json.loads(path.read_bytes()))
        except (ValueError, KeyError):  # damaged since, by whatever: it is done again
            return None

    def _read(self, name: str, said: dict[str, Any]) -> Done | None:
        if said["key"] != self.key:
            return None
        pictures = {(name, variant): b64decode(png) for variant, png in said["pictures"].items()}
        return _ROWS.validate_python(said["rows"]), pictures

    def keep(self, name: str, done: Done) -> None:
        """Write a finished case.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        make_folder(self.folder)
        rows, pictures = done
        drawn = {variant: b64encode(png).decode() for (_, variant), png in pictures.items()}
        said = {"key": self.key, "rows": [asdict(row) for row in rows], "pictures": drawn}
        write_text(self.folder / f"{name}.json", json.dumps(said) + "\n")


def key_of(protocol: Protocol, variants: Sequence[str], sources: Sequence[Source]) -> str:
    """Return what results depend on besides the case: protocol, images, and every file of ours.

    The version alone would not do: who develops changes files more often than the version.
    """
    ours = (Path(package.__path__[0]) for package in (imaging, validation))
    given = (p for s in sources for p in (s.image, s.outline, s.t1) if p is not None)
    files = [line for top in (*ours, *given) for line in _content(top)]
    return digest([protocol.sha256, *variants, *files])


def _content(top: Path) -> Iterator[str]:
    for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
