"""Fonts: the letters of a report, cut to those it uses and put into the file itself.

Western letters are DejaVu Sans, which matplotlib brings along; Chinese ones are Noto Sans CJK SC
of the system (Debian: fonts-noto-cjk). PDF and HTML therefore look alike everywhere.
"""

from __future__ import annotations

import base64
import io
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont
from matplotlib import font_manager

from surveillance.errors import ReportError

_CJK_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts")
_CJK_FACE = "Noto Sans CJK SC"
_CJK_FILES = {400: "NotoSansCJK-Regular.ttc", 700: "NotoSansCJK-Bold.ttc"}


@dataclass(frozen=True, slots=True)
class Fonts:
    """The font files of a language by weight, and their families' names for a plot."""

    files: dict[int, bytes]
    plot_families: tuple[str, ...]

    def faces(self, text: str) -> str:
        """Return CSS that embeds the letters of `text`, as family "Report"."""
        return "\n".join(
            f"@font-face {{ font-family: Report; font-weight: {weight}; "
            f"src: url(data:font/woff2;base64,{_subset(file, text)}) }}"
            for weight, file in self.files.items()
        )


@cache
def fonts_of(language: str) -> Fonts:
    """Return the fonts of a language.

    Raises
    ------
    ReportError
        Chinese letters are asked for and the system has no Noto Sans CJK.
    """
    if language != "zh":
        folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
        names = {400: "DejaVuSans.ttf", 700: "DejaVuSans-Bold.ttf"}
        files = {weight: (folder / name).read_bytes() for weight, name in names.items()}
        return Fonts(files, ("DejaVu Sans",))
    files = {weight: _face(_found(name)) for weight, name in _CJK_FILES.items()}
    _tell_matplotlib(files[400])
    return Fonts(files, (_CJK_FACE, "DejaVu Sans"))


def _found(name: str) -> Path:
    for folder in _CJK_FOLDERS:
        for file in sorted(Path(folder).expanduser().rglob(name)):
            return file
    raise ReportError("report_no_font", font=_CJK_FACE)


def _face(collection: Path) -> bytes:
    """Take one face out of a collection of them."""
    held = io.BytesIO()
    with TTCollection(collection, lazy=True) as faces:
        face = next(f for f in faces.fonts if f["name"].getDebugName(4).startswith(_CJK_FACE))
        face.save(held)
    return held.getvalue()


def _tell_matplotlib(face: bytes) -> None:
    # matplotlib reads a font from a file only, and reads it when it first draws with it.
    file = Path(tempfile.mkdtemp(prefix="graftsite-font-")) / "face.otf"
    file.write_bytes(face)
    font_manager.fontManager.addfont(str(file))


def _subset(file: bytes, text: str) -> str:
    options = Options(flavor="woff2", notdef_outline=True, layout_features=["kern"], hinting=False)
    options.drop_tables += ["FFTM"]  # FontForge's own time stamp
    font = TTFont(io.BytesIO(file), recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(text=text + " ")
    subsetter.subset(font)
    font.flavor = "woff2"
    held = io.BytesIO()
    font.save(held)
    return base64.b64encode(held.getvalue()).decode("ascii")
