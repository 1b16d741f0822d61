"""Evaluations: coded answers and sentences of a structured report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from highdicom.sr import CodedConcept, ContentSequence, QualitativeEvaluation, TextContentItem
from highdicom.sr.enum import RelationshipTypeValues
from pydicom.sr.coding import Code

from imaging.messages import text
from surveillance.exports.contract import VisitBlock
from surveillance.exports.dicom import concepts as c
from surveillance.exports.dicom.header import legible

TEXT_MAX = 1024


def evaluation(name: Code, value: Code, reasons: Iterable[str] = ()) -> QualitativeEvaluation:
    """Return a coded answer, with the reasons for it below it."""
    answer = QualitativeEvaluation(name=name, value=value)
    said = [comment_item(reason, RelationshipTypeValues.HAS_PROPERTIES) for reason in reasons]
    if said:
        answer[0].ContentSequence = ContentSequence(said)
    return answer


def yes_no(
    name: Code, value: bool | None, unknown: Code | None = None
) -> list[QualitativeEvaluation]:
    """Return a yes or no; for None `unknown`, or nothing where that is None too."""
    code = unknown if value is None else (c.YES if value else c.NO)
    return [] if code is None else [evaluation(name, code)]


def coded(
    name: Code, answers: Mapping[str, Code], value: str | None
) -> list[QualitativeEvaluation]:
    """Return the answer to `name`, nothing for None."""
    return [] if value is None else [evaluation(name, answers[value])]


def not_measured(visit: VisitBlock, *blocks: str) -> Iterator[str]:
    """Yield why numbers of these blocks are missing, as assessment.json says it."""
    for entry in visit.quality:
        if entry.code != "NOT_MEASURED":
            continue
        listed, _, reason = entry.message.partition(": ")
        names = [
            name
            for name in listed.split(", ")
            if any(name == block or name.startswith(f"{block}.") for block in blocks)
        ]
        if names:
            yield text("record.not_measured", numbers=", ".join(names), reason=reason)


def comment_item(sentence: str, relationship: RelationshipTypeValues) -> TextContentItem:
    """Return a sentence, cut to a length that every receiver takes."""
    return TextContentItem(
        CodedConcept.from_code(c.COMMENT), legible(sentence, TEXT_MAX), relationship
    )
