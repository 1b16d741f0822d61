"""The page of viewer_app.py.

`?scene=` chooses what hangs, `?store=` where edits are kept between sessions, `?save=never` loses
them, `?language=` the words. What came back from the viewer is written on the right.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import streamlit as st
from viewer_scenes import SCENES

from imaging.volume import Mask
from surveillance.ui.viewer import (
    MaskLayer,
    default_presets,
    forget_session,
    mount_viewer,
    viewer_texts,
)

st.set_page_config(layout="wide")
st.html(
    "<style>header{display:none!important}"
    "[data-testid=stMainBlockContainer]{padding:8px 8px 0}</style>"
)
asked = st.query_params.to_dict()
language = asked.get("language", "en")


@st.cache_resource
def hanging_of(scene):
    return SCENES[scene]()


@st.cache_resource
def kept(name):  # noqa: ARG001  (the key of the cache)
    """What a database would hold: masks and drawings, alive as long as the process."""
    return {"masks": {}, "log": [], "annotations": ()}


store = kept(asked.get("store", st.context.cookies.get("graftsite_browser", "")))


def as_saved(picture):
    layers = tuple(
        MaskLayer(
            layer.layer, store["masks"].get((picture.key, layer.layer), layer.mask), layer.editable
        )
        for layer in picture.layers
    )
    return replace(picture, layers=layers)


def save(picture, mask):
    if asked.get("save") != "never":
        layer = next(layer.layer for layer in picture.layers if layer.editable)
        store["masks"][picture.key, layer] = mask


hanging = hanging_of(asked.get("scene", "reading"))
hanging = replace(
    hanging,
    pictures=tuple(as_saved(picture) for picture in hanging.pictures),
    annotations=store["annotations"],
)
left, right = st.columns([4, 1], gap="small")
with left:
    events = mount_viewer(
        hanging,
        user_session="tester",
        owner=asked.get("owner"),
        presets=default_presets(language),
        texts=viewer_texts(language),
    )
with right:
    st.text_input("Comment", key="comment")
    st.radio("Graft seen", ["yes", "no"], key="seen")
    st.button("Run again")
    if st.button("Sign out"):
        forget_session("tester")
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    if events.edited:
        voxels = np.argwhere(events.edited.mask.array)
        few = voxels.tolist() if len(voxels) < 200 else []
        store["log"].append(["edited", events.edited.picture, len(voxels), few])
        save(hanging.picture(events.edited.picture), events.edited.mask)
        st.rerun()
    if events.seed:
        picture = hanging.picture(events.seed.picture)
        store["log"].append(["seed", picture.key, events.seed.points_mm])
        grid = picture.volume.geometry
        grown = np.zeros(grid.shape, bool)
        for i, j, k in np.rint(grid.to_index(events.seed.points_mm)).astype(int):
            grown[i - 3 : i + 4, j - 3 : j + 4, k] = True
        save(picture, Mask(grown, grid))
        st.rerun()
    if events.annotations is not None:
        store["annotations"] = events.annotations
    if events.refused:
        st.error(str(events.refused))
    drawn = [
        [a.kind, a.picture, a.plane, a.slice_number, a.points_mm] for a in store["annotations"]
    ]
    written = {"runs": st.session_state.runs, "log": store["log"], "annotations": drawn}
    st.html(f'<pre id="written" style="display:none">{json.dumps(written)}</pre>')
