"""What Streamlit runs at every change: page configuration and navigation, nothing else."""

import streamlit as st

from surveillance.ui.navigation import navigate

st.set_page_config(page_title="graftsite", page_icon="◧", layout="wide")
navigate()
