"""The page of viewer_app.py: `?scene=` chooses what hangs; what came back is written below."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import streamlit as st

from surveillance.ui.viewer import MaskLayer, forget_session, mount_viewer
from tests.viewer_scenes import SCENES

st.set_page_config(layout="wide")
st.html("<style>.block-container{padding:1rem 1rem 0}header{display:none!important}</style>")

scene = st.query_params.get("scene", "reading")
hanging = st.cache_resource(SCENES[scene])()
log = st.session_state.setdefault("log", [])
saved = st.session_state.setdefault("saved", {})


def with_saved(picture):
    layers = tuple(
        MaskLayer(layer.layer, saved.get((picture.key, layer.layer), layer.mask), layer.editable)
        for layer in picture.layers
    )
    return replace(picture, layers=layers)


hanging = replace(hanging, pictures=tuple(with_saved(p) for p in hanging.pictures))
left, right = st.columns([4, 1], gap="small")
with left:
    events = mount_viewer(hanging, user_session="tester")
with right:
    st.text_input("Comment", key="comment")
    st.radio("Graft seen", ["yes", "no"], key="seen")
    if st.button("Run again"):
        pass
    if st.button("Sign out"):
        forget_session("tester")
    st.session_state.setdefault("runs", 0)
    st.session_state.runs += 1
    if events.edited:
        saved[events.edited.picture, events.edited.layer] = events.edited.mask
        log.append(["edited", events.edited.picture, events.edited.mask.voxels])
        st.rerun()
    if events.seed:
        log.append(["seed", events.seed.picture, events.seed.points_mm])
        picture = hanging.picture(events.seed.picture)
        grown = np.zeros(picture.volume.geometry.shape, bool)
        i, j, k = np.rint(picture.volume.geometry.to_index(events.seed.points_mm[0])).astype(int)
        grown[i - 3 : i + 4, j - 3 : j + 4, k - 1 : k + 2] = True
        layer = next(layer for layer in picture.layers if layer.editable)
        saved[picture.key, layer.layer] = replace(layer.mask, array=grown)
        st.rerun()
    if events.refused:
        st.error(str(events.refused))
    st.html(f'<pre id="runs">{st.session_state.runs}</pre>')
    items = events.annotations
    drawn = (
        None if items is None else [[a.kind, a.picture, a.slice_number, a.points_mm] for a in items]
    )
    st.html(f'<pre id="log">{json.dumps({"log": log, "annotations": drawn})}</pre>')
