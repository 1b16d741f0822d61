"""Concepts: the codes that name what is written.

Codes of the standard (PS3.16, with SNOMED CT, RadLex, IBSI, UCUM and UMLS terms it takes over)
wherever it has one; a private scheme for the rest, each with its meaning in 64 characters. What
they mean in full stands in docs/dicom_conformance.md and docs/measurements.md.
"""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sr.coding import Code

SCHEME = "99GRAFTSITE"
"""Private coding scheme: designators that begin with 99 are private (PS3.16, 8.2)."""


def item(code: Code) -> Dataset:
    """Return a code as the item of a code sequence."""
    ds = Dataset()
    ds.CodeValue, ds.CodingSchemeDesignator = code.value, code.scheme_designator
    ds.CodeMeaning = code.meaning
    return ds


def _private(value: str, meaning: str) -> Code:
    return Code(value, SCHEME, meaning)


# Structures
TISSUE = Code("85756007", "SCT", "Tissue")
ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")
GRAFT_MATERIAL = Code("246345001", "SCT", "Graft material")
ABDOMINAL_WALL_MUSCLE = Code("1142228004", "SCT", "Abdominal wall muscle")
LEFT = Code("7771000", "SCT", "Left")
RIGHT = Code("24028007", "SCT", "Right")
FOCAL_ABNORMALITY = Code("130591", "DCM", "Focal abnormality")

# Document
MEASUREMENT_REPORT = Code("126000", "DCM", "Imaging Measurement Report")
IMAGING_REPORT = Code("18748-4", "LN", "Diagnostic Imaging Report")
MRI = Code("25056-3", "LN", "MRI unspecified body region")
MR = Code("MR", "DCM", "Magnetic Resonance")
COMMENT = Code("121106", "DCM", "Comment")
DEVICE = Code("121007", "DCM", "Device")
EDGE_DETECTION = Code("123103", "DCM", "Edge Detection")
SOURCE = Code("260753009", "SCT", "Source")
SOURCE_IMAGE = Code("121322", "DCM", "Source image for image processing operation")

# Time points
BASELINE = Code("C1442488", "UMLS", "Baseline")
POSTTREATMENT = Code("126074", "DCM", "Posttreatment")
UNSCHEDULED = Code("C1699701", "UMLS", "Unscheduled")

# Units
MM = Code("mm", "UCUM", "millimeter")
MM2 = Code("mm2", "UCUM", "square millimeter")
ML = Code("mL", "UCUM", "milliliter")
PERCENT = Code("%", "UCUM", "Percent")
RATIO = Code("{ratio}", "UCUM", "ratio")
ONE = Code("1", "UCUM", "no units")
DAY = Code("d", "UCUM", "day")

# How a value came about
LOWER_RANGE = Code("371885007", "SCT", "-, range of lower measurement uncertainty")
UPPER_RANGE = Code("371886008", "SCT", "+, range of upper measurement uncertainty")
RATIO_OF_MEDIANS = _private("RATIO_MEDIANS", "Median of the region over median of reference muscle")
PERCENT_CHANGE = _private("PERCENT_CHANGE", "Percent change from the earlier visit")
DIFFERENCE = _private("DIFFERENCE", "Difference from the earlier visit")
MEAN_POSITION = _private("MEAN_POSITION", "Mean position of the voxel centres")
FROM_MASK = _private("FROM_MASK", "Calculated from the outline")
FROM_SIGNAL = _private("FROM_SIGNAL", "Calculated from signal inside the outline")
FROM_GROWTH = _private("FROM_GROWTH", "Calculated from exponential growth between visits")
FROM_REGISTRATION = _private("FROM_REGISTERED", "Calculated after registration of two visits")

# Measurements of the standard
VOLUME = Code("RNU0", "IBSI", "Volume of Mesh")
VOXEL_VOLUME = Code("YEKZ", "IBSI", "Volume from Voxel Summation")
SURFACE = Code("C0JK", "IBSI", "Surface Area of Mesh")
MAX_DIAMETER = Code("L0JK", "IBSI", "Maximum 3D Diameter of a Mesh")
SPHERICITY = Code("QCFX", "IBSI", "Sphericity")
ELONGATION = Code("Q3CK", "IBSI", "Elongation")
FLATNESS = Code("N17B", "IBSI", "Flatness")

