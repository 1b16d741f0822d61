"""Every error this program raises on purpose.

    GraftsiteError
    ├── InputError              something given to the program cannot be used
    │   ├── FileError           one file: not an image, damaged, unsafe
    │   │   └── NotUsableError  one DICOM file whose series is known all the same
    │   ├── SeriesError         one series: gaps, mixed orientations, no spacing
    │   ├── SubjectError        the series of one subject contradict each other
    │   ├── SeedError           a reader's seed point is not usable
    │   └── MaskError           a given mask is not usable
    ├── UsageError              an option of the command line is not of its form
    ├── ProtocolError           a protocol file is incomplete or unknown
    ├── GeometryError           two grids that had to agree do not
    ├── OutputError             results could not be written
    ├── ConfigurationError      a configuration file is incomplete or unknown, a secret is absent
    ├── DeidentificationError   something cannot be freed of identity, or its key not opened
    └── NodeError               a node of the network refuses, or answers nonsense
        └── TransferError       it cannot be reached, or broke off: trying again may help

Each carries a `code` (stable, for scripts), and a message that names what was wrong,
where, and what to do. Messages never contain a patient's name or identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.messages import text

if TYPE_CHECKING:
    from imaging.series import SeriesInfo


class GraftsiteError(Exception):
    """Root of the tree: `code` is the catalogue key under `error.`, `values` fill its text."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(text(f"error.{code}", **values))

    def told(self, language: str) -> str:
        """Return the message in one language."""
        return text(f"error.{self.code}", language, **self.values)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions with keyword arguments do not survive pickling to another process otherwise.
        return (_rebuild, (type(self), self.code, self.values))


def _rebuild(kind: type[GraftsiteError], code: str, values: dict[str, object]) -> GraftsiteError:
    return kind(code, **values)


class InputError(GraftsiteError):
    """Something given to the program cannot be used."""


class FileError(InputError):
    """One file is not an image, is damaged, or is unsafe to open."""


class NotUsableError(FileError):
    """A DICOM file that is no usable MR image; `info` is what its header says of the series."""

    def __init__(self, code: str, info: SeriesInfo | None = None, **values: object) -> None:
        super().__init__(code, **values)
        self.info = info


class SeriesError(InputError):
    """The images of one series do not make one regular volume."""


class SubjectError(InputError):
    """The series of one subject contradict each other."""


class SeedError(InputError):
    """A seed point lies where no graft can be."""


class MaskError(InputError):
    """A given mask does not fit the image it is for."""


class UsageError(GraftsiteError):
    """An option of the command line is not of its form."""


class ProtocolError(GraftsiteError):
    """A protocol file has unknown, missing or ill-typed entries."""


class GeometryError(GraftsiteError):
    """Two grids that had to agree do not."""


class OutputError(GraftsiteError):
    """Results could not be written."""


class ConfigurationError(GraftsiteError):
    """A configuration file has unknown or missing entries, or a secret it names is absent."""


class DeidentificationError(GraftsiteError):
    """A file cannot be freed of identity, or the key that links identities cannot be opened."""


class NodeError(GraftsiteError):
    """A node of the network refuses, or answers what the standard does not allow."""


class TransferError(NodeError):
    """A node cannot be reached, or the connection broke off; trying again may help."""
