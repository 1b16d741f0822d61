"""Burned in: whether an image may show text; such an image is refused, never painted over."""

from __future__ import annotations

from pydicom import Dataset

from imaging.loaders.attributes import word, words

_SCREENS = {"SCREEN SAVE", "SCREENSHOT", "SCREEN_SAVE", "SAVE", "PASTED", "REPORT"}


def is_suspect(ds: Dataset) -> bool:
    """Whether the header says that text is burned in, or that this is a picture of a screen.

    The pixels themselves are not read for text.
    """
    if (word(ds, "BurnedInAnnotation") or "").upper() == "YES":
        return True
    image_type = {token.upper() for token in words(ds, "ImageType")}
    return bool(_SCREENS & image_type) or word(ds, "ConversionType") is not None


def is_stated_clean(ds: Dataset) -> bool:
    """Whether the header says that nothing is burned in."""
    return (word(ds, "BurnedInAnnotation") or "").upper() == "NO"
