"""Readings: two readers' answers to one visit as people say them, question by question."""

from __future__ import annotations

from typing import Any

from readers.adjudication import BlindedPair, Reading
from readers.answers import plain
from readers.form import Question, load_form
from surveillance.ui.desk import Desk

SIDES = ("first", "second")
Row = tuple[str, str, str]


def rows(desk: Desk, pair: BlindedPair) -> list[Row]:
    """Return both readings, question by question."""
    form = load_form(pair.template.form_version)
    found: list[Row] = []
    for name in form.endpoints:
        one, other = (desk.text(f"machine.{_of(pair, side).endpoints[name]}") for side in SIDES)
        found.append((desk.text(f"machine.{name}"), one, other))
    for question in form.questions:
        one, other = (_told(desk, question, _of(pair, side)) for side in SIDES)
        if one or other:
            found.append((desk.words(question.label), one, other))
    return found


def _of(pair: BlindedPair, side: str) -> Reading:
    found: Reading = getattr(pair, side)
    return found


def _told(desk: Desk, question: Question, reading: Reading) -> str:
    answer: Any = plain(reading.content.answers).get(question.id)
    if answer is None:
        return ""
    labels = {option.id: desk.words(option.label) for option in question.options}
    if question.kind == "table":
        return "; ".join(" ".join(str(cell) for cell in row.values()) for row in answer)
    if isinstance(answer, list):
        return ", ".join(labels[option] for option in answer)
    return labels.get(answer, f"{answer} {question.unit or ''}".strip())
