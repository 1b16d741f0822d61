"""Source: images without a graft that cases are made from, and the outlines drawn on them."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from imaging.errors import MaskError, UsageError
from imaging.insertion import Background, background
from imaging.insertion.outline_file import load_outlines
from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.volume import Volume


@dataclass(frozen=True, slots=True)
class Source:
    """A T2W-FS without a graft, the outlines of its rectus muscles, and perhaps its T1W-FS."""

    image: Path
    outline: Path
    t1: Path | None = None

    @property
    def name(self) -> str:
        """The outline's name, free of folders."""
        return self.outline.name.split(".")[0]


def public_sources(annotations: Path, real_data: Path) -> tuple[Source, ...]:
    """Return the images that the polygon files of a folder were drawn on, where they are there.

    Raises
    ------
    MaskError
        An image is another than the one that was outlined.
    """
    found = []
    for outline in sorted(annotations.glob("*.json")):
        said = json.loads(outline.read_text(encoding="utf-8"))
        image = real_data / said["image"]
        if not image.exists():
            continue
        if sha256(image.read_bytes()).hexdigest() != said["sha256"]:
            raise MaskError("outline_other_image", file=outline.name, image=image.name)
        found.append(Source(image, outline))
    return tuple(found)


@lru_cache(maxsize=2)
def scene_of(source: Source) -> Background:
    """Load a source's images and prepare them.

    Raises
    ------
    UsageError
        A file holds no image, or several.
    MaskError, GeometryError
        The outline cannot be used, see `background`.
    """
    image = _one_volume(source.image)
    left, right = load_outlines(source.outline, image.geometry)
    return background(image, left, right, None if source.t1 is None else _one_volume(source.t1))


def _one_volume(path: Path) -> Volume:
    if path.is_file() and tarfile.is_tarfile(path):
        with TemporaryDirectory() as folder, tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
            return _one_volume(Path(folder))
    found = find_series([path], load_protocol()).series
    if len(found) != 1:
        raise UsageError("validation_background", file=path.name, series=len(found))
    return found[0].load()
