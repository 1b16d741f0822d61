"""Silence is shared by threads: the first to leave takes it from nobody."""

import logging
import warnings

import pytest

from imaging.loaders.quiet import quiet

PYDICOM = logging.getLogger("pydicom")


def test_pydicom_is_silent_until_the_last_has_left_and_then_as_before():
    before, first, second = list(warnings.filters), quiet(), quiet()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert PYDICOM.disabled, "the second still reads"
    warnings.warn("pytest would make this an error", UserWarning, stacklevel=1)
    second.__exit__(None, None, None)
    assert not PYDICOM.disabled
    assert list(warnings.filters) == before


def test_an_error_inside_gives_the_voice_back():
    before = list(warnings.filters)
    with pytest.raises(ValueError, match="no number"), quiet():
        int("no number")
    assert not PYDICOM.disabled
    assert list(warnings.filters) == before
