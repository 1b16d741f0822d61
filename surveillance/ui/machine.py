"""Machine: the program's values of a visit beside the reader's answers, as one table."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from readers.read import Read
from surveillance.exports.contract import VisitBlock
from surveillance.ui.desk import Desk

_ENDPOINTS = ("morphological_stability", "signal_characteristics", "fat_absence")
_NAMES = (
    "source", "volume_ml", "volume_change_percent", "max_diameter_mm", "t2_ratio", "t1_ratio",
    "confidence", "flag",
)  # fmt: skip
Row = tuple[str, str, str, str]


def comparison(desk: Desk, read: Read, machine: VisitBlock, again: VisitBlock | None) -> None:
    """Draw the table; `again` is the visit measured with the reader's own outline, if any."""
    heads = [desk.text(f"machine.{name}") for name in ("what", "mine", "machine", "edited")]
    rows = [*_endpoints(desk, read, machine, again), *_numbers(desk, read, machine, again)]
    columns = 4 if again is not None else 3
    st.table([dict(zip(heads[:columns], row, strict=False)) for row in rows], hide_index=True)
    for name in _ENDPOINTS:
        finding = getattr(machine.findings, name)
        with st.expander(f"{desk.text(f'machine.{name}')}: {_status(desk, finding.status)}"):
            for reason in finding.reasons:
                st.text(reason)
    st.caption(desk.text("machine.research"))


def _endpoints(
    desk: Desk, read: Read, machine: VisitBlock, again: VisitBlock | None
) -> Iterator[Row]:
    mine = read.current.endpoints if read.current else {}
    for name in _ENDPOINTS:
        given = (mine.get(name), _judged(machine, name), _judged(again, name))
        first, second, third = (_status(desk, status) for status in given)
        yield desk.text(f"machine.{name}"), first, second, third


def _judged(block: VisitBlock | None, name: str) -> str | None:
    return None if block is None else str(getattr(block.findings, name).status)


def _numbers(
    desk: Desk, read: Read, machine: VisitBlock, again: VisitBlock | None
) -> Iterator[Row]:
    diameter = read.content.answers.get("diameter_mm")
    own = {"max_diameter_mm": f"{diameter:g}"} if isinstance(diameter, float) else {}
    pairs = zip(_values(desk, machine), _values(desk, again), strict=True)
    for (name, value), (_, other) in pairs:
        yield desk.text(f"machine.{name}"), own.get(name, ""), value, other


def _values(desk: Desk, block: VisitBlock | None) -> Iterator[tuple[str, str]]:
    if block is None:
        yield from ((name, "") for name in _NAMES)
        return
    change = block.change
    yield "source", desk.text(f"machine.source_{block.graft.source}")
    yield "volume_ml", _number(block.graft.volume_ml, 1)
    yield "volume_change_percent", _number(change.volume_percent if change else None, 0, "+")
    yield "max_diameter_mm", _number(block.graft.max_diameter_mm, 0)
    yield "t2_ratio", _number(block.t2.graft_to_muscle_ratio, 2)
    yield "t1_ratio", _number(block.t1.graft_to_muscle_ratio, 2)
    yield "confidence", _number(block.graft.confidence, 2)
    level = block.surveillance_flag.level
    yield "flag", "–" if level is None else desk.text(f"machine.flag_{level}")


def _number(value: float | None, decimals: int, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.{decimals}f}"


def _status(desk: Desk, status: str | None) -> str:
    return "–" if status is None else desk.text(f"machine.{status}")
