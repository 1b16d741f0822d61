"""The viewer: a canvas in the browser, voxels by authorised URL, one function to mount it.

A page builds a `Hanging` and calls `mount_viewer`; the application gives `viewer_routes()` and
`viewer_middleware()` to `st.App`, and calls `forget_session` at logout. See docs/viewer.md.
"""

from surveillance.ui.viewer.annotation import Annotation, AnnotationKind, Plane
from surveillance.ui.viewer.events import EditedMask, Seed, ViewerEvents
from surveillance.ui.viewer.hanging import (
    Hanging,
    Layer,
    Layout,
    MaskLayer,
    Picture,
    Tool,
    WindowPreset,
)
from surveillance.ui.viewer.measured import Measured, measured
from surveillance.ui.viewer.mount import (
    default_presets,
    forget_session,
    mount_viewer,
    viewer_texts,
)
from surveillance.ui.viewer.routes import viewer_middleware, viewer_routes

__all__ = [
    "Annotation",
    "AnnotationKind",
    "EditedMask",
    "Hanging",
    "Layer",
    "Layout",
    "MaskLayer",
    "Measured",
    "Picture",
    "Plane",
    "Seed",
    "Tool",
    "ViewerEvents",
    "WindowPreset",
    "default_presets",
    "forget_session",
    "measured",
    "mount_viewer",
    "viewer_middleware",
    "viewer_routes",
    "viewer_texts",
]
