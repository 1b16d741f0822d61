"""Answers: what a reader gave to the questions of one form, as plain frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

Cell = str | float
Row = Mapping[str, Cell]
Answer = str | float | tuple[str, ...] | tuple[Row, ...]
Answers = Mapping[str, Answer]
"""Question id to a chosen option, a number, a text, several options, or rows of a table.

A question that was not answered is absent: there is no empty answer.
"""


def frozen(answers: Mapping[str, Answer]) -> Answers:
    """Return a copy that nothing can change."""
    return MappingProxyType(dict(answers))


def rows(answers: Answers, question: str) -> tuple[Row, ...]:
    """Return the rows of a table; () when there are none."""
    value = answers.get(question, ())
    return tuple(r for r in value if isinstance(r, Mapping)) if isinstance(value, tuple) else ()


def chosen(answers: Answers, question: str) -> tuple[str, ...]:
    """Return the options chosen, one or several; () without an answer."""
    value = answers.get(question, ())
    if isinstance(value, str):
        return (value,)
    return tuple(o for o in value if isinstance(o, str)) if isinstance(value, tuple) else ()


def plain(answers: Answers) -> dict[str, object]:
    """Return answers as JSON values: lists and dicts instead of tuples and mappings."""
    return {name: _plain(value) for name, value in answers.items()}


def _plain(value: Answer) -> object:
    if isinstance(value, tuple):
        return [dict(v) if isinstance(v, Mapping) else v for v in value]
    return value


def differing(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names whose value was added, removed or changed, sorted."""
    names: Iterable[str] = set(before) | set(after)
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))
