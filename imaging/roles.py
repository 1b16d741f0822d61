"""Role of a series: decided from how it was acquired, with the reasons kept.

Order: what a side-car states; then what can be no endpoint image (parts of a complex signal,
localizers, diffusion, derived images); then weighting from inversion time, echo time,
repetition time and flip angle; then fat suppression from explicit attributes. The description
speaks only where the attributes are silent.
"""

from __future__ import annotations

from imaging.description import Words, words_of
from imaging.messages import text
from imaging.protocol import SeriesLimits
from imaging.series import Role, RoleDecision, SeriesInfo
from imaging.weighting import Weighting, weighting_of

_FAT_SUPPRESSION_OPTIONS = {
    "FS", "SFS", "FATSAT", "FAT_SAT", "FATSUP", "SPIR", "SPAIR", "WE", "CHEMSAT", "CHESS",
}  # fmt: skip
_DERIVED_TOKENS = {
    "ADC", "FA", "EADC", "MPR", "MIP", "MNIP", "MINIP", "PROJECTION IMAGE", "SUB", "SUBTRACT",
    "SUBTRACTION", "CSA MPR", "CSA 3D EDITOR", "T1 MAP", "T2 MAP", "T2_STAR MAP", "R2 MAP",
    "R2_STAR MAP", "FAT_FRACTION", "FF", "FFMAP", "PARALLEL PROJECTION", "RADIAL", "POST_PROCESSED",
}  # fmt: skip
_SCANNER_PROCESSING = {"DIS2D", "DIS3D", "NORM", "FIL", "COMP", "COMPOSED", "FILTERED"}
_DIXON_ROLES = {
    "FAT": Role.DIXON_FAT,
    "IN_PHASE": Role.DIXON_IN_PHASE,
    "OPPOSED_PHASE": Role.DIXON_OPPOSED_PHASE,
}


def decide_role(info: SeriesInfo, limits: SeriesLimits) -> RoleDecision:
    """Decide what a series is used for.

    Parameters
    ----------
    info
        What its headers, side-car or name say.
    limits
        Section `[series]` of the protocol.

    Returns
    -------
    RoleDecision
        `OTHER` when nothing decides; the evidence then says what is missing.
    """
    words = words_of(info.description)
    if info.stated_role is not None:
        return RoleDecision(info.stated_role, (text("role.stated", role=info.stated_role),))
    for rule in (_not_an_image, _localizer, _derived, _diffusion):
        decision = rule(info, words)
        if decision is not None:
            return decision
    if info.dixon in _DIXON_ROLES:
        return RoleDecision(_DIXON_ROLES[info.dixon], (text("role.dixon_type", part=info.dixon),))
    if info.dixon is None and words.dixon in _DIXON_ROLES:
        evidence = text("role.dixon_words", part=words.dixon, description=info.description)
        return RoleDecision(_DIXON_ROLES[words.dixon], (evidence,))
    return _weighted(info, words, limits)


def _not_an_image(info: SeriesInfo, _: Words) -> RoleDecision | None:
    if info.component == "MAGNITUDE":
        return None
    return RoleDecision(Role.OTHER, (text("role.component", component=info.component.lower()),))


def _localizer(info: SeriesInfo, words: Words) -> RoleDecision | None:
    if "LOCALIZER" in info.image_type:
        return RoleDecision(Role.LOCALIZER, (text("role.localizer_type"),))
    if info.orientations > 2:
        count = info.orientations
        return RoleDecision(Role.LOCALIZER, (text("role.localizer_planes", count=count),))
    if "localizer" in words.kinds:
        said = text("role.localizer_words", description=info.description)
        return RoleDecision(Role.LOCALIZER, (said,))
    return None


def _derived(info: SeriesInfo, words: Words) -> RoleDecision | None:
    tokens = set(info.image_type)
    derived = "DERIVED" in tokens
    processed = tokens & _DERIVED_TOKENS
    harmless = info.dixon is not None or tokens & (_SCANNER_PROCESSING | {"DIFFUSION", "TRACEW"})
    if processed or (derived and not (harmless and "PRIMARY" in tokens)):
        named = "\\".join(info.image_type)
        return RoleDecision(Role.DERIVED, (text("role.derived_type", image_type=named),))
    acquired = "ORIGINAL" in tokens and "SECONDARY" not in tokens
    if not acquired and words.kinds & {"derived", "map"}:
        said = text("role.derived_words", description=info.description)
        return RoleDecision(Role.DERIVED, (said,))
    return None


def _diffusion(info: SeriesInfo, words: Words) -> RoleDecision | None:
    planar = "EP" in info.scanning_sequence
    weighted = {"DIFFUSION", "TRACEW"} & set(info.image_type) or info.contrast == "DIFFUSION"
    if info.b_value_s_mm2 is not None and (planar or info.b_value_s_mm2 > 0):
        return RoleDecision(Role.DWI, (text("role.b_value", b_value=info.b_value_s_mm2),))
    if weighted or "diffusion" in words.kinds:
        return RoleDecision(Role.DWI, (text("role.diffusion"),))
    return RoleDecision(Role.OTHER, (text("role.planar"),)) if planar else None


def _weighted(info: SeriesInfo, words: Words, limits: SeriesLimits) -> RoleDecision:
    weighting, evidence = weighting_of(info, words, limits)
    if weighting is Weighting.OTHER:
        return RoleDecision(Role.OTHER, evidence)
    suppressed, why = fat_suppression(info, words, weighting is Weighting.STIR)
    evidence = (*evidence, *why, *_scale(info))
    if weighting is not Weighting.T1:
        late = (text("role.t2_after_contrast"),) if info.contrast_agent else ()
        return RoleDecision(Role.T2W_FS if suppressed else Role.T2W, (*evidence, *late))
    if info.contrast_agent:
        agent = text("role.contrast_agent")
        return RoleDecision(Role.POST_CONTRAST, (*evidence, agent))
    if words.contrast:
        said = text("role.contrast_words", description=info.description)
        return RoleDecision(Role.POST_CONTRAST, (*evidence, said))
    return RoleDecision(Role.T1W_FS if suppressed else Role.T1W, evidence)


def fat_suppression(info: SeriesInfo, words: Words, stir: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether fat is suppressed, and why: attributes first, then the description's own word.

    Headers win over the description; that they disagree is said.
    """
    named, option = words.fat_suppressed, _FAT_SUPPRESSION_OPTIONS & set(info.scan_options)
    if stir:
        return True, (text("role.fs_inversion"),)
    if info.dixon == "WATER" or (info.dixon is None and words.dixon == "WATER"):
        return True, (text("role.fs_dixon"),)
    if option:
        conflict = (text("role.fs_conflict", description=info.description),)
        found = text("role.fs_option", option=sorted(option)[0])
        return True, (found, *(conflict if named is False else ()))
    if info.fat_suppressed is not None:
        key = "role.fs_explicit" if info.fat_suppressed else "role.fs_explicit_not"
        conflict = (text("role.fs_conflict", description=info.description),)
        differs = named is not None and named != info.fat_suppressed
        return info.fat_suppressed, (text(key), *(conflict if differs else ()))
    if named is None:
        return False, (text("role.fs_absent"),)
    key = "role.fs_words" if named else "role.fs_words_not"
    return named, (text(key, description=info.description),)


def _scale(info: SeriesInfo) -> tuple[str, ...]:
    if info.private_scale_slope in (None, 1.0):
        return ()
    return (text("role.private_scale", slope=info.private_scale_slope),)
