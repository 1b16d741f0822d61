"""Running: the station of this process.

Streamlit runs a page's script without arguments, so what the server was started with is put down
here, once, and picked up by every run of the script.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from surveillance.station import Station


@dataclass(slots=True)
class _Process:
    station: Station | None = field(default=None)


_PROCESS = _Process()


def put_down(station: Station) -> None:
    """Name the station that this process serves."""
    _PROCESS.station = station


def running_station() -> Station:
    """Return the station that this process serves."""
    if _PROCESS.station is None:
        raise RuntimeError("the script is run by surveillance.ui.server, not alone")
    return _PROCESS.station
