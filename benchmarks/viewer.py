"""The viewer in headless Chromium, drawn by software, with a pair of 512 × 512 × 80 volumes.

`first_picture_s` runs from the page's navigation having ended (Streamlit's shell is there) to both
panes painted; `slice_ms` from a wheel event to the picture that shows the next slice being
presented, median and 95th percentile of 100.
"""
