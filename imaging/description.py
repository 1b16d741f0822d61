"""Description: what the words of a series name say; only ever a tie-break.

Names are free text in every hospital's own dialect. A word counts only when it stands alone
(`FS` in `AX_T2_FS_BH`, not in `FSE`), and two words that contradict each other say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NOT = r"(?:NON|NO|NOT|W/?O|WITHOUT|WO|OHNE|SANS|SIN)"
_FS_WORD = (
    r"(?:FS|F/S|FATSAT\w*|FAT ?SAT\w*|FSAT|F SAT|FAT ?SUP\w*|FAT ?SUPP?R?\w*|SPAIR|SPIR|STIR|TIRM|"
    r"CHESS|CHEMSAT|SPECIAL|WATER ?EXC\w*|SPECIR|FATNAV?S?AT)"
)
_NON_FS = re.compile(
    rf"(?<![A-Z0-9]){_NOT} ?{_FS_WORD}(?![A-Z0-9])|(?<![A-Z0-9])(?:NFS|NOFS)(?![A-Z0-9])"
)
_FS = re.compile(
    rf"(?<![A-Z0-9])(?:T[12]W?|PD|VIBE|LAVA|TSE|FSE|HASTE|SSFSE|TFE|FFE|FLASH|SPGR|FSPGR|3D|2D|BREAS?)?"
    rf"{_FS_WORD}(?:3D|2D|SAG|AX|COR|TRA|BH|\d+)?(?![A-Z])"
)
_T2 = re.compile(
    r"(?<![A-Z0-9])S?(?:T2W?I?|HASTE|SSFSE|SSH|SSTSE|FRFSE|MRCP)(?=[^A-Z*]|$|FS|FAT|FSE|TSE|AX|SAG|COR|TRA|SPAIR|SPIR|STIR)"
)
_STIR = re.compile(r"(?<![A-Z0-9])(?:STIR|TIRM)(?![A-Z])")
_T1 = re.compile(
    r"(?<![A-Z0-9])[ES]?(?:T1W?I?|VIBE|LAVA|THRIVE|BRAVA|VIBRANT|FAME|SPGR|FSPGR|FLASH|MPRAGE|FL[23]D)"
    r"(?=[^A-Z]|$|FS|FAT|FSE|TSE|AX|SAG|COR|TRA|FLEX|DIXON)"
)
_WORDS = {
    "localizer": r"LOC|LOCS|LOCALI[SZ]ERS?|LOCALI[SZ]ATION|SCOUTS?|SURVEY|PILOT|"
    r"PLANE LOC\w*|3 ?PLANE|THREE PLANE|SCANO\w*",
    "diffusion": r"DWI\w*|DTI|DIFF\w*|EPI DIFF|TRACEW?|RESOLVE|IVIM|ZOOMIT|DW",
    "map": r"E?ADC\w*|APPARENT DIFFUSION\w*|FA MAP|R2S?|T2S? MAP|FF|FAT FRAC\w*|PDFF",
    "derived": r"SUBS?|SSUBS?|SUBTR\w*|MIPS?|MINIP|MPR|3D PR|RADIAL|CAD|MASK|"
    r"PROJECTION|REFORMAT\w*|CURVED|BIND|COLLAGE|SEG\w*|LABEL\w*",
    "contrast": r"POST|POSTCON\w*|GAD\w*|GD|C\+|CE|CONTRAST|ART|ARTERIAL|VENOUS|"
    r"PORTAL|DELAYED|DELAY|HBP|EQUIL\w*|DYN\w*|DCE|TWIST\w*|PASS|"
    r"SECS?|SECONDS|EOVIST|PRIMOVIST|LATE|MULTIPHASE|MPH",
    "before": r"PRE|PRECON\w*|PRECONTRAST|NONCON\w*|NATIVE|NATIV|UNENHANCED",
    "water": r"W|WATER|WASSER",
    "fat": r"F|FAT|FETT",
    "in_phase": r"IN|INPHASE|IN PHASE|IP",
    "opposed": r"OPP|OP|OOP|OUT|OUTPHASE|OUT OF PHASE|OPPOSED PHASE|OPPOSED|OUT PHASE",
    "dixon_base": r"VIBE|LAVA|FL3D",
    "dixon": r"DIX|DIXON|MDIXON|IDEAL|FLEX|LAVAFLEX|QDIXON|DUAL ?ECHO",
    "balanced": r"TRUFI|TRUEFISP|TRUE FISP|FIESTA|BFFE|BTFE|B FFE|B TFE|SSFP|BSSFP",
    "fluid": r"FLAIR",
    "proton": r"PD|PDW|PROTON",
}  # fmt: skip
_PATTERNS = {
    name: re.compile(rf"(?<![A-Z0-9])(?:{words})(?![A-Z])") for name, words in _WORDS.items()
}
_DIXON_PARTS = {
    "water": "WATER",
    "fat": "FAT",
    "in_phase": "IN_PHASE",
    "opposed": "OPPOSED_PHASE",
}
_DIXON_PREFIX = re.compile(r"(?:ISPY2: )?(WATER|FAT|INPHASE|OUTPHASE):")
_DIXON_SUFFIX = re.compile(r"_(W|F|in|opp)(?:_FIL)?$")
_DIXON_ENDS = {
    "WATER": "WATER", "W": "WATER", "FAT": "FAT", "F": "FAT",
    "INPHASE": "IN_PHASE", "in": "IN_PHASE",
    "OUTPHASE": "OPPOSED_PHASE", "opp": "OPPOSED_PHASE",
}  # fmt: skip
_PLUS_CONTRAST = re.compile(r"\+ ?C(?![A-Z])|(?<![A-Z])C ?\+|\bPOST\d|\bPH\d+/")
_CONTRAST_FREE = re.compile(
    r"(?<![A-Z])(?:W/?O|WITHOUT|NO|NON|PRE) ?(?:C|CON|CONTRAST|GAD\w*|GD)(?![A-Z])"
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a name says; None where it says nothing, or both things."""

    weighting: str | None
    fat_suppressed: bool | None
    contrast: bool | None
    dixon: str | None
    kinds: frozenset[str]


