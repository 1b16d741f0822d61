"""Read: one reader's answers to one visit, bound to form, images and case version.

    draft → locked (signed) → corrected (a signed correction; the old answers stay)
                 ↘ change of mind (a second signed answer, after the machine's values were shown)

The answers that count are the first ones and their corrections; a change of mind stands beside
them and never replaces them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from imaging.findings.status import Status
from readers.answers import Answers, frozen, plain
from readers.condition import Tags
from readers.errors import FormError
from readers.form import Form
from readers.marks import Mark, parse_marks
from readers.parsing import parse_answers


class ReadStatus(StrEnum):
    """Where a read stands."""

    DRAFT = "draft"
    LOCKED = "locked"
    CORRECTED = "corrected"


class SignedKind(StrEnum):
    """What a signed answer is."""

    FIRST = "first"
    CORRECTION = "correction"
    AFTER_MACHINE = "after_machine"


@dataclass(frozen=True, slots=True)
class Content:
    """Answers and marks."""

    answers: Answers = field(default_factory=lambda: frozen({}))
    marks: tuple[Mark, ...] = ()

    @property
    def plain(self) -> dict[str, object]:
        """The content as JSON values."""
        return {"answers": plain(self.answers), "marks": [mark.plain for mark in self.marks]}


def parse_content(form: Form, answers: Mapping[str, object], marks: object = ()) -> Content:
    """Return the content that a page sends.

    Raises
    ------
    FormError
        An answer is not of its question, a mark is none, or there are too many.
    """
    parsed = parse_marks(marks)
    if len(parsed) > form.limits.marks_max:
        raise FormError("marks_too_many", marks=len(parsed), most=form.limits.marks_max)
    return Content(parse_answers(form, answers), parsed)


@dataclass(frozen=True, slots=True)
class SignedContent:
    """One signed answer of a read, in the order they were made.

    Parameters
    ----------
    machine_seen
        The machine's values had been shown when this was signed.
    spent_s
        Time at the form until then, as the page counted it.
    signer, signed_at, meaning, sha256
        Of its signature.
    """

    id: int
    version: int
    kind: SignedKind
    content: Content
    endpoints: Mapping[str, Status]
    reason: str | None
    machine_seen: bool
    spent_s: float
    signer: str
    signed_at: str
    meaning: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Read:
    """One read as its reader may see it.

    Parameters
    ----------
    code, shown_visit
        What the reader is shown instead of case and visit.
    tags
        What the visit is: baseline or follow_up, early or late, in_order or any_order.
    images
        Role to SHA-256 of the image versions it is bound to.
    revision
        Of the draft; given back when it is saved.
    content
        The draft's, or the signed answers that count.
    newer_version
        The visit has other images in the newest case version; this read stays bound to its own.
    """

    id: int
    assignment_id: int
    code: str
    visit: str
    shown_visit: str
    form_version: str
    tags: Tags
    case_version: int
    images: Mapping[str, str]
    status: ReadStatus
    revision: int
    content: Content
    spent_s: float
    signed: tuple[SignedContent, ...] = ()
    newer_version: bool = False

    @property
    def current(self) -> SignedContent | None:
        """The signed answers that count; None in a draft."""
        counting = [s for s in self.signed if s.kind is not SignedKind.AFTER_MACHINE]
        return counting[-1] if counting else None

    @property
    def after_machine(self) -> SignedContent | None:
        """The change of mind, None without one."""
        return next((s for s in self.signed if s.kind is SignedKind.AFTER_MACHINE), None)


def statuses(raw: Mapping[str, str]) -> Mapping[str, Status]:
    """Return endpoint statuses from their texts."""
    return MappingProxyType({name: Status(status) for name, status in raw.items()})
