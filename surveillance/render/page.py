"""Page: a report as HTML that stands alone in one file, and as a tagged PDF of the same HTML."""

from __future__ import annotations

import base64
import hashlib
import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from html import unescape
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from surveillance.errors import ReportError
from surveillance.fingerprint import program_version
from surveillance.render.fonts import fonts_of
from surveillance.render.wording import Wording, legible

_SET_BY_CSS = "•0123456789 /…"
"""Letters of a page that stand in no text: bullets, page numbers."""


class Paper(StrEnum):
    """Size of a printed page."""

    A4 = "a4"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Look:
    """Language and paper of a report."""

    language: str = "en"
    paper: Paper = Paper.A4

    @property
    def words(self) -> Wording:
        """The wording of the language."""
        return Wording(self.language)


@dataclass(frozen=True, slots=True)
class Document:
    """A report in both forms."""

    html: str
    pdf: bytes


def document(template: str, look: Look, values: dict[str, Any]) -> Document:
    """Fill a template and print it.

    Raises
    ------
    ReportError
        Letters of the language, or Pango, are not installed.
    """
    css = files("surveillance.render").joinpath("report.css").read_text(encoding="utf-8")
    context = {
        **values,
        "words": look.words,
        "say": look.words.say,
        "language": "zh-Hans" if look.language == "zh" else "en",
        "paper": look.paper.value,
        "css": Markup(css),  # noqa: S704 (our own file)
        "program_version": program_version(),
    }
    filled = _environment().get_template(template)
    # The letters are known when the text is: it is filled twice, the second time with its fonts.
    letters = "".join(sorted(set(unescape(filled.render(fonts="", **context))) | set(_SET_BY_CSS)))
    faces = Markup(fonts_of(look.language).faces(letters))  # noqa: S704 (made by us: base64)
    html = filled.render(fonts=faces, **context)
    return Document(html, _pdf(html))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("surveillance", "render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"legible": legible, "png": png, "svg": svg, "num": num}
    return environment


def png(content: bytes) -> str:
    """Return a picture as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"


def svg(content: bytes) -> str:
    """Return a drawing as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode('ascii')}"


def num(value: float | None, decimals: int = 2, sign: bool = False) -> str:
    """Return a number, or a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:+.{decimals}f}" if sign else f"{value:.{decimals}f}"


def _pdf(html: str) -> bytes:
    try:
        import weasyprint  # noqa: PLC0415 (loads Pango, which --help and HTML do not need)
    except OSError as error:
        raise ReportError("report_no_pango", detail=str(error)[:120]) from error
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    made: bytes = weasyprint.HTML(string=html).write_pdf(
        pdf_variant="pdf/ua-1",
        pdf_identifier=hashlib.sha256(html.encode("utf-8")).digest()[:16],
    )
    return made
