"""Form: the questions of one visit and their allowed answers, as versioned data in two languages.

A form is a folder `forms/<version>/`: form.toml (questions), checks.toml (edit checks) and
endpoints.toml (from answers to endpoints). A version that was used stays as it is for ever, so
that an old read can be shown on the form it was made on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from imaging.findings.status import Status
from imaging.protocol import Protocol
from imaging.threshold import Count, Section
from readers.answers import Answers, frozen
from readers.condition import Condition, Several, Tag, Tags
from readers.errors import FormError

Language = Literal["en", "zh"]
Kind = Literal["choice", "choices", "number", "text", "table", "mark"]


class Words(Section):
    """One sentence in English and in Simplified Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def to(self, language: Language) -> str:
        """Return the sentence in one language."""
        return self.zh if language == "zh" else self.en


class Option(Section):
    """One allowed answer; an exclusive one goes with no other."""

    id: str
    label: Words
    key: str | None = Field(None, min_length=1, max_length=1)
    exclusive: bool = False


class Item(Section):
    """What a question and a column of a table have in common."""

    id: str
    kind: Kind
    label: Words
    visits: Several[Tag] = ()
    options: Several[Option] = ()
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    decimals: int | None = None

    @model_validator(mode="after")
    def _complete(self) -> Item:
        if (self.kind in ("choice", "choices")) != bool(self.options):
            raise ValueError(f"{self.id}: options belong to choices, and choices need them")
        limits = (self.unit, self.min, self.max, self.decimals)
        if (self.kind == "number") != (None not in limits) or (
            self.kind != "number" and any(limit is not None for limit in limits)
        ):
            raise ValueError(f"{self.id}: unit, min, max and decimals belong to numbers, all four")
        _distinct([o.id for o in self.options], self.id)
        _distinct([o.key for o in self.options if o.key], f"{self.id} keys")
        return self

    def option(self, id_: str) -> Option | None:
        """Return one option, None when there is none of that id."""
        return next((o for o in self.options if o.id == id_), None)


class Column(Item):
    """One column of a table."""


class Question(Item):
    """One question; `key` takes the reader to it."""

    key: str = Field(min_length=1, max_length=1)
    required: bool = True
    help: Words | None = None
    ask_when: Several[Condition] = ()
    columns: Several[Column] = Field((), alias="column")

    @model_validator(mode="after")
    def _columns_of_a_table(self) -> Question:
        if (self.kind == "table") != bool(self.columns):
            raise ValueError(f"{self.id}: columns belong to tables, and tables need them")
        _distinct([c.id for c in self.columns], self.id)
        return self


class FormSection(Section):
    """Questions that stand together on the screen."""

    id: str
    label: Words
    questions: Several[Question] = Field(alias="question")


class Limits(Section):
    """How much one read may hold."""

    comment_chars_max: Count
    table_rows_max: Count
    marks_max: Count


class Messages(Section):
    """What is said of a draft whatever the question."""

    missing: Words
    cell_missing: Words
    no_mark: Words
    not_asked: Words


class Check(Section):
    """An edit check: when all of `when` hold, all of `then` must; shown beside question `at`."""

    id: str
    severity: Literal["error", "warning"]
    at: str
    when: Several[Condition]
    then: Several[Condition]
    message: Words


class Rule(Section):
    """One line of a decision list: the status when all conditions hold, and why."""

    status: Literal["favorable", "adverse", "indeterminate"]
    when: Several[Condition]
    reason: Words


