"""Mounting: the one function between a page and the component in the browser."""

from __future__ import annotations

from surveillance.ui.viewer.events import ViewerEvents
from surveillance.ui.viewer.hanging import Hanging, WindowPreset

DEFAULT_HEIGHT_PX = 760


def mount_viewer(
    hanging: Hanging,
    *,
    user_session: str,
    presets: tuple[WindowPreset, ...] = (),
    height_px: int = DEFAULT_HEIGHT_PX,
) -> ViewerEvents:
    """Draw the viewer at this place of the page and return what the reader did in it.

    Parameters
    ----------
    hanging
        What to show.
    user_session
        Name of the signed-in session: URLs are issued to it and die with `forget_session`.
    presets
        Windows offered; none for the viewer's own.
    height_px
        Height of the viewer.

    Returns
    -------
    What was done since the last run; nothing on the first.
    """
    raise NotImplementedError


def forget_session(user_session: str) -> None:
    """Withdraw every URL issued to a session: call at logout and expiry."""
    raise NotImplementedError
