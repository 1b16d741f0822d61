"""Private: the few private attributes that are kept, because images are measured or told by them.

PS3.15 option Retain Safe Private; all stand in its table E.3.10-1 of attributes known to be safe.
Each is a number; anything else under its tag is dropped.
"""

from __future__ import annotations

from pydicom import DataElement, Dataset
from pydicom.tag import BaseTag

SAFE = {
    ("Philips MR Imaging DD 001", 0x2005, 0x0D),  # scale intercept
    ("Philips MR Imaging DD 001", 0x2005, 0x0E),  # scale slope: stored values to signal
    ("Philips Imaging DD 001", 0x2001, 0x03),  # b-value
    ("SIEMENS MR HEADER", 0x0019, 0x0A),  # images in the mosaic
    ("SIEMENS MR HEADER", 0x0019, 0x0C),  # b-value
    ("SIEMENS MR HEADER", 0x0019, 0x0E),  # diffusion direction
    ("GEMS_PARM_01", 0x0043, 0x2F),  # magnitude, phase, real or imaginary
    ("GEMS_PARM_01", 0x0043, 0x39),  # b-value
    ("GEMS_ACQU_01", 0x0019, 0xBB),  # diffusion direction
    ("GEMS_ACQU_01", 0x0019, 0xBC),
    ("GEMS_ACQU_01", 0x0019, 0xBD),
}
NUMBERS = {"DS", "IS", "FL", "FD", "US", "SS", "UL", "SL"}


def safe_private(ds: Dataset) -> set[BaseTag]:
    """Return the tags of private attributes to keep, those of their creators among them."""
    kept: set[BaseTag] = set()
    for tag in ds.keys():  # noqa: SIM118  (a dataset yields elements, decoded, not tags)
        if tag.is_private and not tag.is_private_creator and _is_safe(ds, tag):
            kept |= {tag, BaseTag(tag.private_creator)}
    return kept


def is_number(element: DataElement) -> bool:
    """Whether the element holds numbers, as its VR says."""
    return element.VR in NUMBERS


def _is_safe(ds: Dataset, tag: BaseTag) -> bool:
    creator = ds.get(tag.private_creator)
    named = str(creator.value) if creator is not None else ""
    return (named, tag.group, tag.element & 0xFF) in SAFE
