"""Messages: what the browser sends, believed only as far as it can be checked.

A browser can be made to send anything. A message becomes a value of ours when it names a picture
that is hanging, a tool the page gave, points inside the image and a mask of the grid's size.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any

from imaging.errors import InputError, MaskError
from surveillance.ui.viewer.annotation import Annotation, AnnotationKind, Plane, Point
from surveillance.ui.viewer.bits import inflated
from surveillance.ui.viewer.events import EditedMask, Seed
from surveillance.ui.viewer.hanging import Hanging, MaskLayer, Picture, Tool
from surveillance.ui.viewer.voxels import served_mask

MOST_ANNOTATIONS = 500
MOST_STROKE_POINTS = 2000
_POINTS = {
    AnnotationKind.LENGTH: 2,
    AnnotationKind.ELLIPSE: 2,
    AnnotationKind.VALUE: 1,
    AnnotationKind.FOCUS: 1,
}
_TOOL = dict.fromkeys(AnnotationKind, Tool.MEASURE) | {AnnotationKind.FOCUS: Tool.MARK}


def seed_of(message: Any, hanging: Hanging) -> Seed:
    """Return the seed of a message.

    Raises
    ------
    InputError
        The message is not of the form the viewer sends, or seeds are not allowed here.
    """
    fields = _fields(message)
    _allow(Tool.SEED, hanging)
    picture = _picture(fields, hanging)
    points = _points(fields, picture)
    if not 1 <= len(points) <= MOST_STROKE_POINTS:
        raise _refused("points")
    return Seed(picture.key, points)


def edited_of(message: Any, hanging: Hanging) -> EditedMask:
    """Return the edited mask of a message.

    Raises
    ------
    InputError
        As `seed_of`.
    MaskError
        The mask did not arrive whole or is of another size than the picture's grid.
    """
    fields = _fields(message)
    _allow(Tool.EDIT, hanging)
    picture = _picture(fields, hanging)
    layer = _editable(fields, picture)
    if "receipt" in fields:
        mask = served_mask(layer.mask).collect(str(fields["receipt"]))
        if mask is None:
            raise MaskError("mask_message_damaged")
    else:
        mask = inflated(_decoded(fields.get("deflated")), picture.volume.geometry)
    return EditedMask(picture.key, layer.layer, mask)


def annotations_of(message: Any, hanging: Hanging) -> tuple[Annotation, ...]:
    """Return all annotations of a message.

    Raises
    ------
    InputError
        As `seed_of`.
    """
    items = _fields(message).get("items")
    if not isinstance(items, list) or len(items) > MOST_ANNOTATIONS:
        raise _refused("items")
    found = tuple(_annotation(_fields(item), hanging) for item in items)
    if len({annotation.id for annotation in found}) < len(found):
        raise _refused("id")
    return found


def _annotation(fields: Mapping[str, Any], hanging: Hanging) -> Annotation:
    picture = _picture(fields, hanging)
    try:
        kind, plane = AnnotationKind(str(fields.get("kind"))), Plane(str(fields.get("plane")))
    except ValueError as error:
        raise _refused("kind") from error
    _allow(_TOOL[kind], hanging)
    number, name = fields.get("slice"), fields.get("id")
    if type(number) is not int or not 1 <= number <= max(picture.volume.geometry.shape):
        raise _refused("slice")
    if not isinstance(name, str) or not 1 <= len(name) <= 40:
        raise _refused("id")
    points = _points(fields, picture)
    if len(points) != _POINTS[kind]:
        raise _refused("points")
    return Annotation(name, kind, picture.key, plane, number, points)


def _fields(message: Any) -> Mapping[str, Any]:
    if not isinstance(message, Mapping):
        raise _refused("message")
    return message


def _allow(tool: Tool, hanging: Hanging) -> None:
    if tool not in hanging.tools:
        raise _refused("tool")


def _picture(fields: Mapping[str, Any], hanging: Hanging) -> Picture:
    picture = hanging.picture(str(fields.get("picture")))
    if picture is None:
        raise _refused("picture")
    return picture


def _editable(fields: Mapping[str, Any], picture: Picture) -> MaskLayer:
    for layer in picture.layers:
        if layer.editable and layer.layer == fields.get("layer"):
            return layer
    raise _refused("layer")


def _points(fields: Mapping[str, Any], picture: Picture) -> tuple[Point, ...]:
    given = fields.get("points")
    if not isinstance(given, list) or len(given) > MOST_STROKE_POINTS:
        raise _refused("points")
    points = tuple(_point(item) for item in given)
    if points and not picture.volume.geometry.contains(points).all():
        raise InputError("viewer_point_outside", picture=picture.visit)
    return points


def _point(item: Any) -> Point:
    if not isinstance(item, Sequence) or len(item) != 3:
        raise _refused("points")
    if not all(type(value) in (int, float) and math.isfinite(value) for value in item):
        raise _refused("points")
    x, y, z = item
    return float(x), float(y), float(z)


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise MaskError("mask_message_damaged") from error


def _refused(field: str) -> InputError:
    return InputError("viewer_message", field=field)
