"""Burned in: whether an image may show text; such an image is refused, never painted over."""

from __future__ import annotations

from pydicom import Dataset

from imaging.errors import FileError
from imaging.loaders.attributes import word, words
from surveillance.deidentification.drawn_text import shows_text

_SCREENS = {"SCREEN SAVE", "SCREENSHOT", "SCREEN_SAVE", "SAVE", "PASTED", "REPORT"}


def is_suspect(ds: Dataset) -> bool:
    """Whether the header says that text is burned in, or that this is a picture of a screen."""
    if (word(ds, "BurnedInAnnotation") or "").upper() == "YES":
        return True
    image_type = {token.upper() for token in words(ds, "ImageType")}
    return bool(_SCREENS & image_type) or word(ds, "ConversionType") is not None


def is_stated_clean(ds: Dataset) -> bool:
    """Whether the header says that nothing is burned in."""
    return (word(ds, "BurnedInAnnotation") or "").upper() == "NO"


def check_pixels(ds: Dataset, file: str) -> None:
    """Search all frames for lettering.

    Raises
    ------
    FileError
        There is some, or the pixels cannot be decoded, so that nobody can know.
    """
    try:
        pixels = ds.pixel_array
    except Exception as error:  # what decoders raise at damaged pixels has no end
        raise FileError("pixels_not_searched", file=file, detail=type(error).__name__) from error
    if any(shows_text(frame) for frame in pixels.reshape(-1, *pixels.shape[-2:])):
        raise FileError("text_drawn", file=file)
