"""Edit checks: what is missing in a read or contradicts itself, before it is signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from imaging.protocol import Protocol
from readers.answers import Answers, rows
from readers.condition import Tags
from readers.form import Form, Question, Words
from readers.marks import Mark


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct (error) or to acknowledge (warning), beside question `at`."""

    id: str
    severity: Literal["error", "warning"]
    at: str
    message: Words


def problems(
    form: Form, answers: Answers, marks: Sequence[Mark], tags: Tags, protocol: Protocol
) -> tuple[Problem, ...]:
    """Return everything that stands between a draft and its signature, in the form's order."""
    asked = form.asked(answers, tags, protocol)
    relevant = form.relevant(answers, tags, protocol)
    found = [
        *_unanswered(form, asked, relevant),
        *(p for question in asked for p in _in_rows(form, question, relevant, marks, tags)),
        *_not_asked(form, answers, relevant),
        *_contradictions(form, relevant, tags, protocol, {q.id for q in asked}),
    ]
    order = {question.id: place for place, question in enumerate(form.questions)}
    return tuple(sorted(found, key=lambda p: (order[p.at], p.severity, p.id)))


def _unanswered(form: Form, asked: Sequence[Question], answers: Answers) -> Iterator[Problem]:
    for question in asked:
        if question.required and question.id not in answers:
            yield Problem(f"missing:{question.id}", "error", question.id, form.messages.missing)


def _in_rows(
    form: Form, question: Question, answers: Answers, marks: Sequence[Mark], tags: Tags
) -> Iterator[Problem]:
    wanted = [column for column in question.columns if set(column.visits) <= tags]
    placed = {mark.id for mark in marks}
    for row in rows(answers, question.id):
        if any(column.id not in row for column in wanted):
            yield Problem(
                f"incomplete:{question.id}", "error", question.id, form.messages.cell_missing
            )
        references = {row[c.id] for c in wanted if c.kind == "mark" and c.id in row}
        if references - placed:
            yield Problem(f"mark:{question.id}", "error", question.id, form.messages.no_mark)


def _not_asked(form: Form, answers: Answers, relevant: Answers) -> Iterator[Problem]:
    for name in sorted(set(answers) - set(relevant)):
        yield Problem(f"not_asked:{name}", "warning", name, form.messages.not_asked)


def _contradictions(
    form: Form, answers: Answers, tags: Tags, protocol: Protocol, asked: set[str]
) -> Iterator[Problem]:
    for check in form.checks:
        applies = check.at in asked and all(c.holds(answers, tags, protocol) for c in check.when)
        # What is not answered yet is told as missing, not as a contradiction.
        concerned = [
            c for c in check.then if c.question in asked and (c.question in answers or c.on_absence)
        ]
        if applies and not all(c.holds(answers, tags, protocol) for c in concerned):
            yield Problem(check.id, check.severity, check.at, check.message)
