"""Mounting: the one function between a page and the component in the browser."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

from imaging.errors import InputError
from imaging.messages import keys, text
from surveillance.ui.viewer.contract import Messenger
from surveillance.ui.viewer.events import ViewerEvents
from surveillance.ui.viewer.hanging import Hanging, WindowPreset
from surveillance.ui.viewer.message import annotations_of, edited_of, seed_of
from surveillance.ui.viewer.routes import BROWSER_COOKIE
from surveillance.ui.viewer.tokens import TokenOffice, process_office

COMPONENT = "graftsite.viewer"
_Value = TypeVar("_Value")


def mount_viewer(
    hanging: Hanging,
    *,
    user_session: str,
    owner: str | None = None,
    presets: tuple[WindowPreset, ...] | None = None,
    texts: Mapping[str, str] | None = None,
    office: TokenOffice | None = None,
) -> ViewerEvents:
    """Draw the viewer at this place of the page and return what the reader did in it.

    It is as wide as its place and as high as what is left of the window below its top.

    Parameters
    ----------
    hanging
        What to show.
    user_session
        Name of the signed-in session: URLs are issued to it and die with `forget_session`.
    owner
        Name of the person, of which the browser sees a hash: undo steps and unsaved strokes in a
        tab are found again by the same person only. When not given they end with the session.
    presets
        Windows offered instead of `default_presets()`.
    texts
        The catalogue's `viewer.` section in the reader's language, without its prefix;
        English when not given.
    office
        Who issues URLs; the one of this process unless a test brings its own.

    Returns
    -------
    What was done since the last run; nothing on the first.
    """
    browser = st.context.cookies.get(BROWSER_COOKIE, "")
    messenger = Messenger(office or process_office(), user_session, browser)
    shown = default_presets() if presets is None else presets
    told = messenger.describe(hanging, shown, texts or viewer_texts())
    _register()
    result = st.components.v2.component(COMPONENT, js="viewer-*.js", css="viewer-*.css")(
        key=f"viewer-{hanging.case}",
        data=told | {"memory": _memory(hanging.case, owner or user_session)},
        on_annotations_change=_nothing,
        on_seed_change=_nothing,
        on_edited_change=_nothing,
        on_renew_change=_nothing,
    )
    return events_of(result, hanging)


def forget_session(user_session: str, office: TokenOffice | None = None) -> None:
    """Withdraw every URL issued to a session: call at logout and expiry."""
    (office or process_office()).forget(user_session)


def viewer_texts(language: str = "en") -> dict[str, str]:
    """Return what the viewer says."""
    names = [key for key in keys() if key.startswith("viewer.")]
    return {name.removeprefix("viewer."): text(name, language) for name in names}


def default_presets(language: str = "en") -> tuple[WindowPreset, ...]:
    """Return windows that suit muscle, graft and fluid on fat-suppressed images.

    How grey an image is shown is no finding; the ratios are those of docs/viewer.md.
    """
    return (
        WindowPreset(text("viewer.preset_standard", language), 0.0, 3.0),
        WindowPreset(text("viewer.preset_muscle", language), 0.4, 1.8),
        WindowPreset(text("viewer.preset_bright", language), 0.0, 6.0),
        WindowPreset(text("viewer.preset_fat", language), 0.0, 1.2),
    )


def _memory(case: str, owner: str) -> str:
    """Return what the steps of one person on one case are kept under, telling neither."""
    return hashlib.sha256(f"{owner}\n{case}".encode()).hexdigest()[:32]


def _register() -> None:
    """Tell Streamlit where the bundle is, once a server.

    Streamlit looks for manifests in packages that are named as their distribution and not
    installed as editable; ours is neither, so it is told.
    """
    manager = get_bidi_component_manager()
    if manager.get(COMPONENT) is None:
        config = ComponentConfig(name="viewer", asset_dir="static")
        manifest = ComponentManifest(name="graftsite", version="1", components=[config])
        manager.register_from_manifest(manifest, Path(__file__).parent)


def _nothing() -> None:
    """Streamlit keeps a component's values only where a callback asks for them."""


def events_of(result: Any, hanging: Hanging) -> ViewerEvents:
    """Return the events of what Streamlit hands over of the component, each message checked."""
    refused: list[InputError] = []

    def checked(message: Any, believe: Callable[[Any, Hanging], _Value]) -> _Value | None:
        if message is None:
            return None
        try:
            return believe(message, hanging)
        except InputError as error:
            refused.append(error)
            return None

    return ViewerEvents(
        seed=checked(result.seed, seed_of),
        edited=checked(result.edited, edited_of),
        annotations=checked(result.annotations, annotations_of),
        refused=refused[0] if refused else None,
    )
