"""Text drawn into images with Pillow, by no code of ours."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont


def draw(frame, corner, size, smoothed, value, text="DOE^JANE 1970"):
    """Draw a text into a corner, as a viewer that burns its overlay in does."""
    rows, columns = frame.shape
    picture = Image.new("L", (columns, rows), 0)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "L" if smoothed else "1"
    font = ImageFont.load_default(size)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    x = 3 if "left" in corner else columns - (right - left) - 3
    y = 3 if "top" in corner else rows - (bottom - top) - 3
    pen.text((x - left, y - top), text, font=font, fill=255)
    opacity = np.asarray(picture) / 255
    return np.rint(frame * (1 - opacity) + value * opacity).astype(frame.dtype)
