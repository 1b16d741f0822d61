"""Arrays on disk, each under the SHA-256 of what it holds: written once, never changed.

A file is one line of JSON (dtype and shape), then the voxels in C order, little-endian, all of it
compressed by zlib. The name is the hash of the uncompressed content, so a damaged file is known.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surveillance.errors import CaseFilesError
from surveillance.exports.writing import write_with

_LEVEL = 1  # noise does not compress; level 1 does what can be done in a fifth of the time


@dataclass(frozen=True, slots=True)
class Arrays:
    """The folder of all arrays of a station."""

    folder: Path

    def save(self, array: NDArray[Any]) -> str:
        """Store an array if it is new; return its SHA-256.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        content = _content(array)
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            packed = zlib.compress(content, _LEVEL)
            write_with(path, lambda temporary: temporary.write_bytes(packed))
        return sha256

    def load(self, sha256: str) -> NDArray[Any]:
        """Return an array, read-only.

        Raises
        ------
        CaseFilesError
            It is not there, or not what was stored.
        """
        path = self._path(sha256)
        try:
            content = zlib.decompress(path.read_bytes())
        except (OSError, zlib.error) as error:
            raise CaseFilesError("array_unreadable", array=sha256[:12]) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CaseFilesError("array_changed", array=sha256[:12])
        header, _, voxels = content.partition(b"\n")
        described = json.loads(header)
        array = np.frombuffer(voxels, dtype=np.dtype(described["dtype"]))
        return array.reshape(described["shape"])

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}.z"


def _content(array: NDArray[Any]) -> bytes:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    header = {"dtype": little.dtype.str, "shape": list(little.shape)}
    return json.dumps(header, sort_keys=True).encode("ascii") + b"\n" + little.tobytes()
