"""Contract: what the form in the browser is told, as JSON; form.js reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from imaging.protocol import Protocol
from readers.answers import plain
from readers.edit_checks import problems
from readers.form import Item, Language, Question, load_form
from readers.read import Content, Read
from surveillance.ui.form.texts import form_texts


@dataclass(frozen=True, slots=True)
class Status:
    """How the last message of the form fared; `echo` is its number.

    `held`: Python has it until the session ends; it is stored when it is signed.
    `taken`: the form takes what Python has, whatever was typed.
    """

    state: Literal["new", "saved", "held", "failed", "conflict", "taken"] = "new"
    text: str = ""
    echo: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How a form is shown.

    Parameters
    ----------
    action
        What the button below says, None for no button.
    tried
        The reader has tried to finish: what is missing is shown everywhere.
    name
        By which the browser keeps unsaved answers apart from those of other forms.
    note
        A line above the questions.
    to_problem
        Open the first question that stands in the way of a signature.
    """

    language: Language
    status: Status = Status()
    read_only: bool = False
    action: str | None = None
    tried: bool = False
    name: str | None = None
    note: str = ""
    to_problem: bool = False


def described(read: Read, content: Content, protocol: Protocol, look: Look) -> dict[str, Any]:
    """Return the form of a read with some content, and what is missing in it."""
    language, status = look.language, look.status
    form = load_form(read.form_version)
    asked = form.asked(content.answers, read.tags, protocol)
    found = problems(form, content.answers, content.marks, read.tags, protocol)
    errors = [problem for problem in found if problem.severity == "error"]
    return {
        "read": look.name or form_name(read.id),
        "revision": read.revision,
        "title": form.title.to(language),
        "sections": [
            {
                "label": section.label.to(language),
                "questions": [_question(q, read.tags, language) for q in section.questions],
            }
            for section in form.sections
        ],
        "asked": [question.id for question in asked],
        "answers": plain(content.answers),
        "marks": [{"id": m.id, "label": _mark(m.id, n, m.slice_index)} for n, m in _foci(content)],
        "problems": [
            {"at": p.at, "severity": p.severity, "message": p.message.to(language)} for p in found
        ],
        "status": {"state": status.state, "text": status.text, "echo": status.echo},
        "readOnly": look.read_only,
        "complete": look.tried,
        "action": look.action,
        "note": look.note,
        "goTo": next((p.at for p in errors), None) if look.to_problem else None,
        "textMax": form.limits.comment_chars_max,
        "texts": form_texts(language),
    }


def form_name(read_id: int) -> str:
    """Return the name of the form of a draft."""
    return f"read-{read_id}"


def _foci(content: Content) -> list[tuple[int, Any]]:
    return [(n, m) for n, m in enumerate(content.marks, start=1) if m.kind == "point"]


def _mark(_id: str, number: int, slice_index: int) -> str:
    return f"{number} ({slice_index + 1})"


def _question(question: Question, tags: Collection[str], language: Language) -> dict[str, Any]:
    told = _item(question, language)
    columns = [c for c in question.columns if set(c.visits) <= set(tags)]
    return {
        **told,
        "key": question.key,
        "required": question.required,
        "help": question.help.to(language) if question.help else None,
        "columns": [_item(column, language) for column in columns],
    }


def _item(item: Item, language: Language) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "label": item.label.to(language),
        "unit": item.unit,
        "min": item.min,
        "max": item.max,
        "decimals": item.decimals,
        "options": [
            {"id": o.id, "key": o.key, "label": o.label.to(language), "exclusive": o.exclusive}
            for o in item.options
        ],
    }


def answers_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answers of a message, which `readers.parsing` then checks; {} for none."""
    answers = message.get("answers")
    return answers if isinstance(answers, Mapping) else {}
