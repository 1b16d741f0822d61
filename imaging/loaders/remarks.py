"""Remarks: what libjpeg says on the terminal while it decodes, caught so that a file can be named.

It writes to file descriptor 2 itself, of which Python knows nothing, and goes on decoding.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Lock
from typing import BinaryIO, cast

_WARNINGS = re.compile(
    rb"Corrupt JPEG data: .*|Premature end of JPEG file|Invalid SOS parameters .*"
    rb"|Inconsistent progression sequence .*|Unknown Adobe color transform code .*"
    rb"|Warning: unknown JFIF revision number .*"
)
"""All warnings of libjpeg's jerror.h that a decoder can meet."""
_ONE_AT_A_TIME = Lock()


@contextmanager
def remarks() -> Iterator[set[str]]:
    """Hold the process's standard error; the set holds what libjpeg said, when it is left.

    What anyone else says meanwhile comes a moment later. Without a standard error (a daemon's
    descriptor 2 may be any file) nothing is held.
    """
    said: set[str] = set()
    if sys.__stderr__ is None:
        yield said
        return
    with _ONE_AT_A_TIME, _buffer() as caught:
        terminal = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            said |= _sorted_out(caught)


def _buffer() -> BinaryIO:
    """Return a file in memory where the system has such, so that a full disk is no matter."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("remarks"), "w+b")
    return cast(BinaryIO, TemporaryFile())


def _sorted_out(caught: BinaryIO) -> set[str]:
    """Return libjpeg's lines, and pass all others on."""
    caught.seek(0)
    said = set()
    for line in caught:
        if _WARNINGS.fullmatch(line.rstrip(b"\n")):
            said.add(line.decode("ascii", "replace").strip())
        else:
            os.write(2, line)
    return said
