"""Real abdomens with the rectus muscles that were outlined on them by eye (tests/annotations)."""

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from imaging.geometry import Geometry, from_ras
from imaging.insertion.outline_file import load_outlines
from imaging.segmentation.masks import Muscles
from imaging.volume import Mask, Volume

ANNOTATIONS = Path(__file__).parent / "annotations"


def chaos(folder: Path, case: int) -> Volume:
    """Load a CHAOS volume by way of nibabel, apart from the program's own loader."""
    image = nib.load(folder / "chaos_t2spir" / f"image_{case}.nii.gz")
    array = np.asanyarray(image.dataobj).astype(np.float32)
    return Volume(array, Geometry(from_ras(image.affine), array.shape))


def chaos_outlines(case: int, onto: Geometry) -> tuple[Mask, Mask]:
    """Return the left and right rectus of a CHAOS case as outlined by eye."""
    left, right = load_outlines(ANNOTATIONS / f"chaos_{case}.json", onto)
    assert right is not None
    return left, right


def muscles_of(image: Volume, left: Mask, right: Mask) -> Muscles:
    """Return outlined muscles as the program would hand them on, the midline between them."""
    body = ndimage.gaussian_filter(image.array, 2) > 0.1 * np.percentile(image.array, 90)
    middle = []
    for k in np.flatnonzero(left.array.any((0, 1)) & right.array.any((0, 1))):
        ours, theirs = (np.argwhere(m.array[:, :, k]) for m in (left, right))
        middle.append(((ours[:, 0].min() + theirs[:, 0].max()) / 2, ours[:, 1].mean(), k))
    alba = image.geometry.to_world(np.array(middle))
    return Muscles(Mask(body, image.geometry), left, right, alba, 1.0)
