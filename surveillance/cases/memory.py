"""Memory: one bounded store of decoded arrays for all sessions of a process.

Sessions hold names, not arrays: what they look at is here once, however many look. When the
bound is passed, what was longest not asked for is forgotten and made again when it is needed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True)
class Memory:
    """Values by key, at most `limit_bytes` of them, the one asked for last included always."""

    limit_bytes: int
    held_bytes: int = 0
    _values: OrderedDict[Hashable, tuple[Any, int]] = field(default_factory=OrderedDict)
    _making: dict[Hashable, RLock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, key: Hashable, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
        """Return the value of `key`, made now if it is not held; two callers make it once.

        What `make` raises is raised here, and nothing is held.
        """
        found: Value | None = self._held(key)
        if found is not None:
            return found
        with self._one_maker(key):
            found = self._held(key)
            if found is not None:
                return found
            value = make()
            self._hold(key, value, size(value))
            return value

    def _held(self, key: Hashable) -> Any:
        with self._lock:
            entry = self._values.get(key)
            if entry is None:
                return None
            self._values.move_to_end(key)
            return entry[0]

    def _hold(self, key: Hashable, value: Any, size: int) -> None:
        with self._lock:
            self._values[key] = (value, size)
            self.held_bytes += size
            while self.held_bytes > self.limit_bytes and len(self._values) > 1:
                _, (_, forgotten) = self._values.popitem(last=False)
                self.held_bytes -= forgotten

    @contextmanager
    def _one_maker(self, key: Hashable) -> Any:
        with self._lock:
            # A value may be made from another one by the same thread, hence reentrant.
            lock = self._making.setdefault(key, RLock())
        with lock:
            yield
        with self._lock:
            self._making.pop(key, None)
