"""Quiet: pydicom's remarks on odd values kept off the screen; what matters becomes a refusal.

Warnings and loggers belong to the whole process, and visits are read by several threads: the first
to come in silences, the last to leave gives back, or one would undo what the other needs.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

_LOCK = Lock()
_INSIDE: list[object] = []
_SILENCE = ExitStack()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom silent until all that came in have left."""
    me = object()
    with _LOCK:
        if not _INSIDE:
            _SILENCE.enter_context(_silenced())
        _INSIDE.append(me)
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE.remove(me)
            if not _INSIDE:
                _SILENCE.close()


@contextmanager
def _silenced() -> Iterator[None]:
    logger = logging.getLogger("pydicom")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = disabled
