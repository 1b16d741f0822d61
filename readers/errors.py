"""Every error the reading of cases raises on purpose.

    GraftsiteError (imaging)
    └── ReadersError
        ├── FormError               an answer is not of its question, a form is not usable
        ├── ParadigmError           a reading paradigm file is not usable
        ├── AccountError            a name, role or password cannot be accepted
        ├── SessionError            not signed in, expired, locked out
        ├── ForbiddenError          not for this role, or it would unblind
        ├── OrderError              not this visit's turn, or the read is locked already
        ├── DraftConflictError      another tab saved first
        ├── UnfinishedError         edit checks stand in the way of a signature
        ├── SignatureError          who signs could not be proved
        ├── ReasonError             a change needs a reason that says something
        ├── NotFoundError           there is no such case, read, mask
        ├── CaseError               what was registered of a case contradicts itself
        ├── MaskVersionError        a mask is not on its image's grid, or damaged
        ├── AuditError              the audit trail is not what it was
        └── StoreError              the database is not there, too new, or not ours

Each carries a `code` and composes its own message, as those of `imaging.errors` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.errors import GraftsiteError

if TYPE_CHECKING:
    from readers.edit_checks import Problem
    from readers.read import Read


class ReadersError(GraftsiteError):
    """Root of the branch; the sentences are in the same catalogue."""


class FormError(ReadersError):
    """An answer is not of its question, or a form file is not usable."""


class ParadigmError(ReadersError):
    """A reading paradigm file has unknown, missing or ill-typed entries."""


class AccountError(ReadersError):
    """A name, role or password cannot be accepted."""


class SessionError(ReadersError):
    """Not signed in: wrong password, locked out, expired, signed out."""


class ForbiddenError(ReadersError):
    """Not for this role, or it would unblind."""


class OrderError(ReadersError):
    """Not this visit's turn, or the read is locked already."""


class DraftConflictError(ReadersError):
    """Another tab saved first.

    `current` is what the store holds, `kept` the number of the copy kept of what was refused.
    """

    def __init__(
        self, code: str, current: Read | None = None, kept: int | None = None, **values: object
    ) -> None:
        super().__init__(code, **values)
        self.current = current
        self.kept = kept


class UnfinishedError(ReadersError):
    """Edit checks stand in the way of a signature; `problems` are all of them."""

    def __init__(self, code: str, problems: tuple[Problem, ...] = (), **values: object) -> None:
        super().__init__(code, **values)
        self.problems = problems


class SignatureError(ReadersError):
    """Who signs could not be proved."""


class ReasonError(ReadersError):
    """A change needs a reason that says something."""


class NotFoundError(ReadersError):
    """There is no such case, read, assignment or mask."""


class CaseError(ReadersError):
    """What was registered of a case contradicts itself."""


class MaskVersionError(ReadersError):
    """A mask is not on its image's grid, too large, or damaged."""


class AuditError(ReadersError):
    """The audit trail is not what it was."""


class StoreError(ReadersError):
    """The database cannot be reached, is too new, or is not ours."""
