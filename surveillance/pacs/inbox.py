"""Inbox: studies that others send to us, and when each of them is complete."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from pydicom import dcmread

from imaging.errors import NodeError
from imaging.loaders.quiet import quiet
from surveillance.exports.writing import write_text
from surveillance.pacs.node import Instance, instance_of, proper_uid
from surveillance.pacs.stock import Stock

DELIVERED = "delivered.json"
_UIDS = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
Clock = Callable[[], float]


@dataclass(slots=True)
class Inbox:
    """A stock fed by senders; knows what has been dealt with, over restarts too.

    Parameters
    ----------
    clock
        Seconds that only ever grow, such as `time.monotonic`.
    """

    stock: Stock
    clock: Clock
    _last: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        """Take what an earlier run received and did not finish as if it came now."""
        for study in self.stock.studies():
            self._last[study] = self.clock()

    def keep(self, sop: str, content: bytes) -> bool:
        """Keep one file that was sent; False when it is damaged or has no proper UIDs.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        try:
            instance = _instance(content)
        except NodeError:
            return False
        kept = sop == instance.sop and self.stock.keep(instance, content)
        if kept:
            with self._lock:
                self._last[instance.study] = self.clock()
        return kept

    def waiting(self) -> list[str]:
        """Return the studies that have not been dealt with as they are now, sorted."""
        done = self._delivered()
        with self._lock:
            studies = sorted(self._last)
        return [study for study in studies if done.get(study) != self.content(study)]

    def quiet_for_s(self, study: str) -> float:
        """Return how long ago the last image of a study came."""
        with self._lock:
            return self.clock() - self._last[study]

    def content(self, study: str) -> str:
        """Return a hash of a study's images as they are now."""
        lines = (f"{digest} {name}" for name, digest in sorted(self.stock.files_of(study).items()))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def delivered(self, study: str, content: str) -> None:
        """Remember that a study with that content has been dealt with."""
        done = self._delivered() | {study: content}
        write_text(self._record, json.dumps(done, indent=1, sort_keys=True) + "\n")

    @property
    def _record(self) -> Path:
        return self.stock.folder / DELIVERED

    def _delivered(self) -> dict[str, str]:
        if not self._record.exists():
            return {}
        return dict(json.loads(self._record.read_text(encoding="utf-8")))


def _instance(content: bytes) -> Instance:
    """Read the UIDs; they become names of files, so they must be UIDs and nothing else."""
    sender = "sender"
    try:
        with quiet():
            header = dcmread(io.BytesIO(content), stop_before_pixels=True, specific_tags=[*_UIDS])
            study = proper_uid(sender, header.get("StudyInstanceUID"))
            return instance_of(sender, study, header)
    except NodeError:
        raise
    except Exception as error:  # a header from outside can break the parser in any way
        raise NodeError("node_answer", node=sender, detail=type(error).__name__) from error
