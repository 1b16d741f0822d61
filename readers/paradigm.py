"""Paradigm: how a trial's images are read, as data: order, blinding, re-reads, discordance."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from imaging.threshold import Section
from readers.canonical import canonical, sha256
from readers.condition import Several
from readers.errors import FormError, ParadigmError
from readers.form import load_form

Share = Annotated[float, Field(ge=0, le=1)]
Endpoint = Literal["morphological_stability", "signal_characteristics", "fat_absence"]


class Readers(Section):
    """How many read one case, each blinded to the other."""

    per_case: Annotated[int, Field(ge=1, le=2)]


class Order(Section):
    """In which order cases and visits are read."""

    cases: Literal["random", "registered"]
    visits: Literal["chronological", "random"]
    locked_as_read: bool
    seed: int


class Blinding(Section):
    """What a reader may see before the own answers are locked."""

    machine_outline_before_lock: bool
    machine_values_after: Literal["visit", "case"]


class Rereads(Section):
    """How many finished cases are read again, and how long after."""

    fraction: Share
    washout_days: Annotated[int, Field(ge=0)]
    seed: int


class Discordance(Section):
    """What makes two reads differ."""

    endpoints: Several[Endpoint]
    questions: Several[str]
    seed: int


class Paradigm(Section):
    """One trial's way of reading."""

    id: str
    version: str
    form: str
    readers: Readers
    order: Order
    blinding: Blinding
    rereads: Rereads
    discordance: Discordance

    @property
    def sha256(self) -> str:
        """Hash of the content, by which an assignment names it."""
        return sha256(self.model_dump(mode="json"))

    @property
    def text(self) -> str:
        """The content as the store keeps it."""
        return canonical(self.model_dump(mode="json"))


def load_paradigm(path: Path | None = None) -> Paradigm:
    """Load a paradigm file, or the trial's own one when `path` is None.

    Raises
    ------
    ParadigmError
        Not readable, not TOML, or a key that is unknown, missing, out of range, or that names a
        form or question that there is not.
    """
    name = "nct07276568.toml" if path is None else path.name
    try:
        text = (
            files("readers").joinpath("paradigms", name).read_text("utf-8")
            if path is None
            else path.read_text("utf-8")
        )
        return checked(Paradigm.model_validate(tomllib.loads(text)))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParadigmError("paradigm_unreadable", file=name, detail=str(error)) from error
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ParadigmError("paradigm_keys", file=name, problems="; ".join(problems)) from error
    except FormError as error:
        raise ParadigmError("paradigm_keys", file=name, problems=str(error)) from error


def checked(paradigm: Paradigm) -> Paradigm:
    """Return the paradigm, when its form has the questions it names."""
    form = load_form(paradigm.form)
    for question in paradigm.discordance.questions:
        form.question(question)
    return paradigm


@cache
def stored(text: str) -> Paradigm:
    """Return the paradigm that the store keeps."""
    return Paradigm.model_validate_json(text)
