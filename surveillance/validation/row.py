"""Row: one visit of one case, what was true and what the program said. The bench's raw data."""

from __future__ import annotations

from dataclasses import dataclass, field

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A true number and the measured one; None where there is none."""

    true: float | None
    said: float | None = None
    ci95: Interval | None = None

    @property
    def error(self) -> float | None:
        """Measured less true."""
        if self.true is None or self.said is None:
            return None
        return self.said - self.true

    @property
    def relative_error(self) -> float | None:
        """Error over the true value; None where that is 0."""
        return None if self.error is None or not self.true else self.error / abs(self.true)

    @property
    def covered(self) -> bool | None:
        """Whether the interval holds the true value; None without either."""
        if self.true is None or self.ci95 is None:
            return None
        return self.ci95[0] <= self.true <= self.ci95[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """One endpoint: the status that the truth demands, the one given, whether gates passed."""

    true: str
    said: str
    gates_passed: bool


@dataclass(frozen=True, slots=True)
class TrueFocus:
    """A focus that is there: its size, its contrast to the graft, and what found it.

    `score_mm` is the diameter of the focus that the program reports there; None when missed.
    """

    diameter_mm: float
    contrast: float
    score_mm: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One visit; lengths mm, volumes mL.

    `fat_grid` is (ε, fat fraction) where that is the question; `error` the code of a refusal.
    """

    case: str
    kind: str
    split: str
    course: str
    variant: str
    visit: str
    pixel_mm: float
    slice_mm: float
    graft_true: bool
    graft_said: bool
    confidence: float
    sure: bool
    muscle_confidence: float
    dice: float | None
    volume_ml: Quantity
    subvoxel_volume_ml: Quantity
    volume_change_percent: Quantity
    centroid_error_mm: float | None
    t2_ratio: Quantity
    t1_ratio: Quantity
    rectus_dice: tuple[float | None, float | None]
    sides_swapped: bool | None
    registered: bool | None
    landmark_mean_mm: float | None
    landmark_max_mm: float | None
    answers: dict[str, Answer]
    foci: tuple[TrueFocus, ...] = ()
    false_foci_mm: tuple[float, ...] = ()
    fat_grid: tuple[float, float] | None = None
    reasons: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    error: str | None = None
