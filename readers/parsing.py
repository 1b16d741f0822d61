"""Parsing: what a page or a browser sends, checked question by question.

A draft may be incomplete and may contradict itself; but every answer in it is of its question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from readers.answers import Answer, Answers, Cell, Row, frozen
from readers.errors import FormError
from readers.form import Form, Item, Question
from readers.texts import storable


def parse_answers(form: Form, raw: Mapping[str, object]) -> Answers:
    """Return the answers in `raw`; empty ones (None, "", []) are left out.

    Raises
    ------
    FormError
        A question or option that the form does not have, a number outside its range, a text or
        table beyond its limit.
    """
    answers: dict[str, Answer] = {}
    for name, value in raw.items():
        question = form.question(name)
        if value is not None and value not in ("", [], ()):
            answers[name] = _answer(form, question, value)
    return frozen(answers)


def _answer(form: Form, question: Question, value: object) -> Answer:
    if question.kind == "table":
        return _table(form, question, value)
    if question.kind == "choices":
        return _choices(question, value)
    if question.kind == "text":
        return _text(question, value, form.limits.comment_chars_max)
    return _cell(question, value)


def _cell(field: Item, value: object) -> Cell:
    if field.kind == "choice":
        return _choice(field, value)
    if field.kind == "number":
        return _number(field, value)
    return _text(field, value, 64)  # the id of a mark


def _choice(field: Item, value: object) -> str:
    if not isinstance(value, str) or field.option(value) is None:
        allowed = ", ".join(option.id for option in field.options)
        raise FormError("answer_option", question=field.id, value=str(value)[:40], allowed=allowed)
    return value


def _choices(field: Item, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise FormError("answer_kind", question=field.id, kind=field.kind)
    given = {_choice(field, option) for option in value}
    alone = [o.id for o in field.options if o.exclusive and o.id in given]
    if alone and len(given) > 1:
        raise FormError("answer_exclusive", question=field.id, option=alone[0])
    return tuple(option.id for option in field.options if option.id in given)


def _number(field: Item, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FormError("answer_kind", question=field.id, kind=field.kind)
    number = round(float(value), field.decimals)
    if not (field.min or 0.0) <= number <= (field.max or math.inf):
        raise FormError(
            "answer_range",
            question=field.id,
            value=number,
            least=field.min,
            most=field.max,
            unit=field.unit,
        )
    return number


def _text(field: Item, value: object, chars_max: int) -> str:
    if not isinstance(value, str):
        raise FormError("answer_kind", question=field.id, kind=field.kind)
    if len(value) > chars_max:
        raise FormError("answer_too_long", question=field.id, chars=len(value), most=chars_max)
    if not storable(value):
        raise FormError("answer_character", question=field.id)
    return value


def _table(form: Form, question: Question, value: object) -> tuple[Row, ...]:
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise FormError("answer_kind", question=question.id, kind=question.kind)
    if len(value) > form.limits.table_rows_max:
        raise FormError(
            "answer_too_many",
            question=question.id,
            rows=len(value),
            most=form.limits.table_rows_max,
        )
    return tuple(_row(question, row) for row in value)


def _row(question: Question, raw: object) -> Row:
    if not isinstance(raw, Mapping):
        raise FormError("answer_kind", question=question.id, kind=question.kind)
    unknown = set(raw) - {column.id for column in question.columns}
    if unknown:
        named = ", ".join(sorted(str(name)[:40] for name in unknown))
        raise FormError("answer_column", question=question.id, columns=named)
    cells = {
        column.id: _cell(column, raw[column.id])
        for column in question.columns
        if raw.get(column.id) not in (None, "")
    }
    return MappingProxyType(cells)