# Measurements of our own
CONFIDENCE = _private("CONFIDENCE", "Confidence of the outline, 0 to 1")
CENTROID = tuple(
    _private(f"CENTROID_{axis}", f"Centroid toward {side}")
    for axis, side in (("L", "left"), ("P", "posterior"), ("S", "superior"))
)
CENTROID_BASELINE = tuple(
    _private(f"CENTROID_BL_{axis}", f"Centroid toward {side}, carried to baseline")
    for axis, side in (("L", "left"), ("P", "posterior"), ("S", "superior"))
)
SUBVOXEL_VOLUME = _private("VOLUME_SUBVOXEL", "Volume with border voxels shared out")
THICKNESS = _private("THICKNESS", "Thickness of the rectus at the graft's levels")
T2_RATIO = _private("T2_RATIO", "Signal relative to reference muscle, T2W-FS")
T1_RATIO = _private("T1_RATIO", "Signal relative to reference muscle, T1W-FS")
CONTRAST_TO_NOISE = _private("T2_CNR", "Contrast to noise ratio, graft and muscle, T2W-FS")
VARIATION = _private("T2_COV", "Coefficient of variation of the graft's core, T2W-FS")
HIGH_FRACTION = _private("T2_HIGH_FRACTION", "Share of the graft with high signal, T2W-FS")
FAT_SUPPRESSION = _private("T1_FAT_SUPPR", "Suppressed fat relative to muscle, T1W-FS")
LEAST_FAT = _private("T1_LEAST_FAT", "Smallest fat fraction that could be seen, T1W-FS")
FOCUS_DIAMETER = _private("FOCUS_DIAMETER", "Longest diameter in plane of a focus")
SIMILARITY = _private("REG_SIMILARITY", "Similarity after registration to baseline")
INVERSE_CONSISTENCY = _private("REG_INVERSE", "Inverse consistency of the registration")
LOG_JACOBIAN = _private(
    "WALL_LN_JACOBIAN", "Mean absolute log Jacobian of the wall round the graft"
)
WALL_DISPLACEMENT = _private(
    "WALL_SHIFT", "Displacement of the wall away from the graft, 95th percentile"
)
WALL_INVERSE = _private("WALL_INVERSE", "Inverse consistency of the wall's deformation")
WALL_LANDMARKS = _private("WALL_LANDMARKS", "Local landmark error of the wall's deformation")
WALL_FOLDING = _private("WALL_FOLDING", "Share of the wall's ring that folds")
VOLUME_PERCENT = _private("VOLUME_PERCENT", "Change of volume, percent")
REPEATABILITY = (
    _private("VOLUME_RC_DOWN", "Fall of volume that an unchanged graft may show"),
    _private("VOLUME_RC_UP", "Rise of volume that an unchanged graft may show"),
)
VOLUME_CHANGE = _private("VOLUME_CHANGE", "Change of volume")
CENTROID_SHIFT = _private("CENTROID_SHIFT", "Shift of the centroid in registered space")
DICE = _private("DICE", "Dice overlap, centroids aligned")
HAUSDORFF = _private("HAUSDORFF95", "95th percentile Hausdorff distance, centroids aligned")
SURFACE_DISTANCE = _private("SURFACE_DISTANCE", "Mean surface distance, centroids aligned")
DISPLACEMENT = _private("DISPLACEMENT", "Displacement of the left anterior rectus sheath")
RATIO_CHANGE = _private("T2_RATIO_PERCENT", "Change of the T2W-FS signal ratio, percent")
DIAMETER_PERCENT = _private("DIAMETER_PERCENT", "Change of the largest diameter, percent")
DOUBLING_TIME = _private("DOUBLING_TIME", "Doubling time of the volume")

# Evaluations
YES = Code("373066001", "SCT", "Yes")
NO = Code("373067005", "SCT", "No")
INDETERMINATE = Code("82334004", "SCT", "Indeterminate")
NEW_FINDING = Code("129721008", "SCT", "New finding")
ISOINTENSE = Code("RID6053", "RADLEX", "Isointense")
GRAFT_SEEN = _private("GRAFT_SEEN", "Graft seen")
OUTLINE_SOURCE = _private("OUTLINE_SOURCE", "Who drew the outline")
MASS_LIKE = _private("MASS_LIKE", "Mass-like high signal")
REGISTERED = _private("REGISTERED", "Registration to baseline succeeded")
PATTERN = _private("T2_PATTERN", "Signal pattern, T2W-FS")
FAT = _private("FAT", "Fat in the graft")
MORPHOLOGY = _private("E1_MORPHOLOGY", "Morphological stability of the graft")
SIGNAL = _private("E2_SIGNAL", "Signal characteristics of the graft")
FAT_ABSENCE = _private("E3_FAT_ABSENCE", "Absence of abnormal fat deposition")
FLAG = _private("FLAG", "Surveillance flag")

SOURCES = {
    "automatic": _private("AUTOMATIC", "Found by the program"),
    "seeded": _private("SEEDED", "Found by the program from a reader's point"),
    "edited": _private("EDITED", "Drawn by a reader"),
}
PATTERNS = {
    "homogeneous": Code("112160", "DCM", "Homogeneous"),
    "stippled": _private("STIPPLED", "Stippled"),
    "nodular": Code("255288007", "SCT", "Nodular"),
}
FAT_ANSWERS = {
    "none": _private("FAT_NONE", "No fat above the smallest fraction that could be seen"),
    "possible": _private("FAT_POSSIBLE", "Possible fat"),
    "confirmed_macroscopic": _private("FAT_MACROSCOPIC", "Macroscopic fat, confirmed"),
    "confirmed_microscopic": _private("FAT_MICROSCOPIC", "Microscopic fat, confirmed"),
    "bright_not_fat": _private("BRIGHT_NOT_FAT", "Bright, but not fat"),
}
STATUSES = {
    "favorable": _private("FAVORABLE", "Favorable"),
    "adverse": _private("ADVERSE", "Adverse"),
    "indeterminate": INDETERMINATE,
}
LEVELS = {
    "green": _private("GREEN", "Green: no MRI sign above the stated detection limits"),
    "amber": _private("AMBER", "Amber"),
    "red": _private("RED", "Red"),
}
# What a measurement group is about
CHANGE_BASELINE = _private("CHANGE_BASELINE", "Change from baseline")
CHANGE_NADIR = _private("CHANGE_NADIR", "Change from the smallest earlier visit")
ENDPOINTS = _private("ENDPOINTS", "Endpoints and surveillance flag of the visit")
QUALITY = _private("QUALITY", "Quality of images and registration")
T1_SIGNAL = _private("T1_SIGNAL", "Signal of the graft, T1W-FS")
