"""Errors of the layer that joins machine and readers.

GraftsiteError (imaging)
├── CaseImportError        an assessed subject cannot be made a case from what was given
├── CaseFilesError         the files of a case are not there, or not as they were written
├── ReportError            a report cannot be made from what is installed or given
└── ResultsError           a store of results cannot be read, or is not as it was written
"""

from __future__ import annotations

from imaging.errors import GraftsiteError


class CaseImportError(GraftsiteError):
    """An assessed subject cannot be made a case from the images and results given."""


class CaseFilesError(GraftsiteError):
    """The files of a case are not there, or not as they were written."""


class ReportError(GraftsiteError):
    """A report cannot be made from what is installed or given."""


class ResultsError(GraftsiteError):
    """A store of results cannot be read, or is not as it was written."""
