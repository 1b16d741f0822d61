"""Insertion: put a graft of known form, place and brightness into a real image without one.

A site uses it to learn what the program would see on its own scanner; the validation uses it on
public images. Nothing here is used by an assessment.
"""

from imaging.insertion.background import Background, background
from imaging.insertion.motion import STILL, Motion, Wobble, draw_motion
from imaging.insertion.plate import Plate, Spot
from imaging.insertion.visit import Inserted, insert

__all__ = [
    "STILL",
    "Background",
    "Inserted",
    "Motion",
    "Plate",
    "Spot",
    "Wobble",
    "background",
    "draw_motion",
    "insert",
]
