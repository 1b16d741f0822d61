"""Files to series: DICOM and NIfTI; every input file is accounted for."""

from imaging.loaders.inventory import Inventory, check_pixels, find_series
from imaging.loaders.refusal import Refusal

__all__ = ["Inventory", "Refusal", "check_pixels", "find_series"]
