"""Absence: a time in which nobody is there to do the work; said, and borne for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from imaging.errors import NodeError


@dataclass(slots=True)
class Absence:
    """Watches whether there are workers.

    Parameters
    ----------
    patience_s
        How long there may be none.
    tell
        Is told `patience_s` when there are none any more, and None when there are some again.
    """

    patience_s: float
    tell: Callable[[float | None], None]
    _since_s: float | None = None

    def look(self, *, there: bool) -> None:
        """Take notice of whether somebody is there now.

        Raises
        ------
        NodeError
            Nobody has been there for longer than there is patience.
        """
        if there:
            if self._since_s is not None:
                self._since_s = None
                self.tell(None)
        elif self._since_s is None:
            self._since_s = time.monotonic()
            self.tell(self.patience_s)
        elif time.monotonic() - self._since_s >= self.patience_s:
            raise NodeError("cluster_deserted", patience_s=f"{self.patience_s:g}")
