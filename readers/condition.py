"""Condition: what must be true of answers and visit for a question, check or rule to apply.

One small language for `ask_when`, edit checks and endpoint rules, so that all of them are data:

    visit = ["follow_up", "late"]                       the visit has all of these tags
    question = "pattern", in = ["nodular"]              the one option chosen is among these
    question = "mass_effect", has = ["none"]            all of these are among the options chosen
    question = "mass_effect", count_min = 2             so many options, exclusive ones aside
    question = "comment", answered = true               there is an answer
    question = "foci", rows_min = 1, where = [...]      so many rows fulfil `where`
        column = "since", in = ["new"]
        column = "diameter_mm", at_least = "signal.nodule_min_mm"    a key of the protocol

A question that was not answered fulfils nothing but `answered = false` and `rows_max`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, TypeVar

from pydantic import Field, Strict, model_validator

from imaging.protocol import Protocol
from imaging.threshold import Section
from readers.answers import Answers, Row, chosen, rows

T = TypeVar("T")
Several = Annotated[tuple[T, ...], Strict(strict=False)]
"""A TOML array, held as a tuple."""

Tag = Literal["baseline", "follow_up", "early", "late", "in_order", "any_order"]
Tags = frozenset[Tag]
EXCLUSIVE = frozenset({"none", "not_evaluable"})
"""Options that say there is nothing to count."""


class CellCondition(Section):
    """One column of a row: among options, or at least a threshold of the protocol."""

    column: str
    in_: Several[str] | None = Field(None, alias="in")
    at_least: str | None = None

    @model_validator(mode="after")
    def _one_test(self) -> CellCondition:
        if (self.in_ is None) == (self.at_least is None):
            raise ValueError("a column needs exactly one of in, at_least")
        if self.at_least is not None and self.at_least not in threshold_keys():
            raise ValueError(f"the protocol has no key {self.at_least}")
        return self

    def holds(self, row: Row, protocol: Protocol) -> bool:
        """Whether the row's cell fulfils this; an empty cell does not."""
        value = row.get(self.column)
        if self.at_least is None:
            return value in (self.in_ or ())
        return isinstance(value, float) and value >= threshold(protocol, self.at_least)


class Condition(Section):
    """One condition; exactly one test of those drawn at the top of this file."""

    visit: Several[Tag] | None = None
    question: str | None = None
    in_: Several[str] | None = Field(None, alias="in")
    has: Several[str] | None = None
    count_min: int | None = None
    answered: bool | None = None
    rows_min: int | None = None
    rows_max: int | None = None
    where: Several[CellCondition] = ()

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        tests = (self.in_, self.has, self.count_min, self.answered, self.rows_min, self.rows_max)
        given = sum(test is not None for test in tests)
        if given != (0 if self.question is None else 1) or (self.visit is None) != bool(given):
            raise ValueError("a condition is on the visit, or on a question with exactly one test")
        return self

    def holds(self, answers: Answers, tags: Tags, protocol: Protocol) -> bool:
        """Whether this is true of a visit with these tags and the answers to what was asked."""
        if self.visit is not None:
            return set(self.visit) <= tags
        if self.rows_min is not None or self.rows_max is not None:
            return self._rows_hold(answers, protocol)
        question = self.question or ""
        if self.answered is not None:
            return (question in answers) is self.answered
        if question not in answers:
            return False
        return self._options_hold(chosen(answers, question))

    @property
    def on_absence(self) -> bool:
        """Whether an unanswered question can fulfil or fail this: all but tests on options."""
        return self.in_ is None and self.has is None and self.count_min is None

    def _options_hold(self, options: tuple[str, ...]) -> bool:
        if self.in_ is not None:
            return bool(options) and set(options) <= set(self.in_)
        if self.has is not None:
            return set(self.has) <= set(options)
        return len(set(options) - EXCLUSIVE) >= (self.count_min or 0)

    def _rows_hold(self, answers: Answers, protocol: Protocol) -> bool:
        found = sum(
            all(cell.holds(row, protocol) for cell in self.where)
            for row in rows(answers, self.question or "")
        )
        return (self.rows_min or 0) <= found and (self.rows_max is None or found <= self.rows_max)


@cache
def threshold_keys() -> frozenset[str]:
    """Return the dotted keys of all of a protocol's numbers."""
    sections = {name: field.annotation for name, field in Protocol.model_fields.items()}
    return frozenset(
        f"{name}.{key}"
        for name, section in sections.items()
        if isinstance(section, type) and issubclass(section, Section)
        for key in section.model_fields
    )


def threshold(protocol: Protocol, key: str) -> float:
    """Return a protocol's number by its dotted key, `signal.nodule_min_mm`."""
    section, _, name = key.partition(".")
    return float(getattr(getattr(protocol, section), name))