class Form(Section):
    """All questions, edit checks and endpoint rules of one version."""

    version: str
    title: Words
    limits: Limits
    messages: Messages
    sections: Several[FormSection] = Field(alias="section")
    checks: Several[Check] = Field(alias="check")
    endpoints: dict[str, Several[Rule]]

    @model_validator(mode="after")
    def _consistent(self) -> Form:
        questions = list(self.questions)
        _distinct([q.id for q in questions], "questions")
        _distinct([q.key for q in questions], "keys")
        _distinct([c.id for c in self.checks], "checks")
        known = {q.id for q in questions}
        asked = {c.question for c in self._conditions() if c.question} | {c.at for c in self.checks}
        if asked - known:
            raise ValueError(f"conditions on unknown questions: {sorted(asked - known)}")
        if any(not rules or rules[-1].when for rules in self.endpoints.values()):
            raise ValueError("the last rule of an endpoint has no condition: it answers the rest")
        return self

    def _conditions(self) -> Iterator[Condition]:
        for question in self.questions:
            yield from question.ask_when
        for check in self.checks:
            yield from (*check.when, *check.then)
        for rules in self.endpoints.values():
            for rule in rules:
                yield from rule.when

    @property
    def questions(self) -> Iterator[Question]:
        """All questions in the order they are asked."""
        return (question for section in self.sections for question in section.questions)

    def question(self, id_: str) -> Question:
        """Return one question.

        Raises
        ------
        FormError
            The form has no such question.
        """
        found = next((q for q in self.questions if q.id == id_), None)
        if found is None:
            raise FormError("form_unknown_question", question=id_[:40], version=self.version)
        return found

    def asked(self, answers: Answers, tags: Tags, protocol: Protocol) -> tuple[Question, ...]:
        """Return the questions to ask at a visit, given the answers so far."""
        return tuple(
            question
            for question in self.questions
            if set(question.visits) <= tags
            and all(c.holds(answers, tags, protocol) for c in question.ask_when)
        )

    def relevant(self, answers: Answers, tags: Tags, protocol: Protocol) -> Answers:
        """Return the answers to the questions that are asked; what was hidden again is left out."""
        kept = {q.id for q in self.asked(answers, tags, protocol)}
        return frozen({name: value for name, value in answers.items() if name in kept})

    def endpoint(
        self, name: str, answers: Answers, tags: Tags, protocol: Protocol
    ) -> tuple[Status, Words]:
        """Return one endpoint's status by the first rule that holds, and its reason."""
        relevant = self.relevant(answers, tags, protocol)
        for rule in self.endpoints[name]:
            if all(c.holds(relevant, tags, protocol) for c in rule.when):
                return Status(rule.status), rule.reason
        raise AssertionError("the last rule of an endpoint holds always")  # pragma: no cover


def _distinct(names: list[str], what: str) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"{what}: an id or key stands twice")


def versions() -> tuple[str, ...]:
    """Return all versions shipped, oldest first."""
    folder = files("readers").joinpath("forms")
    return tuple(sorted((f.name for f in folder.iterdir() if f.name.isdigit()), key=int))


@cache
def load_form(version: str) -> Form:
    """Load one shipped version.

    Raises
    ------
    FormError
        There is no such version, or its files are not usable.
    """
    if version not in versions():
        raise FormError(
            "form_unknown_version", version=version[:20], versions=", ".join(versions())
        )
    folder = files("readers").joinpath("forms", version)
    parts = (folder.joinpath(name).read_text("utf-8") for name in ("form.toml", "checks.toml"))
    rules = folder.joinpath("endpoints.toml").read_text("utf-8")
    return parse_form(version, *parts, endpoints=rules)


def parse_form(version: str, form: str, checks: str, *, endpoints: str) -> Form:
    """Return a form from the text of its three files.

    Raises
    ------
    FormError
        Not TOML, a key that is unknown, missing or ill-typed, an id or shortcut that stands
        twice, or a condition on a question that is not there.
    """
    try:
        rules = {name: table["rules"] for name, table in tomllib.loads(endpoints).items()}
        raw: dict[str, Any] = {**tomllib.loads(form), **tomllib.loads(checks), "endpoints": rules}
        return Form.model_validate(raw)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise FormError("form_unusable", version=version, problems=str(error)) from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise FormError("form_unusable", version=version, problems="; ".join(problems)) from error