def words_of(description: str) -> Words:
    """Read a SeriesDescription; the empty one says nothing."""
    spaced = re.sub(r"[^A-Z0-9+*/]+", " ", description.upper()).strip()
    flat = re.sub(r"[^A-Z0-9+]+", " ", spaced).strip()
    kinds = frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(flat))
    return Words(
        weighting=_weighting(spaced),
        fat_suppressed=_fat_suppressed(spaced),
        contrast=_contrast(spaced, kinds),
        dixon=_dixon(description.strip(), flat, kinds),
        kinds=kinds,
    )


def _weighting(text: str) -> str | None:
    t2 = bool(_T2.search(text) or _STIR.search(text))
    t1 = bool(_T1.search(text))
    return None if t1 == t2 else ("T2" if t2 else "T1")


def _fat_suppressed(text: str) -> bool | None:
    without = _NON_FS.search(text) is not None
    with_fs = _FS.search(_NON_FS.sub(" ", text)) is not None
    return None if with_fs == without else with_fs


def _contrast(text: str, kinds: frozenset[str]) -> bool | None:
    if _CONTRAST_FREE.search(text):
        return False
    after = "contrast" in kinds or _PLUS_CONTRAST.search(text) is not None
    before = "before" in kinds
    return None if after == before else after


def _dixon(description: str, flat: str, kinds: frozenset[str]) -> str | None:
    """Read a Dixon part: GE's prefix, Siemens' suffix, or one whole word where Dixon is named."""
    prefix = _DIXON_PREFIX.match(description.upper())
    suffix = _DIXON_SUFFIX.search(description)
    if prefix or (suffix and kinds & {"dixon", "dixon_base"}):
        return _DIXON_ENDS[(prefix or suffix).group(1)]  # type: ignore[union-attr]
    if "dixon" not in kinds:
        return None
    said = re.sub(r"FAT ?S\w*", " ", flat)
    named = [part for name, part in _DIXON_PARTS.items() if _PATTERNS[name].search(said)]
    return named[0] if len(named) == 1 else None
